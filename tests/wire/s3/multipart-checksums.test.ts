/**
 * Proves checksums of multipart objects, composite and of the full object: values of every
 * algorithm against those of Python, and what is refused on the way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksumOf } from '../../../src/kit/checksums/open-checksum.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { MIB, objectCalls, type Part, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('checker');
await s3.admin.changeLimits(holder.account, { storage_bytes: 1000 * MIB });
const calls = objectCalls(holder);

const BODIES = [Buffer.alloc(5 * MIB, 'a'), Buffer.from('the end')] as const;

type Algorithm = Parameters<typeof checksumOf>[0];

/** Reckoned in Python: hashlib, zlib, and tables of the reflected polynomials. */
const GOLDEN: readonly {
  readonly algorithm: Algorithm;
  readonly type: 'COMPOSITE' | 'FULL_OBJECT';
  readonly parts: readonly [string, string];
  readonly whole: string;
}[] = [
  {
    algorithm: 'CRC32',
    type: 'COMPOSITE',
    parts: ['r/zBbw==', 'b7Eb0Q=='],
    whole: 'i3wNww==-2',
  },
  { algorithm: 'CRC32', type: 'FULL_OBJECT', parts: ['r/zBbw==', 'b7Eb0Q=='], whole: 'UDdeww==' },
  {
    algorithm: 'CRC32C',
    type: 'COMPOSITE',
    parts: ['WpuOeg==', 'wrJgkg=='],
    whole: 'vikfMA==-2',
  },
  { algorithm: 'CRC32C', type: 'FULL_OBJECT', parts: ['WpuOeg==', 'wrJgkg=='], whole: '9WwjGg==' },
  {
    algorithm: 'CRC64NVME',
    type: 'FULL_OBJECT',
    parts: ['PbvLEkWUSgg=', '/9Hj3R7tWhc='],
    whole: '/sibae8xldY=',
  },
  {
    algorithm: 'SHA1',
    type: 'COMPOSITE',
    parts: ['YbjWYArJTZEodPVpqTQRIPaAyfg=', 'REl4AwrsQthyBBvIsVH7knBMYNw='],
    whole: 'E/jI4P0ylmlbv63GCFBZgAxwaSY=-2',
  },
  {
    algorithm: 'SHA256',
    type: 'COMPOSITE',
    parts: [
      'oplo+tLngqqfIECjXwWtuX7Yl56x9XLIyOp4Y34nXzw=',
      'kuuc0IHw7BcII2krmvBVZ7NYsV3BvivPYTC23HztzCg=',
    ],
    whole: 'stKFFJNNoqm09I0IEVuGts1Qlzwts4MyyX5v3V24AU4=-2',
  },
];

const headerOf = (algorithm: string) => `x-amz-checksum-${algorithm.toLowerCase()}`;
const MODE = { 'x-amz-checksum-mode': 'ENABLED' };

const create = (key: string, headers: Readonly<Record<string, string>>) =>
  calls.ask('POST', key, { query: { uploads: '' }, headers });
const partAsk = (
  key: string,
  uploadId: string,
  sent: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> },
) => calls.ask('PUT', key, { query: { partNumber: '1', uploadId }, body: 'part', ...sent });

