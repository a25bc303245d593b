/**
 * Proves checksums of multipart objects, composite and of the full object: values of every
 * algorithm against those of Python, and what is refused on the way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksumOf, prepareChecksums } from '../../../src/kit/checksums/open-checksum.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { MIB, objectCalls, type Part, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

await prepareChecksums(['XXHASH128']);
const s3 = await startS3();
const holder = await s3.openHolder('checker');
await s3.admin.changeLimits(holder.account, { storage_bytes: 1000 * MIB });
const calls = objectCalls(holder);

const BODIES = [Buffer.alloc(5 * MIB, 'a'), Buffer.from('the end')] as const;

type Algorithm = Parameters<typeof checksumOf>[0];

/** Reckoned in Python: hashlib, zlib, tables of the reflected polynomials, awscrt. */
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
  {
    algorithm: 'SHA512',
    type: 'COMPOSITE',
    parts: [
      'dG/apTY4zOym1QXc+SnT+n6yiLzvGpvzC+vzf3jfumP2' +
        'uDUBPETzj+18ptxibqHPpNa7fYUMWQ+MkqZiZAcs+g==',
      'UeNgkQlS83fYIfUkVPaZ92Y4ZWqOQqJQJO2zKCAXIOvm' +
        'oJNvdtqnn1bdiV7Xyd9uyAt0i7djQZ4f3E47ZM+gtA==',
    ],
    whole:
      'yiKWtGUxzZLt+WfZOWKSmiE0U8aEjRJJNDVKL4L66Kil' +
      'cnYRwVLEr2L2U1D8wd4H2OiUQN0TK2Y3BxM5SX1G2g==-2',
  },
  {
    algorithm: 'MD5',
    type: 'COMPOSITE',
    parts: ['ebKBBg0ze5srhMzzkK3PdA==', 'QG4o/zJSCPyDtNyn6Iv/Bg=='],
    whole: '3CvIgrB+Hmeki+2Jl85srw==-2',
  },
  {
    algorithm: 'XXHASH64',
    type: 'COMPOSITE',
    parts: ['SrGuhw/sEV4=', 'w9yHSS9oE6M='],
    whole: '0apI0kjSObY=-2',
  },
  {
    algorithm: 'XXHASH3',
    type: 'COMPOSITE',
    parts: ['IYg8Ke7DmeQ=', 'eTyejHPKfgE='],
    whole: '+jJj1xbglUw=-2',
  },
  {
    algorithm: 'XXHASH128',
    type: 'COMPOSITE',
    parts: ['fq8v9rMrjkMhiDwp7sOZ5A==', '7hv4vN0wuc2JWmqP5C7+Bg=='],
    whole: 'lswUxcpnt9v/d2Lz8b7/7Q==-2',
  },
];

/** Beside these CRC64NVME is kept, which every client can check. */
const SECONDED: ReadonlySet<string> = new Set(['SHA512', 'XXHASH64', 'XXHASH3', 'XXHASH128']);
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
    const ofParts = BODIES.map((body) => {
      const crc = Buffer.from(checksumOf('CRC64NVME', body)).toString('base64');
      return SECONDED.has(algorithm) || algorithm === 'CRC64NVME' ? crc : undefined;
    });
    const ranges = [`bytes=0-${5 * MIB - 1}`, `bytes=${5 * MIB}-`];
    for (const [index, range] of ranges.entries()) {
      const query = { partNumber: `${index + 1}` };
      for (const answer of [
        await calls.ask('HEAD', key, { query, headers: MODE }),
        await calls.ask('GET', key, { query, headers: MODE }),
        await calls.get(key, { ...MODE, range }),
      ]) {
        assert.equal(answer.status, 206);
        assert.equal(answer.headers[headerOf(algorithm)], parts[index]);
        assert.equal(answer.headers['x-amz-checksum-crc64nvme'], ofParts[index]);
        assert.equal(answer.headers['x-amz-checksum-type'], type);
      }
      const silent = await calls.ask('HEAD', key, { query });
      assert.equal(silent.headers['x-amz-checksum-type'], undefined);
    }
  });
}

