/** Proves what is read of a form's boundary and of the heads of its parts, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormError } from './form-error.ts';
import { isFormType, parseFormBoundary, parsePartHead } from './part-head.ts';

const isMalformed = (error: unknown) => error instanceof FormError && error.kind === 'malformed';
const utf8 = (text: string) => Buffer.from(text, 'utf8').toString('latin1');
const disposed = (parameters: string) => [`Content-Disposition: form-data${parameters}`];

test('a form is known by its type alone', () => {
  for (const type of [
    'multipart/form-data',
    'Multipart/Form-Data ;x',
    'multipart/form-data; a=b',
  ]) {
    assert.equal(isFormType(type), true, type);
  }
  for (const type of ['', 'multipart/form-data2', 'multipart/mixed', 'x multipart/form-data']) {
    assert.equal(isFormType(type), false, type);
    assert.throws(() => parseFormBoundary(type), isMalformed);
  }
});

test('a boundary comes bare or in quotes, among other parameters', () => {
  const boundaries = {
    'boundary=abc': 'abc',
    'BOUNDARY = "a b"': 'a b',
    'charset=utf-8; boundary=----x; z="1"': '----x',
    'boundary="a\\"b"': undefined,
    'boundary=abc;': 'abc',
    'boundary="trailing "': undefined,
    'boundary=': undefined,
    'boundary=a b': undefined,
    'boundary=ä': undefined,
    'charset=utf-8': undefined,
    'boundary=a; boundary=a': undefined,
    [`boundary=${'b'.repeat(70)}`]: 'b'.repeat(70),
    [`boundary=${'b'.repeat(71)}`]: undefined,
  };
  for (const [parameters, boundary] of Object.entries(boundaries)) {
    const type = `multipart/form-data; ${parameters}`;
    if (boundary === undefined) assert.throws(() => parseFormBoundary(type), isMalformed, type);
    else assert.equal(parseFormBoundary(type), boundary);
  }
});

test('names are read as browsers, curl and old Windows write them', () => {
  const heads = {
    '; name="key"': { name: 'key', fileName: undefined },
    '; name=key; filename=a.txt': { name: 'key', fileName: 'a.txt' },
    ';name="a b"; filename=""': { name: 'a b', fileName: '' },
    '; name="file"; filename="C:\\dir\\b.txt"': { name: 'file', fileName: 'C:\\dir\\b.txt' },
    '; name="file"; filename="a\\"b\\\\c"': { name: 'file', fileName: 'a"b\\c' },
    '; name="file"; filename="%22.txt"; filename*=UTF-8\'\'x': {
      name: 'file',
      fileName: '%22.txt',
    },
    [utf8('; name="ä"; filename="ü; x=y.txt"')]: { name: 'ä', fileName: 'ü; x=y.txt' },
  };
  for (const [parameters, head] of Object.entries(heads)) {
    assert.deepEqual(parsePartHead(disposed(parameters)), head, parameters);
  }
  const more = ['content-type: text/plain', 'CONTENT-DISPOSITION: Form-Data ; name=a', 'X-Other:'];
  assert.deepEqual(parsePartHead(more), { name: 'a', fileName: undefined });
  const plain = [...disposed('; name=a'), 'Content-Transfer-Encoding: 8BIT'];
  assert.deepEqual(parsePartHead(plain), { name: 'a', fileName: undefined });
});

test('a head without one name, or that does not read, is refused', () => {
  const heads = [
    [],
    ['Content-Type: text/plain'],
    ['Content-Disposition: attachment; name=a'],
    disposed(''),
    disposed('; name=""'),
    disposed('; name='),
    disposed('; filename=a'),
    disposed('; name=a; NAME=b'),
    disposed('; name="a'),
    disposed('; name="a" b'),
    disposed(' name=a'),
    disposed('; name="\xff"'),
    disposed('; name=a; filename="\xc3"'),
    [...disposed('; name=a'), ...disposed('; name=a')],
    [...disposed('; name=a'), 'no colon'],
    [...disposed('; name=a'), ' folded: yes'],
    [...disposed('; name=a'), ': empty'],
    [...disposed('; name=a'), 'Content-Transfer-Encoding: quoted-printable'],
  ];
  for (const lines of heads) assert.throws(() => parsePartHead(lines), isMalformed, lines.join());
});
