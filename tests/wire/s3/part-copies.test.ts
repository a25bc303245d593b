/** Proves UploadPartCopy: parts out of objects that are there already. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../world/seeded-random.ts';
import { MIB, md5Of, objectCalls, type Part, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('part-copier');
await s3.admin.changeLimits(holder.account, { storage_bytes: 1000 * MIB });
const calls = objectCalls(holder);
const bytes = Buffer.from(seededRandom('part copies').bytes(6 * MIB));
await calls.put('source', bytes);
const SOURCE = `${calls.bucket}/source`;

type Headers = Readonly<Record<string, string>>;

const copy = (
  key: string,
  uploadId: string,
  {
    number = 1,
    from = SOURCE,
    headers = {},
  }: { readonly number?: number; readonly from?: string; readonly headers?: Headers } = {},
) =>
  calls.ask('PUT', key, {
    query: { partNumber: `${number}`, uploadId },
    headers: { 'x-amz-copy-source': from, ...headers },
  });
const ranged = (range: string): Headers => ({ 'x-amz-copy-source-range': range });

function partOf(
  number: number,
  { status, text }: { readonly status: number; readonly text: string },
): Part {
  assert.equal(status, 200, text);
  return { number, etag: textOf(text, 'ETag') };
}

test('a part is copied whole, and its tag is the MD5 of its bytes', async () => {
  const uploadId = await calls.begin('whole');
  const answer = await copy('whole', uploadId);
  assert.match(
    answer.text,
    /<CopyPartResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.equal(textOf(answer.text, 'ETag'), `"${md5Of(bytes)}"`);
  assert.match(textOf(answer.text, 'LastModified'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  assert.equal((await calls.complete('whole', uploadId, [partOf(1, answer)])).status, 200);
  assert.ok((await calls.get('whole')).bytes.equals(bytes));
});

test('ranges of objects and parts that were sent make one object', async () => {
  const uploadId = await calls.begin('mixed');
  const copied = partOf(
    1,
    await copy('mixed', uploadId, { headers: ranged(`bytes=7-${5 * MIB + 6}`) }),
  );
  const sent = await calls.send('mixed', uploadId, { number: 2, body: bytes.subarray(0, 5 * MIB) });
  const last = partOf(
    3,
    await copy('mixed', uploadId, { number: 3, headers: ranged('bytes=0-0') }),
  );
  const done = await calls.complete('mixed', uploadId, [copied, sent, last]);
  assert.equal(done.status, 200, done.text);
  const whole = Buffer.concat([
    bytes.subarray(7, 5 * MIB + 7),
    bytes.subarray(0, 5 * MIB),
    bytes.subarray(0, 1),
  ]);
  assert.ok((await calls.get('mixed')).bytes.equals(whole));
});

test('an object is copied into parts of itself', async () => {
  await calls.put('itself', bytes);
  const uploadId = await calls.begin('itself');
  const from = `${calls.bucket}/itself`;
  const parts = [
    partOf(1, await copy('itself', uploadId, { from })),
    partOf(2, await copy('itself', uploadId, { from, number: 2, headers: ranged('bytes=0-9') })),
  ];
  assert.equal((await calls.complete('itself', uploadId, parts)).status, 200);
  const { bytes: found } = await calls.get('itself');
  assert.ok(found.equals(Buffer.concat([bytes, bytes.subarray(0, 10)])));
});

test('a range without both ends, or beyond the source, is an invalid argument', async () => {
  const uploadId = await calls.begin('ranges');
  for (const range of [
    ...['bytes=0-', 'bytes=-5', 'bytes=5-4', '0-5', 'bytes=a-b', 'bytes=0-1,3-4', ''],
    ...[`bytes=0-${6 * MIB}`, `bytes=${6 * MIB}-${6 * MIB + 1}`],
  ]) {
    const answer = await copy('ranges', uploadId, { headers: ranged(range) });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  const { text } = await calls.done('GET', 'ranges', { query: { uploadId } });
  assert.ok(!text.includes('<Part>'), text);
});

test('conditions on the source of a part are 412 when they fail', async () => {
  const uploadId = await calls.begin('conditions');
  const etag = `"${md5Of(bytes)}"`;
  const past = 'Sat, 01 Jan 2000 00:00:00 GMT';
  for (const headers of [
    { 'x-amz-copy-source-if-match': '"x"' },
    { 'x-amz-copy-source-if-none-match': etag },
    { 'x-amz-copy-source-if-unmodified-since': past },
    { 'x-amz-copy-source-if-modified-since': 'Fri, 01 Jan 2100 00:00:00 GMT' },
  ] as const) {
    const refused = await copy('conditions', uploadId, { headers });
    assertS3Error(refused, 412, 'PreconditionFailed');
    assert.match(refused.text, /<Condition>[^<]+<\/Condition>/);
  }
  const met = { 'x-amz-copy-source-if-match': etag, 'x-amz-copy-source-if-modified-since': past };
  assert.equal((await copy('conditions', uploadId, { headers: met })).status, 200);
});

test('a source that is not there, or nobody may read, makes no part', async () => {
  const uploadId = await calls.begin('sources');
  const stranger = await s3.openHolder('part-stranger');
  await objectCalls(stranger).put('theirs', 'their body');
  for (const [from, status, code] of [
    [`${calls.bucket}/missing`, 404, 'NoSuchKey'],
    ['no-such-bucket-here/key', 404, 'NoSuchBucket'],
    [calls.bucket, 400, 'InvalidArgument'],
    [`${stranger.bucket}/theirs`, 403, 'AccessDenied'],
  ] as const) {
    assertS3Error(await copy('sources', uploadId, { from }), status, code);
  }
});

test('a part number is looked at before the source', async () => {
  const uploadId = await calls.begin('numbers');
  const answer = await copy('numbers', uploadId, { number: 0, from: `${calls.bucket}/missing` });
  assertS3Error(answer, 400, 'InvalidArgument');
});

test('parts that are copied count in full toward the quota', async () => {
  const tight = await s3.openHolder('tight-copier');
  await s3.admin.changeLimits(tight.account, { storage_bytes: 2500 + 4 * 1024 });
  const own = objectCalls(tight);
  await own.put('source', Buffer.alloc(1000, 1));
  const uploadId = await own.begin('copy');
  const ask = (number: number) =>
    own.ask('PUT', 'copy', {
      query: { partNumber: `${number}`, uploadId },
      headers: { 'x-amz-copy-source': `${own.bucket}/source` },
    });
  assert.equal((await ask(1)).status, 200);
  assertS3Error(await ask(2), 403, 'QuotaExceeded');
  const copied = await own.ask('PUT', 'object-copy', {
    headers: { 'x-amz-copy-source': `${own.bucket}/source` },
  });
  assertS3Error(copied, 403, 'QuotaExceeded');
});
