/** Proves what the contract says of PutObject, GetObject, HeadObject and DeleteObject. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ODD_KEYS } from '../../clients/s3/odd-keys.ts';
import { codeOf, md5Of, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('keeper');
const calls = objectCalls(holder);

const RFC_1123 = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;
/** Headers that differ from one answer to the next. */
const OWN = ['x-amz-request-id', 'date', 'keep-alive', 'connection', 'content-length'];

test('what was put is given back with its length, type, tag and time', async () => {
  const put = await calls.put('plain', 'hello');
  assert.equal(put.status, 200);
  assert.equal(put.headers.etag, `"${md5Of('hello')}"`);
  assert.equal(put.headers['content-length'], '0');
  assert.equal(put.text, '');
  const { status, text, headers } = await calls.get('plain');
  assert.equal(status, 200);
  assert.equal(text, 'hello');
  assert.equal(headers['content-length'], '5');
  assert.equal(headers['content-type'], 'binary/octet-stream');
  assert.equal(headers.etag, `"${md5Of('hello')}"`);
  assert.equal(headers['accept-ranges'], 'bytes');
  assert.match(String(headers['last-modified']), RFC_1123);
  for (const name of ['x-amz-storage-class', 'x-amz-mp-parts-count', 'x-amz-tagging-count']) {
    assert.equal(headers[name], undefined, name);
  }
  assert.equal(headers['x-amz-server-side-encryption'], undefined);
});

test('every answer bears the headers of S3', async () => {
  for (const answer of [await calls.get('plain'), await calls.get('missing')]) {
    assert.match(String(answer.headers['x-amz-request-id']), /^[0-9A-Z]{16}$/);
    assert.notEqual(answer.headers['x-amz-id-2'] ?? '', '');
    assert.match(String(answer.headers.date), RFC_1123);
    assert.notEqual(answer.headers['server'] ?? '', '');
  }
});

test('HEAD says what GET says, and has no body, of errors either', async () => {
  await calls.put('both', 'body', { 'content-type': 'text/plain', 'x-amz-meta-a': 'b' });
  for (const key of ['both', 'missing']) {
    const [get, head] = [await calls.get(key), await calls.head(key)];
    assert.equal(head.status, get.status);
    assert.equal(head.bytes.length, 0);
    const without = (headers: object) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.includes(name)));
    assert.deepEqual(without(head.headers), without(get.headers), key);
    if (key === 'both') {
      assert.equal(head.headers['content-length'], get.headers['content-length']);
    }
  }
});

test('all headers that describe an object are kept as they came', async () => {
  const kept = {
    'content-type': 'text/html; charset=x-made-up',
    'cache-control': 'max-age=5, s-maxage=6',
    'content-disposition': 'attachment; filename="a b.txt"',
    'content-encoding': 'gzip',
    'content-language': 'de, en',
    expires: 'whenever it suits',
    'x-amz-website-redirect-location': '/elsewhere',
    'x-amz-meta-mtime': '1700000000.123456789',
    'x-amz-meta-mixed-case': 'Value  with   spaces',
    'x-amz-storage-class': 'STANDARD_IA',
  };
  await calls.put('described', 'not really gzip', kept);
  for (const answer of [await calls.get('described'), await calls.head('described')]) {
    for (const [name, value] of Object.entries(kept)) {
      // Blanks within are kept; the signature is of the collapsed value.
      assert.equal(answer.headers[name], value, name);
    }
  }
  assert.equal((await calls.get('described')).text, 'not really gzip');
});

test('the names of user metadata are lower-case, and a new put forgets the old', async () => {
  await calls.put('meta', 'a', { 'X-Amz-Meta-UPPER': 'Case' });
  assert.equal((await calls.head('meta')).headers['x-amz-meta-upper'], 'Case');
  await calls.put('meta', 'b', { 'x-amz-meta-other': 'one' });
  const { headers } = await calls.head('meta');
  assert.equal(headers['x-amz-meta-upper'], undefined);
  assert.equal(headers['x-amz-meta-other'], 'one');
});

