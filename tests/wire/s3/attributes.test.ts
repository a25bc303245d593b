/** Proves GetObjectAttributes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksumOf } from '../../../src/kit/checksums/open-checksum.ts';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { MIB, md5Of, objectCalls, type Part, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const calls = objectCalls(await s3.openHolder('describer'));
const ALL = 'ETag,Checksum,ObjectParts,StorageClass,ObjectSize';

const ask = (
  key: string,
  wanted: string | undefined,
  headers: Readonly<Record<string, string>> = {},
) =>
  calls.ask('GET', key, {
    query: { attributes: '' },
    headers: { ...(wanted === undefined ? {} : { 'x-amz-object-attributes': wanted }), ...headers },
  });
const sumOf = (body: Uint8Array | string) =>
  Buffer.from(checksumOf('SHA256', Buffer.from(body))).toString('base64');

const BODIES = [Buffer.alloc(5 * MIB, 1), Buffer.alloc(5 * MIB, 2), Buffer.from('end')] as const;
const uploadId = await calls.begin('parts', { 'x-amz-checksum-algorithm': 'SHA256' });
const parts: Part[] = [];
for (const [index, body] of BODIES.entries()) {
  const number = index * 10 + 1;
  const headers = { 'x-amz-checksum-sha256': sumOf(body) };
  const part = await calls.send('parts', uploadId, { number, body, headers });
  parts.push({ ...part, also: `<ChecksumSHA256>${sumOf(body)}</ChecksumSHA256>` });
}
assert.equal((await calls.complete('parts', uploadId, parts)).status, 200);
await calls.put('plain', 'body', { 'x-amz-checksum-sha256': sumOf('body') });

test('all attributes of a simple object are told, its tag without quotes', async () => {
  const { status, text, headers } = await ask('plain', ALL);
  assert.equal(status, 200);
  assert.match(
    text,
    /<GetObjectAttributesResponse xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.equal(textOf(text, 'ETag'), md5Of('body'));
  assert.equal(textOf(text, 'ChecksumSHA256'), sumOf('body'));
  assert.equal(textOf(text, 'ChecksumType'), 'FULL_OBJECT');
  assert.equal(textOf(text, 'StorageClass'), 'STANDARD');
  assert.equal(textOf(text, 'ObjectSize'), '4');
  assert.equal(elementsOf(text, 'ObjectParts').length, 0);
  assert.equal(headers['last-modified'], (await calls.head('plain')).headers['last-modified']);
});

test('only what is asked for is told', async () => {
  const { text } = await ask('plain', 'ObjectSize, ETag');
  assert.equal(textOf(text, 'ObjectSize'), '4');
  assert.equal(textOf(text, 'ETag'), md5Of('body'));
  for (const name of ['Checksum', 'StorageClass']) assert.equal(elementsOf(text, name).length, 0);
});

test('parts with checksums are listed one by one', async () => {
  const { text } = await ask('parts', ALL);
  assert.equal(textOf(text, 'PartsCount'), '3');
  assert.equal(textOf(text, 'IsTruncated'), 'false');
  const listed = elementsOf(text, 'Part');
  assert.deepEqual(
    listed.map((part) => [
      textOf(part, 'PartNumber'),
      textOf(part, 'Size'),
      textOf(part, 'ChecksumSHA256'),
    ]),
    BODIES.map((body, index) => [`${index + 1}`, `${body.length}`, sumOf(body)]),
  );
});

test('parts come in pages', async () => {
  const numbers: string[] = [];
  let marker = '0';
  for (;;) {
    const { text } = await ask('parts', 'ObjectParts', {
      'x-amz-max-parts': '2',
      'x-amz-part-number-marker': marker,
    });
    assert.equal(textOf(text, 'PartNumberMarker'), marker);
    assert.equal(textOf(text, 'MaxParts'), '2');
    assert.equal(textOf(text, 'PartsCount'), '3');
    numbers.push(...textsOf(text, 'PartNumber'));
    marker = textOf(text, 'NextPartNumberMarker');
    if (textOf(text, 'IsTruncated') === 'false') break;
    assert.ok(numbers.length < 9);
  }
  assert.deepEqual(numbers, ['1', '2', '3']);
});

test('parts of an upload without an algorithm are listed with what is kept of any', async () => {
  const id = await calls.begin('unnamed');
  const part = await calls.send('unnamed', id, { number: 4, body: 'part' });
  await calls.complete('unnamed', id, [part]);
  const { text } = await ask('unnamed', ALL);
  assert.equal(textOf(text, 'PartsCount'), '1');
  const [listed = ''] = elementsOf(text, 'Part');
  const crc = Buffer.from(checksumOf('CRC64NVME', Buffer.from('part'))).toString('base64');
  assert.equal(textOf(listed, 'PartNumber'), '1');
  assert.equal(textOf(listed, 'Size'), '4');
  assert.equal(textOf(listed, 'ChecksumCRC64NVME'), crc);
  const [whole = ''] = elementsOf(text, 'Checksum');
  assert.equal(textOf(whole, 'ChecksumCRC64NVME'), crc);
  assert.equal(textOf(whole, 'ChecksumType'), 'FULL_OBJECT');
  assert.match(textOf(text, 'ETag'), /^[0-9a-f]{32}-1$/);
});

test('asking for nothing is an invalid request, for what is not there an invalid argument', async () => {
  for (const wanted of [undefined, '', ' , ']) {
    assertS3Error(await ask('plain', wanted), 400, 'InvalidRequest');
  }
  for (const wanted of ['Etag', 'ETag,Colour']) {
    assertS3Error(await ask('plain', wanted), 400, 'InvalidArgument');
  }
  const marker = { 'x-amz-part-number-marker': '-1' };
  assertS3Error(await ask('plain', ALL, marker), 400, 'InvalidArgument');
  // AWS ignores this one.
  assert.equal((await ask('parts', ALL, { 'x-amz-max-parts': 'x' })).status, 200);
});

test('attributes of what is not there are not found', async () => {
  assertS3Error(await ask('missing', ALL), 404, 'NoSuchKey');
});
