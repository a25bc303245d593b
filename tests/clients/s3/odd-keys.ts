/** Keys that S3 allows and that clients, proxies and file systems are known to mangle. */

export type OddKey = {
  readonly name: string;
  readonly key: string;
  /** Stands for its kind where time forbids more. */
  readonly isSample?: true;
};

/** By a name that can be printed. A folder's key ends in `/` and has content all the same. */
export const ODD_KEYS: readonly OddKey[] = [
  { name: 'spaces', key: 'with spaces/ between  and at the end ', isSample: true },
  { name: 'leading space', key: ' leading' },
  { name: 'plus', key: 'plus+signs/a+b++c', isSample: true },
  { name: 'percent', key: '100%/%2F/%zz/%25', isSample: true },
  { name: 'encoded text', key: 'encoded%20text%2Bthat+stays' },
  { name: 'double slash', key: 'double//slash', isSample: true },
  { name: 'leading slash', key: '/leading/slash' },
  { name: 'trailing slash', key: 'trailing/slash/' },
  { name: 'only slashes', key: '///' },
  { name: 'parent', key: 'parent/../sibling', isSample: true },
  { name: 'leading parent', key: '../above' },
  { name: 'here', key: 'here/./still' },
  { name: 'parent at the end', key: 'parent at the end/..' },
  { name: 'file below a file', key: 'double' },
  { name: 'emoji', key: 'emoji/😀👩🏽‍🚀', isSample: true },
  { name: 'composed', key: 'é/ü' },
  { name: 'decomposed', key: 'e\u0301/u\u0308' },
  { name: 'right to left', key: 'שלום/日本語' },
  { name: 'private use before emoji', key: '\u{F8FF}' },
  { name: 'XML', key: '<a href="b">&amp;\'c\'</a>' },
  { name: 'query', key: 'query?uploads&partNumber=1', isSample: true },
  { name: 'fragment', key: 'fragment#part' },
  { name: 'punctuation', key: '!$()*,:;=@[]{}|^~`' },
  { name: 'back slash', key: 'back\\slash' },
  { name: 'number', key: '007' },
  { name: 'exponent', key: '1e3' },
  { name: 'prototype', key: '__proto__' },
  { name: 'tab', key: 'tab\there' },
  { name: 'line break', key: 'line\nbreak' },
  { name: 'carriage return', key: 'carriage\rreturn' },
  { name: 'control', key: 'control\u0001\u001f' },
  { name: '1024 bytes', key: 'k'.repeat(1024), isSample: true },
  { name: '1024 bytes of emoji', key: '🐧'.repeat(256) },
];