test('aws-chunked is of the frame and not kept', async () => {
  await calls.put('framed', 'a', { 'content-encoding': 'gzip,aws-chunked' });
  assert.equal((await calls.head('framed')).headers['content-encoding'], 'gzip');
  await calls.put('framed', 'a', { 'content-encoding': 'aws-chunked' });
  assert.equal((await calls.head('framed')).headers['content-encoding'], undefined);
});

test('names and values of user metadata have 2 KB together', async () => {
  const fits = { 'x-amz-meta-abc': 'v'.repeat(2045) };
  assert.equal((await calls.ask('PUT', 'fits', { headers: fits })).status, 200);
  const over = await calls.ask('PUT', 'over', { headers: { ...fits, 'x-amz-meta-d': '' } });
  assertS3Error(over, 400, 'MetadataTooLarge');
  assert.equal(await calls.isThere('over'), false);
});

test('a key has 1024 bytes at most', async () => {
  assert.equal((await calls.ask('PUT', 'é'.repeat(512))).status, 200);
  for (const method of ['PUT', 'GET', 'DELETE']) {
    assertS3Error(await calls.ask(method, `${'é'.repeat(512)}x`), 400, 'KeyTooLongError');
  }
});

test('a key with NUL is no key', async () => {
  for (const method of ['PUT', 'GET', 'DELETE']) {
    assertS3Error(await calls.ask(method, 'a\0b'), 400, 'InvalidArgument');
  }
});

for (const { name, key } of ODD_KEYS) {
  test(`the key with ${name} is a key like any other`, async () => {
    await calls.put(key, name);
    assert.equal((await calls.get(key)).text, name);
    await calls.done('DELETE', key);
    assertS3Error(await calls.get(key), 404, 'NoSuchKey');
  });
}

test('keys that a file system would confuse are all there at once', async () => {
  const keys = ['d', 'd/', 'd//', 'd/e', 'd/.', 'd/..', 'D', 'd/e/'];
  for (const key of keys) await calls.put(key, key);
  for (const key of keys) assert.equal((await calls.get(key)).text, key);
});

