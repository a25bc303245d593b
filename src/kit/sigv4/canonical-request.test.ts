/** Proves what a canonical request makes of each part, byte by byte. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalRequest, type SignedRequest } from './canonical-request.ts';

const REQUEST: SignedRequest = {
  method: 'GET',
  rawPath: '/',
  rawQuery: '',
  rawHeaders: ['Host', 'localhost:9000'],
  signedHeaders: ['host'],
  payloadHash: 'UNSIGNED-PAYLOAD',
  isPresigned: false,
};
const linesOf = (parts: Partial<SignedRequest>) =>
  canonicalRequest({ ...REQUEST, ...parts }).split('\n');

test('the canonical request has the lines of the reference', () => {
  const text = canonicalRequest({ ...REQUEST, rawPath: '/b/k', rawQuery: 'acl' });
  assert.equal(text, 'GET\n/b/k\nacl=\nhost:localhost:9000\n\nhost\nUNSIGNED-PAYLOAD');
});

test('a path is decoded and encoded once, and never normalised', () => {
  const paths = [
    ['', '/'],
    ['/b//a/./../b/', '/b//a/./../b/'],
    ['/b/a%20b+c%2bd', '/b/a%20b%2Bc%2Bd'],
    ['/b/%7e%41%2F%2f', '/b/~A//'],
    ['/b/%25%2520', '/b/%25%2520'],
    ['/b/100%', '/b/100%25'],
    ['/b/%zz%4g%4', '/b/%25zz%254g%254'],
    ['/b/\u00c3\u00a9%c3%a9', '/b/%C3%A9%C3%A9'],
    ["/b/!$&'()*,:;=@[]", '/b/%21%24%26%27%28%29%2A%2C%3A%3B%3D%40%5B%5D'],
    ['/b/%00%ff', '/b/%00%FF'],
  ] as const;
  for (const [rawPath, canonical] of paths) assert.equal(linesOf({ rawPath })[1], canonical);
});

test('a query is encoded anew and sorted by name, then by value, as bytes', () => {
  const queries = [
    ['b=2&a=1', 'a=1&b=2'],
    ['a=2&a=10&a=1', 'a=1&a=10&a=2'],
    // As whole texts "a-=" would come before "a=": names are compared alone.
    ['a-=1&a=2', 'a=2&a-=1'],
    ['B=1&a=1&%5f=1', 'B=1&_=1&a=1'],
    ['uploads', 'uploads='],
    ['&a&&b=&', 'a=&b='],
    ['a=b=c', 'a=b%3Dc'],
    ['=v', '=v'],
    ['a+b=c+d%20e', 'a%20b=c%20d%20e'],
    ['a%2Bb=c%2bd', 'a%2Bb=c%2Bd'],
    ['a=%e2%82%ac%2f/', 'a=%E2%82%AC%2F%2F'],
    ['a;b=1', 'a%3Bb=1'],
    ['%F0%9F=1&%EF%BF=1', '%EF%BF=1&%F0%9F=1'],
    ['X-Amz-Signature=1&a=1', 'X-Amz-Signature=1&a=1'],
  ] as const;
  for (const [rawQuery, canonical] of queries) assert.equal(linesOf({ rawQuery })[2], canonical);
});

test('a presigned query is signed without its signature, and with all the rest', () => {
  const rawQuery = 'X-Amz-Signature=1&X-Amz-Date=2&x-amz-signature=3&X-Amz%2dSignature=4';
  assert.equal(linesOf({ rawQuery, isPresigned: true })[2], 'X-Amz-Date=2&x-amz-signature=3');
});

test('headers are trimmed, their spaces collapsed, those of one name joined as they came', () => {
  const rawHeaders = [
    ...['Host', 'h', 'X-Amz-Meta-B', '  two   spaces \t and a tab\t', 'x-amz-meta-a', '1'],
    ...['X-AMZ-META-A', ' 2 ', 'X-Amz-Meta-a', '', 'x-amz-meta-c', '\u00c3\u00a0\u00a0x'],
  ];
  const signedHeaders = ['host', 'x-amz-meta-a', 'x-amz-meta-b', 'x-amz-meta-c', 'x-none'];
  const expected = [
    ...['host:h', 'x-amz-meta-a:1,2,', 'x-amz-meta-b:two spaces and a tab'],
    // Bytes of letters are no white space, whatever Unicode makes of them.
    ...['x-amz-meta-c:\u00c3\u00a0\u00a0x', 'x-none:', ''],
  ];
  const lines = linesOf({ rawHeaders, signedHeaders });
  assert.deepEqual(lines.slice(3, 9), expected);
  assert.equal(lines[9], signedHeaders.join(';'));
  // Many names are looked up in another way than few.
  const more = Array.from({ length: 20 }, (_, at) => `z${at}`);
  const many = linesOf({ rawHeaders, signedHeaders: [...signedHeaders, ...more] });
  assert.deepEqual(many.slice(3, 8), expected.slice(0, 5));
});

test('a value may be given in place of the one that was sent', () => {
  const rawHeaders = ['Host', 'inner:9000', 'Accept-Encoding', 'gzip, br'];
  const signedHeaders = ['accept-encoding', 'host'];
  const overrides = new Map([
    ['host', 's3.example.com'],
    ['accept-encoding', 'identity'],
  ]);
  const lines = linesOf({ rawHeaders, signedHeaders, overrides });
  assert.deepEqual(lines.slice(3, 5), ['accept-encoding:identity', 'host:s3.example.com']);
});

test('white space of any length is collapsed', () => {
  const value = `a${' \t'.repeat(100_000)}b${' '.repeat(100_000)}`;
  assert.equal(linesOf({ rawHeaders: ['host', value] })[3], 'host:a b');
});