test('an algorithm chooses its type where it may', async () => {
  for (const [algorithm, type] of [
    ['CRC32', 'COMPOSITE'],
    ['CRC32C', 'COMPOSITE'],
    ['CRC64NVME', 'FULL_OBJECT'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
    ['SHA512', 'COMPOSITE'],
    ['MD5', 'COMPOSITE'],
    ['XXHASH64', 'COMPOSITE'],
    ['XXHASH3', 'COMPOSITE'],
    ['XXHASH128', 'COMPOSITE'],
  ] as const) {
    const { headers } = await create('chosen', { 'x-amz-checksum-algorithm': algorithm });
    assert.equal(headers['x-amz-checksum-type'], type, algorithm);
  }
});

test('an algorithm and a type that do not go together are refused, and a type alone', async () => {
  for (const [algorithm, type] of [
    ['SHA1', 'FULL_OBJECT'],
    ['SHA256', 'FULL_OBJECT'],
    ['SHA512', 'FULL_OBJECT'],
    ['MD5', 'FULL_OBJECT'],
    ['XXHASH3', 'FULL_OBJECT'],
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

test('an upload without an algorithm makes an object with the CRC64NVME of its parts', async () => {
  const created = await create('bare', {});
  assert.equal(created.headers['x-amz-checksum-algorithm'], undefined);
  const uploadId = textOf(created.text, 'UploadId');
  const listed: Part[] = [];
  for (const [index, body] of BODIES.entries()) {
    listed.push(await calls.send('bare', uploadId, { number: index + 1, body }));
  }
  const parts = BODIES.map((body) => Buffer.from(checksumOf('CRC64NVME', body)).toString('base64'));
  const standing = await calls.done('GET', 'bare', { query: { uploadId } });
  assert.deepEqual(textsOf(standing.text, 'ChecksumCRC64NVME'), parts);
  const { text } = await calls.complete('bare', uploadId, listed);
  const whole = GOLDEN.find(({ algorithm }) => algorithm === 'CRC64NVME')?.whole;
  assert.equal(textOf(text, 'ChecksumCRC64NVME'), whole);
  assert.equal(textOf(text, 'ChecksumType'), 'FULL_OBJECT');
  const { headers } = await calls.head('bare', MODE);
  assert.equal(headers['x-amz-checksum-crc64nvme'], whole);
  assert.equal(headers['x-amz-checksum-type'], 'FULL_OBJECT');
});

test('what a part of an upload without an algorithm says is verified, echoed and kept', async () => {
  const uploadId = await calls.begin('said');
  const value = Buffer.from(checksumOf('CRC32', Buffer.from('part'))).toString('base64');
  const wrong = await partAsk('said', uploadId, {
    headers: { 'x-amz-checksum-crc32': 'AAAAAA==' },
  });
  assertS3Error(wrong, 400, 'BadDigest');
  const sent = await partAsk('said', uploadId, { headers: { 'x-amz-checksum-crc32': value } });
  assert.equal(sent.headers['x-amz-checksum-crc32'], value);
  const crc64 = Buffer.from(checksumOf('CRC64NVME', Buffer.from('part'))).toString('base64');
  const saying = (algorithm: string, said: string): readonly Part[] => [
    {
      number: 1,
      etag: String(sent.headers.etag),
      also: `<Checksum${algorithm}>${said}</Checksum${algorithm}>`,
    },
  ];
  for (const list of [
    saying('CRC32', 'AAAAAA=='),
    saying('CRC64NVME', 'AAAAAAAAAAA='),
    // It may be right, but nothing is known of it.
    saying('CRC32C', 'AAAAAA=='),
  ]) {
    const answer = await calls.complete('said', uploadId, list);
    assertS3Error(answer, 400, 'InvalidPart');
    assert.equal(textOf(answer.text, 'UploadId'), uploadId);
    assert.equal(textOf(answer.text, 'PartNumber'), '1');
  }
  for (const list of [
    saying('CRC32', 'AAAA'),
    saying('CRC32', '!'),
    saying('SHA256', value),
    saying('CRC32', value).map((part) => ({
      ...part,
      also: `${part.also}<ChecksumCRC64NVME>${crc64}</ChecksumCRC64NVME>`,
    })),
  ]) {
    assertS3Error(await calls.complete('said', uploadId, list), 400, 'InvalidArgument');
  }
  const done = await calls.complete('said', uploadId, saying('CRC32', value));
  assert.equal(done.status, 200, done.text);
  assert.equal(textOf(done.text, 'ChecksumCRC64NVME'), crc64);
});

test('what Complete says of the whole object is a checksum, and that of the object', async () => {
  const uploadId = await calls.begin('whole');
  const part = await calls.send('whole', uploadId, { number: 1, body: 'part' });
  const say = (headers: Readonly<Record<string, string>>) =>
    calls.complete('whole', uploadId, [part], headers);
  for (const headers of [
    { 'x-amz-checksum-crc64nvme': 'x' },
    { 'x-amz-checksum-crc64nvme': 'AAAAAA==' },
    { 'x-amz-checksum-crc65': 'AAAAAA==' },
    { 'x-amz-checksum-crc32': 'AAAAAA==' },
    { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=', 'x-amz-checksum-crc32': 'AAAAAA==' },
  ]) {
    assertS3Error(await say(headers), 400, 'InvalidRequest');
  }
  const wrong = await say({ 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' });
  assertS3Error(wrong, 400, 'BadDigest');
  const crc64 = Buffer.from(checksumOf('CRC64NVME', Buffer.from('part'))).toString('base64');
  assert.equal((await say({ 'x-amz-checksum-crc64nvme': crc64 })).status, 200);
});

test('an empty last part of a composite upload has its checksum', async () => {
  for (const algorithm of ['SHA256', 'XXHASH3'] as const) {
    const key = `empty end ${algorithm}`;
    const uploadId = await calls.begin(key, { 'x-amz-checksum-algorithm': algorithm });
    const listed: Part[] = [];
    const sums = [BODIES[0], Buffer.alloc(0)].map((body) => ({
      body,
      value: Buffer.from(checksumOf(algorithm, body)).toString('base64'),
    }));
    for (const [index, { body, value }] of sums.entries()) {
      const headers = { [headerOf(algorithm)]: value };
      const part = await calls.send(key, uploadId, { number: index + 1, body, headers });
      listed.push({ ...part, also: `<Checksum${algorithm}>${value}</Checksum${algorithm}>` });
    }
    assert.equal((await calls.complete(key, uploadId, listed)).status, 200);
    const query = { partNumber: '2' };
    const { headers } = await calls.ask('HEAD', key, { query, headers: MODE });
    assert.equal(headers[headerOf(algorithm)], sums[1]?.value);
    const { text } = await calls.ask('GET', key, {
      query: { attributes: '' },
      headers: { 'x-amz-object-attributes': 'ObjectParts' },
    });
    assert.deepEqual(
      textsOf(text, `Checksum${algorithm}`),
      sums.map(({ value }) => value),
    );
  }
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
