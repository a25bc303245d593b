/** Proves CopyObject as the contract's section "Objects" has it. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { CHECKSUM_ALGORITHMS } from '../../../src/kit/checksums/checksum-algorithms.ts';
import { checksumOf, prepareChecksums } from '../../../src/kit/checksums/open-checksum.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { codeOf, md5Of, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

await prepareChecksums(CHECKSUM_ALGORITHMS);
const s3 = await startS3();
const holder = await s3.openHolder('copier');
await s3.admin.changeLimits(holder.account, { buckets: 10 });
const calls = objectCalls(holder);
const other = objectCalls({ raw: holder.raw, bucket: 'copies-of-objects' });
await other.done('PUT');

type Headers = Readonly<Record<string, string>>;

const sourceOf = (key: string) =>
  `${calls.bucket}/${encodeURIComponent(key).replaceAll('%2F', '/')}`;
const copy = (from: string, to: string, headers: Headers = {}) =>
  calls.ask('PUT', to, { headers: { 'x-amz-copy-source': from, ...headers } });

const DESCRIBED: Headers = {
  'content-type': 'text/plain',
  'cache-control': 'max-age=3',
  'content-disposition': 'inline',
  'content-encoding': 'identity',
  'content-language': 'en',
  expires: 'Thu, 01 Dec 1994 16:00:00 GMT',
  'x-amz-meta-colour': 'blue',
};
await calls.put('source', 'body', { ...DESCRIBED, 'x-amz-tagging': 'a=1&b=2' });
const ETAG = `"${md5Of('body')}"`;
const PAST = 'Sat, 01 Jan 2000 00:00:00 GMT';
const FUTURE = 'Fri, 01 Jan 2100 00:00:00 GMT';

test('a copy has the bytes, the tag and everything that described them', async () => {
  const answer = await copy(sourceOf('source'), 'copied');
  assert.equal(answer.status, 200, answer.text);
  assert.match(
    answer.text,
    /<CopyObjectResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.equal(textOf(answer.text, 'ETag'), ETAG);
  assert.match(textOf(answer.text, 'LastModified'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/);
  const { text, headers } = await calls.get('copied');
  assert.equal(text, 'body');
  for (const [name, value] of Object.entries(DESCRIBED)) assert.equal(headers[name], value, name);
  assert.equal(headers['x-amz-tagging-count'], '2');
});

test('a copy goes into another bucket, and the source may go', async () => {
  await calls.put('leaving', 'body');
  const headers = { 'x-amz-copy-source': sourceOf('leaving') };
  assert.equal((await other.ask('PUT', 'arrived', { headers })).status, 200);
  await calls.done('DELETE', 'leaving');
  assert.equal((await other.get('arrived')).text, 'body');
});

for (const key of ['a b+c', 'ünï/côdé 😀', 'per%cent', 'que?ry&x=y', 'quo"te', 'a//b/../c']) {
  test(`the source may be called ${key}`, async () => {
    await calls.put(key, key);
    for (const from of [sourceOf(key), `/${sourceOf(key)}`]) {
      assert.equal((await copy(from, 'named')).status, 200, from);
      assert.equal((await calls.get('named')).text, key);
    }
    const wholly = `${calls.bucket}%2F${encodeURIComponent(key)}`;
    assert.equal((await copy(wholly, 'wholly')).status, 200);
    assert.equal((await calls.get('wholly')).text, key);
  });
}

test('a plus in the source is a space, and a plus only where no such key is', async () => {
  await calls.put('plus/in name', 'of the space');
  const plus = `${calls.bucket}/plus/in+name`;
  assert.equal((await copy(plus, 'named')).status, 200);
  assert.equal((await calls.get('named')).text, 'of the space');
  await calls.put('plus/in+name', 'of the plus');
  assert.equal((await copy(plus, 'named')).status, 200);
  assert.equal((await calls.get('named')).text, 'of the space');
  await calls.done('DELETE', 'plus/in name');
  assert.equal((await copy(plus, 'named')).status, 200);
  assert.equal((await calls.get('named')).text, 'of the plus');
  assert.equal((await copy(plus.replace('+', '%2B'), 'named')).status, 200);
  assertS3Error(await copy(plus.replace('+', '%20'), 'never'), 404, 'NoSuchKey');
  assertS3Error(await copy(`${calls.bucket}/no+such`, 'never'), 404, 'NoSuchKey');
  const uploadId = await calls.begin('parted');
  const part = await calls.ask('PUT', 'parted', {
    query: { partNumber: '1', uploadId },
    headers: { 'x-amz-copy-source': plus },
  });
  assert.equal(textOf(part.text, 'ETag'), `"${md5Of('of the plus')}"`);
});

test('the source may be named with its version', async () => {
  assert.equal((await copy(`${sourceOf('source')}?versionId=null`, 'versioned')).status, 200);
  const unknown = await copy(`${sourceOf('source')}?versionId=unknown`, 'versioned');
  assertS3Error(unknown, 404, 'NoSuchVersion');
});

test('a source that names nothing is an invalid argument', async () => {
  for (const from of [
    calls.bucket,
    `/${calls.bucket}`,
    `${calls.bucket}/`,
    '/',
    'a/%zz',
    'a/%ff',
  ]) {
    assertS3Error(await copy(from, 'never'), 400, 'InvalidArgument');
  }
  assert.equal(await calls.isThere('never'), false);
});

test('a source that is not there is not found', async () => {
  assertS3Error(await copy(sourceOf('missing'), 'never'), 404, 'NoSuchKey');
  assertS3Error(await copy('no-such-bucket-here/key', 'never'), 404, 'NoSuchBucket');
  assert.equal(await calls.isThere('never'), false);
});

test("a source in another's bucket is denied unless it is public", async () => {
  const stranger = await s3.openHolder('copy-stranger');
  await objectCalls(stranger).put('theirs', 'their body');
  const from = `${stranger.bucket}/theirs`;
  assertS3Error(await copy(from, 'mine'), 403, 'AccessDenied');
  assert.equal(await calls.isThere('mine'), false);
  await s3.callRest(stranger, 'PATCH /api/s3/bucket', { public_read: true });
  assert.equal((await copy(from, 'mine')).status, 200);
  assert.equal((await calls.get('mine')).text, 'their body');
});

test('REPLACE takes the metadata of the request and forgets the rest', async () => {
  const answer = await copy(sourceOf('source'), 'replaced', {
    'x-amz-metadata-directive': 'REPLACE',
    'x-amz-meta-size': 'large',
    'cache-control': 'no-store',
  });
  assert.equal(answer.status, 200, answer.text);
  const { headers, text } = await calls.get('replaced');
  assert.equal(text, 'body');
  assert.equal(headers['content-type'], 'binary/octet-stream');
  assert.equal(headers['x-amz-meta-size'], 'large');
  assert.equal(headers['cache-control'], 'no-store');
  for (const name of ['x-amz-meta-colour', 'content-language', 'expires', 'content-encoding']) {
    assert.equal(headers[name], undefined, name);
  }
  assert.equal(headers['x-amz-tagging-count'], '2', 'tags have a directive of their own');
});

test('COPY does not listen to the metadata of the request', async () => {
  await copy(sourceOf('source'), 'kept', {
    'x-amz-metadata-directive': 'COPY',
    'x-amz-meta-colour': 'red',
    'content-type': 'image/png',
  });
  const { headers } = await calls.head('kept');
  assert.equal(headers['x-amz-meta-colour'], 'blue');
  assert.equal(headers['content-type'], 'text/plain');
});

test('tags are copied or replaced by a directive of their own', async () => {
  const tagsOf = async (key: string) => {
    const { text } = await calls.done('GET', key, { query: { tagging: '' } });
    return textsOf(text, 'Key').map((name, index) => `${name}=${textsOf(text, 'Value')[index]}`);
  };
  await copy(sourceOf('source'), 'tags', { 'x-amz-tagging': 'c=3' });
  assert.deepEqual(await tagsOf('tags'), ['a=1', 'b=2']);
  await copy(sourceOf('source'), 'tags', {
    'x-amz-tagging': 'c=3',
    'x-amz-tagging-directive': 'REPLACE',
  });
  assert.deepEqual(await tagsOf('tags'), ['c=3']);
  assert.equal((await calls.head('tags')).headers['x-amz-meta-colour'], 'blue');
  await copy(sourceOf('source'), 'tags', { 'x-amz-tagging-directive': 'REPLACE' });
  assert.deepEqual(await tagsOf('tags'), []);
});

test('a directive is COPY or REPLACE', async () => {
  for (const name of ['x-amz-metadata-directive', 'x-amz-tagging-directive']) {
    assertS3Error(
      await copy(sourceOf('source'), 'never', { [name]: 'MERGE' }),
      400,
      'InvalidArgument',
    );
  }
});

test('the storage class is never copied', async () => {
  await calls.put('cold', 'a', { 'x-amz-storage-class': 'GLACIER' });
  await copy(sourceOf('cold'), 'warm');
  assert.equal((await calls.head('warm')).headers['x-amz-storage-class'], undefined);
  await copy(sourceOf('cold'), 'cool', { 'x-amz-storage-class': 'STANDARD_IA' });
  assert.equal((await calls.head('cool')).headers['x-amz-storage-class'], 'STANDARD_IA');
});

test('a copy onto itself must change something', async () => {
  await calls.put('self', 'body', { 'x-amz-meta-a': '1' });
  assertS3Error(await copy(sourceOf('self'), 'self'), 400, 'InvalidRequest');
  const changed = await copy(sourceOf('self'), 'self', {
    'x-amz-metadata-directive': 'REPLACE',
    'x-amz-meta-mtime': '17',
  });
  assert.equal(changed.status, 200, changed.text);
  const { headers, text } = await calls.get('self');
  assert.equal(text, 'body');
  assert.equal(headers['x-amz-meta-mtime'], '17');
  assert.equal(headers['x-amz-meta-a'], undefined);
  assert.equal(
    (await copy(sourceOf('self'), 'self', { 'x-amz-storage-class': 'GLACIER' })).status,
    200,
  );
  assert.equal((await calls.get('self')).text, 'body');
});

for (const [says, headers, isMet] of [
  ['if-match of it', { 'if-match': ETAG }, true],
  ['if-match of another', { 'if-match': '"x"' }, false],
  ['if-none-match of another', { 'if-none-match': '"x"' }, true],
  ['if-none-match of it', { 'if-none-match': ETAG }, false],
  ['if-modified-since earlier', { 'if-modified-since': PAST }, true],
  ['if-modified-since later', { 'if-modified-since': FUTURE }, false],
  ['if-unmodified-since later', { 'if-unmodified-since': FUTURE }, true],
  ['if-unmodified-since earlier', { 'if-unmodified-since': PAST }, false],
] as const) {
  test(`a condition on the source, ${says}, is ${isMet ? 'met' : '412'}`, async () => {
    const prefixed = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [`x-amz-copy-source-${name}`, value]),
    );
    await calls.done('DELETE', 'on-condition');
    const answer = await copy(sourceOf('source'), 'on-condition', prefixed);
    assert.equal(answer.status, isMet ? 200 : 412, answer.text);
    if (!isMet) assert.equal(codeOf(answer), 'PreconditionFailed');
    assert.equal(await calls.isThere('on-condition'), isMet);
  });
}

test('conditions on the target are those of a put', async () => {
  const once = { 'if-none-match': '*' };
  assert.equal((await copy(sourceOf('source'), 'once', once)).status, 200);
  assertS3Error(await copy(sourceOf('source'), 'once', once), 412, 'PreconditionFailed');
  assertS3Error(
    await copy(sourceOf('source'), 'once', { 'if-match': '"x"' }),
    412,
    'PreconditionFailed',
  );
  assert.equal((await copy(sourceOf('source'), 'once', { 'if-match': ETAG })).status, 200);
  assertS3Error(await copy(sourceOf('source'), 'nowhere', { 'if-match': ETAG }), 404, 'NoSuchKey');
});

test('a copy keeps the checksum of its source, or gets the one that is asked for', async () => {
  const crc = Buffer.from(checksumOf('CRC32', Buffer.from('body'))).toString('base64');
  await calls.put('checked', 'body', { 'x-amz-checksum-crc32': crc });
  const kept = await copy(sourceOf('checked'), 'checked-copy');
  assert.equal(textOf(kept.text, 'ChecksumCRC32'), crc);
  const mode = { 'x-amz-checksum-mode': 'ENABLED' };
  assert.equal((await calls.head('checked-copy', mode)).headers['x-amz-checksum-crc32'], crc);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = Buffer.from(checksumOf(algorithm, Buffer.from('body'))).toString('base64');
    const made = await copy(sourceOf('source'), 'computed', {
      'x-amz-checksum-algorithm': algorithm,
    });
    assert.equal(textOf(made.text, `Checksum${algorithm}`), value);
    assert.equal(textOf(made.text, 'ChecksumType'), 'FULL_OBJECT');
    const { headers } = await calls.head('computed', mode);
    assert.equal(headers[`x-amz-checksum-${algorithm.toLowerCase()}`], value);
  }
  const unknown = await copy(sourceOf('source'), 'never', { 'x-amz-checksum-algorithm': 'MD4' });
  assertS3Error(unknown, 400, 'InvalidRequest');
});

test('a copy of what came in parts keeps its bytes', async () => {
  const uploadId = await calls.begin('in-parts');
  const body = Buffer.alloc(5 * 1024 ** 2, 7);
  const parts = [
    await calls.send('in-parts', uploadId, { number: 1, body }),
    await calls.send('in-parts', uploadId, { number: 2, body: 'end' }),
  ];
  assert.equal((await calls.complete('in-parts', uploadId, parts)).status, 200);
  const answer = await copy(sourceOf('in-parts'), 'parts-copied');
  assert.match(textOf(answer.text, 'ETag'), /^"[0-9a-f]{32}(-2)?"$/);
  await calls.done('DELETE', 'in-parts');
  const { bytes, headers } = await calls.get('parts-copied');
  assert.ok(bytes.equals(Buffer.concat([body, Buffer.from('end')])));
  assert.equal(headers.etag, textOf(answer.text, 'ETag'));
});

test('a copy has no body', async () => {
  const headers = { 'x-amz-copy-source': sourceOf('source') };
  const answer = await calls.ask('PUT', 'never', { headers, body: 'body' });
  assert.equal(answer.status, 400, answer.text);
  assert.equal(await calls.isThere('never'), false);
});

test('the owner of the source may be demanded', async () => {
  const { text } = await calls.list({ prefix: 'source' });
  const owner = textOf(text, 'ID');
  const name = 'x-amz-source-expected-bucket-owner';
  assert.equal((await copy(sourceOf('source'), 'owned', { [name]: owner })).status, 200);
  const wrong = await copy(sourceOf('source'), 'owned', { [name]: '0'.repeat(64) });
  assertS3Error(wrong, 403, 'AccessDenied');
});

test('a source of more than 5 GiB is not copied at once', async () => {
  await calls.put('huge', 'body');
  {
    // As if it had come in parts: its row is all that is looked at.
    using metadata = new DatabaseSync(join(s3.directory, 'data', 'metadata.db'));
    const grow = metadata.prepare('update objects set size_bytes = ? where cast(key as text) = ?');
    assert.equal(grow.run(5 * 1024 ** 3 + 1, 'huge').changes, 1);
  }
  assertS3Error(await copy(sourceOf('huge'), 'never'), 400, 'InvalidRequest');
  assert.equal(await calls.isThere('never'), false);
});