for (const { algorithm, type, parts, whole } of GOLDEN) {
  const key = `${algorithm} ${type}`;
  test(`${key} of two parts is what Python says`, async () => {
    const created = await create(key, {
      'x-amz-checksum-algorithm': algorithm,
      'x-amz-checksum-type': type,
    });
    assert.equal(created.headers['x-amz-checksum-algorithm'], algorithm);
    assert.equal(created.headers['x-amz-checksum-type'], type);
    const uploadId = textOf(created.text, 'UploadId');
    const listed: Part[] = [];
    for (const [index, body] of BODIES.entries()) {
      const value = parts[index] ?? '';
      assert.equal(Buffer.from(checksumOf(algorithm, body)).toString('base64'), value);
      const answer = await calls.done('PUT', key, {
        query: { partNumber: `${index + 1}`, uploadId },
        body,
        headers: { [headerOf(algorithm)]: value },
      });
      assert.equal(answer.headers[headerOf(algorithm)], value);
      const also = `<Checksum${algorithm}>${value}</Checksum${algorithm}>`;
      listed.push({ number: index + 1, etag: String(answer.headers.etag), also });
    }
    const standing = await calls.done('GET', key, { query: { uploadId } });
    assert.deepEqual(textsOf(standing.text, `Checksum${algorithm}`), parts);
    assert.equal(textOf(standing.text, 'ChecksumAlgorithm'), algorithm);
    assert.equal(textOf(standing.text, 'ChecksumType'), type);
    const wrong = await calls.complete(key, uploadId, listed, {
      [headerOf(algorithm)]: parts[0],
    });
    assertS3Error(wrong, 400, 'BadDigest');
    const { status, text } = await calls.complete(key, uploadId, listed, {
      [headerOf(algorithm)]: whole,
      'x-amz-checksum-type': type,
    });
    assert.equal(status, 200, text);
    assert.equal(textOf(text, `Checksum${algorithm}`), whole);
    assert.equal(textOf(text, 'ChecksumType'), type);
    for (const answer of [await calls.head(key, MODE), await calls.get(key, MODE)]) {
      assert.equal(answer.headers[headerOf(algorithm)], whole);
      assert.equal(answer.headers['x-amz-checksum-type'], type);
    }
    for (const headers of [{}, { ...MODE, range: 'bytes=0-1' }]) {
      assert.equal((await calls.get(key, headers)).headers[headerOf(algorithm)], undefined);
    }
    const part = await calls.ask('HEAD', key, { query: { partNumber: '1' }, headers: MODE });
    assert.equal(part.headers['x-amz-checksum-type'], undefined);
  });
}