const CLASSES = [
  ...['STANDARD', 'REDUCED_REDUNDANCY', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING'],
  ...['GLACIER', 'DEEP_ARCHIVE', 'OUTPOSTS', 'GLACIER_IR', 'SNOW', 'EXPRESS_ONEZONE'],
];

test('every storage class of AWS is kept as a label and read at once', async () => {
  for (const name of CLASSES) {
    await calls.put('classed', name, { 'x-amz-storage-class': name });
    const { headers, text } = await calls.get('classed');
    assert.equal(text, name);
    assert.equal(headers['x-amz-storage-class'], name === 'STANDARD' ? undefined : name);
    const list = await calls.list({ prefix: 'classed' });
    assert.equal(textOf(list.text, 'StorageClass'), name);
  }
});

test('another storage class is refused', async () => {
  const answer = await calls.ask('PUT', 'x', { headers: { 'x-amz-storage-class': 'COLDEST' } });
  assertS3Error(answer, 400, 'InvalidStorageClass');
});

test('tags come in a header and are counted in answers', async () => {
  await calls.put('tagged', 'a', { 'x-amz-tagging': 'a=1&b=two%20words&c' });
  for (const answer of [await calls.get('tagged'), await calls.head('tagged')]) {
    assert.equal(answer.headers['x-amz-tagging-count'], '3');
  }
});

test('encryption by AES256 is accepted and not echoed, by other keys it is refused', async () => {
  const headers = { 'x-amz-server-side-encryption': 'AES256' };
  const put = await calls.ask('PUT', 'encrypted', { headers, body: 'a' });
  assert.equal(put.status, 200);
  assert.equal(put.headers['x-amz-server-side-encryption'], undefined);
  const other = [
    { 'x-amz-server-side-encryption': 'aws:kms' },
    { 'x-amz-server-side-encryption': 'aws:kms:dsse' },
    { 'x-amz-server-side-encryption-customer-algorithm': 'AES256' },
  ];
  for (const headers of other) {
    assertS3Error(await calls.ask('PUT', 'unkept', { headers }), 501, 'NotImplemented');
  }
  assert.equal(await calls.isThere('unkept'), false);
});

test('a lock of an object cannot be had in a bucket without one', async () => {
  for (const headers of [
    { 'x-amz-object-lock-mode': 'GOVERNANCE' },
    { 'x-amz-object-lock-legal-hold': 'ON' },
    { 'x-amz-object-lock-retain-until-date': '2030-01-01T00:00:00Z' },
  ]) {
    assertS3Error(await calls.ask('PUT', 'locked', { headers }), 400, 'InvalidRequest');
  }
  assert.equal(await calls.isThere('locked'), false);
});

test('a body of more than 5 GiB is refused before it is sent', async () => {
  const headers = { 'content-length': String(5 * 1024 ** 3 + 1), expect: '100-continue' };
  const answer = await calls.ask('PUT', 'huge', { headers });
  assertS3Error(answer, 400, 'EntityTooLarge');
});

test('an empty object is an object', async () => {
  await calls.put('empty');
  const { status, headers, bytes } = await calls.get('empty');
  assert.equal(status, 200);
  assert.equal(headers['content-length'], '0');
  assert.equal(bytes.length, 0);
  assert.equal(headers.etag, '"d41d8cd98f00b204e9800998ecf8427e"');
});

test('a put replaces the whole object, and readers see it at once', async () => {
  for (const size of [10, 300_000, 0, 7]) {
    const body = Buffer.alloc(size, size);
    await calls.put('replaced', body);
    const [get, head] = [await calls.get('replaced'), await calls.head('replaced')];
    assert.ok(get.bytes.equals(body));
    assert.equal(head.headers['content-length'], `${size}`);
    const { text } = await calls.list({ prefix: 'replaced' });
    assert.equal(textOf(text, 'Size'), `${size}`);
    assert.equal(textOf(text, 'ETag'), `"${md5Of(body)}"`);
  }
});

test('HEAD, list and GET tell one time, to the second', async () => {
  await calls.put('timed', 'a');
  const { headers } = await calls.head('timed');
  const { text } = await calls.list({ prefix: 'timed' });
  const listed = new Date(textOf(text, 'LastModified'));
  assert.equal(headers['last-modified'], listed.toUTCString());
  assert.equal((await calls.get('timed')).headers['last-modified'], headers['last-modified']);
});

test('an authenticated reader chooses headers of the answer', async () => {
  await calls.put('chosen', 'a', { 'content-type': 'text/plain', 'cache-control': 'no-store' });
  const query = {
    'response-content-type': 'image/png',
    'response-content-language': 'fr',
    'response-content-disposition': 'attachment; filename="é.png"',
    'response-content-encoding': 'br',
    'response-cache-control': 'max-age=1',
    'response-expires': 'Thu, 01 Dec 1994 16:00:00 GMT',
  };
  for (const method of ['GET', 'HEAD']) {
    const { status, headers } = await calls.ask(method, 'chosen', { query });
    assert.equal(status, 200);
    for (const [name, value] of Object.entries(query)) {
      const text = Buffer.from(String(headers[name.slice('response-'.length)]), 'latin1');
      assert.equal(text.toString('utf8'), value, name);
    }
  }
  assert.equal((await calls.head('chosen')).headers['content-type'], 'text/plain');
});

test('a header of the answer cannot be broken out of', async () => {
  const query = { 'response-content-type': 'a\r\nx-made: up' };
  assertS3Error(await calls.ask('GET', 'chosen', { query }), 400, 'InvalidArgument');
});

test('a key that is not there is NoSuchKey and names itself', async () => {
  const answer = await calls.get('not there & <never>');
  assertS3Error(answer, 404, 'NoSuchKey');
  assert.equal(textOf(answer.text, 'Key'), 'not there & <never>');
  assert.ok(!answer.text.includes('xmlns'), 'errors have no namespace');
  for (const name of ['Message', 'Resource', 'RequestId', 'HostId']) {
    assert.notEqual(textOf(answer.text, name), '', name);
  }
  const head = await calls.head('missing');
  assert.equal(head.status, 404);
  assert.equal(head.bytes.length, 0);
});

test('a bucket that is not there is NoSuchBucket', async () => {
  const nowhere = objectCalls({ raw: holder.raw, bucket: 'no-such-bucket-here' });
  for (const method of ['GET', 'PUT', 'DELETE']) {
    assertS3Error(await nowhere.ask(method, 'key'), 404, 'NoSuchBucket');
  }
  assertS3Error(await nowhere.ask('GET'), 404, 'NoSuchBucket');
  assertS3Error(
    await nowhere.ask('GET', undefined, { query: { 'list-type': '2' } }),
    404,
    'NoSuchBucket',
  );
  assert.equal((await nowhere.head('key')).status, 404);
});

test('who may not list is not told whether a key exists', async () => {
  const open = await s3.openHolder('open-reader');
  const own = objectCalls(open);
  await own.put('there', 'public');
  const changed = await s3.callRest(open, 'PATCH /api/s3/bucket', { public_read: true });
  assert.equal(changed.status, 200, changed.text);
  const read = (key: string) => s3.call({ route: `GET /${open.bucket}/${key}` });
  assert.equal((await read('there')).text, 'public');
  assertS3Error(await read('missing'), 403, 'AccessDenied');
  assertS3Error(await s3.call({ route: `GET /${open.bucket}` }), 403, 'AccessDenied');
});

test('a delete is 204 whether or not the key was there', async () => {
  await calls.put('doomed', 'a');
  for (let time = 0; time < 2; time += 1) {
    const answer = await calls.ask('DELETE', 'doomed');
    assert.equal(answer.status, 204);
    assert.equal(answer.bytes.length, 0);
    assert.equal(answer.headers['content-length'], undefined);
  }
  assertS3Error(await calls.get('doomed'), 404, 'NoSuchKey');
});

test('the one version of an object is null, and no other is there', async () => {
  await calls.put('versioned', 'a');
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const unknown = await calls.ask(method, 'versioned', {
      query: { versionId: '3sL4kqtJlcpXroDTDmJ-rmSpXd3dIbrHY' },
    });
    assert.equal(unknown.status, 404, method);
    if (method !== 'HEAD') assert.equal(codeOf(unknown), 'NoSuchVersion');
    const malformed = await calls.ask(method, 'versioned', { query: { versionId: 'a/b c' } });
    assert.equal(malformed.status, 400, method);
    if (method !== 'HEAD') assert.equal(codeOf(malformed), 'InvalidArgument');
  }
  assert.equal((await calls.ask('GET', 'versioned', { query: { versionId: 'null' } })).text, 'a');
  const gone = await calls.ask('DELETE', 'versioned', { query: { versionId: 'null' } });
  assert.equal(gone.status, 204);
  assert.equal(await calls.isThere('versioned'), false);
});

test('an ACL other than a private one is refused, and nothing is stored', async () => {
  for (const acl of ['private', 'bucket-owner-full-control', 'bucket-owner-read']) {
    await calls.put('acl', acl, { 'x-amz-acl': acl });
  }
  for (const acl of ['public-read', 'public-read-write', 'authenticated-read']) {
    const answer = await calls.ask('PUT', 'open', { headers: { 'x-amz-acl': acl } });
    assertS3Error(answer, 400, 'AccessControlListNotSupported');
  }
  assert.equal(await calls.isThere('open'), false);
});