test('an algorithm chooses its type where it may', async () => {
  for (const [algorithm, type] of [
    ['CRC32', 'COMPOSITE'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ] as const) {
    const { headers } = await create('chosen', { 'x-amz-checksum-algorithm': algorithm });
    assert.equal(headers['x-amz-checksum-type'], type, algorithm);
  }
});

test('an algorithm and a type that do not go together are refused, and a type alone', async () => {
  for (const [algorithm, type] of [
    ['SHA1', 'FULL_OBJECT'],
    ['SHA256', 'FULL_OBJECT'],
    ['CRC64NVME', 'COMPOSITE'],
    ['CRC32', 'HALF_OBJECT'],
  ] as const) {
    const headers = { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type };
    assertS3Error(await create('unfit', headers), 400, 'InvalidRequest');
  }
  const alone = await create('unfit', { 'x-amz-checksum-type': 'COMPOSITE' });
  assertS3Error(alone, 400, 'InvalidRequest');
});

test('a part with a checksum of another algorithm is refused', async () => {
  const uploadId = await calls.begin('other', { 'x-amz-checksum-algorithm': 'SHA256' });
  const value = Buffer.from(checksumOf('CRC32', Buffer.from('part'))).toString('base64');
  const answer = await partAsk('other', uploadId, { headers: { 'x-amz-checksum-crc32': value } });
  assertS3Error(answer, 400, 'InvalidRequest');
});

test('a part of a composite upload needs its checksum', async () => {
  const uploadId = await calls.begin('needed', { 'x-amz-checksum-algorithm': 'CRC32' });
  assertS3Error(await partAsk('needed', uploadId, {}), 400, 'InvalidRequest');
});

test('a part with a wrong checksum is refused', async () => {
  const uploadId = await calls.begin('wrong', { 'x-amz-checksum-algorithm': 'CRC32' });
  const headers = { 'x-amz-checksum-crc32': 'AAAAAA==' };
  assertS3Error(await partAsk('wrong', uploadId, { headers }), 400, 'BadDigest');
});

test('a part of a full object without a checksum gets it from the server', async () => {
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME'] as const) {
    const key = `made ${algorithm}`;
    const uploadId = await calls.begin(key, {
      'x-amz-checksum-algorithm': algorithm,
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
    const part = await calls.send(key, uploadId, { number: 1, body: 'part' });
    const { text } = await calls.complete(key, uploadId, [part]);
    const value = Buffer.from(checksumOf(algorithm, Buffer.from('part'))).toString('base64');
    assert.equal(textOf(text, `Checksum${algorithm}`), value);
    assert.equal((await calls.head(key, MODE)).headers[headerOf(algorithm)], value);
  }
});

test('Complete of a composite upload repeats the checksum of every part, and rightly', async () => {
  const uploadId = await calls.begin('repeated', { 'x-amz-checksum-algorithm': 'SHA256' });
  const value = Buffer.from(checksumOf('SHA256', Buffer.from('part'))).toString('base64');
  const answer = await partAsk('repeated', uploadId, {
    headers: { 'x-amz-checksum-sha256': value },
  });
  const part = { number: 1, etag: String(answer.headers.etag) };
  assertS3Error(await calls.complete('repeated', uploadId, [part]), 400, 'InvalidRequest');
  const other = Buffer.from(checksumOf('SHA256', Buffer.from('x'))).toString('base64');
  const saying = (said: string) => [{ ...part, also: `<ChecksumSHA256>${said}</ChecksumSHA256>` }];
  assertS3Error(await calls.complete('repeated', uploadId, saying(other)), 400, 'InvalidPart');
  assert.equal((await calls.complete('repeated', uploadId, saying(value))).status, 200);
});

test('Complete with another type than Create is refused', async () => {
  const uploadId = await calls.begin('typed', {
    'x-amz-checksum-algorithm': 'CRC32',
    'x-amz-checksum-type': 'FULL_OBJECT',
  });
  const part = await calls.send('typed', uploadId, { number: 1, body: 'part' });
  const headers = { 'x-amz-checksum-type': 'COMPOSITE' };
  assertS3Error(await calls.complete('typed', uploadId, [part], headers), 400, 'InvalidRequest');
  assert.equal((await calls.complete('typed', uploadId, [part])).status, 200);
});

test('an upload without an algorithm makes an object without a checksum', async () => {
  const uploadId = await calls.begin('bare');
  const value = Buffer.from(checksumOf('CRC32', Buffer.from('part'))).toString('base64');
  const sent = await partAsk('bare', uploadId, { headers: { 'x-amz-checksum-crc32': value } });
  assert.equal(sent.headers['x-amz-checksum-crc32'], value, 'what was sent is verified and echoed');
  const part = { number: 1, etag: String(sent.headers.etag) };
  assert.equal((await calls.complete('bare', uploadId, [part])).status, 200);
  const { headers } = await calls.head('bare', MODE);
  assert.equal(headers['x-amz-checksum-type'], undefined);
});

test('copied parts have the checksum of the upload', async () => {
  await calls.put('source', 'part');
  const uploadId = await calls.begin('copied', { 'x-amz-checksum-algorithm': 'SHA256' });
  const answer = await calls.done('PUT', 'copied', {
    query: { partNumber: '1', uploadId },
    headers: { 'x-amz-copy-source': `${calls.bucket}/source` },
  });
  const value = Buffer.from(checksumOf('SHA256', Buffer.from('part'))).toString('base64');
  assert.equal(textOf(answer.text, 'ChecksumSHA256'), value);
  const also = `<ChecksumSHA256>${value}</ChecksumSHA256>`;
  const part = { number: 1, etag: textOf(answer.text, 'ETag'), also };
  assert.equal((await calls.complete('copied', uploadId, [part])).status, 200);
});
