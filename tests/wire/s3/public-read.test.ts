/** Proves that a bucket which everybody may read gives everybody its objects, and no more. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { objectCalls } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();

test('what is public to read keeps its tags, ACL and attributes from the public', async () => {
  const owner = await s3.openHolder('public-owner');
  const { bucket } = owner;
  const own = objectCalls(owner);
  const { raw } = await s3.openHolder('public-stranger');
  const stranger = objectCalls({ raw, bucket });
  await own.put('there', 'public', { 'x-amz-tagging': 'secret=plan' });
  await s3.callRest(owner, 'PATCH /api/s3/bucket', { public_read: true });
  for (const [name, headers] of [
    ['tagging', {}],
    ['acl', {}],
    ['attributes', { 'x-amz-object-attributes': 'ETag' }],
  ] as const) {
    const query = { [name]: '' };
    const anonymous = await s3.call({ route: `GET /${bucket}/there?${name}`, headers });
    assertS3Error(anonymous, 403, 'AccessDenied');
    assertS3Error(await stranger.ask('GET', 'there', { query, headers }), 403, 'AccessDenied');
    assert.equal((await own.ask('GET', 'there', { query, headers })).status, 200);
  }
  assert.equal((await stranger.get('there')).text, 'public');
  const anyone = await s3.call({ route: `GET /${bucket}/there` });
  for (const { headers: told } of [
    await stranger.get('there'),
    await stranger.head('there'),
    anyone,
  ]) {
    assert.equal(told['x-amz-tagging-count'], undefined, 'only who may read the tags is told');
  }
  assert.equal((await own.head('there')).headers['x-amz-tagging-count'], '1');
  assert.equal((await s3.call({ route: `GET /${bucket}/there` })).text, 'public');
});

test("a copy of what is public leaves its tags behind, a copy of one's own takes them", async () => {
  const owner = await s3.openHolder('public-copied');
  const own = objectCalls(owner);
  const other = objectCalls(await s3.openHolder('public-copier'));
  await own.put('there', 'public', { 'x-amz-tagging': 'secret=plan', 'x-amz-meta-a': 'b' });
  await s3.callRest(owner, 'PATCH /api/s3/bucket', { public_read: true });
  const headers = { 'x-amz-copy-source': `${owner.bucket}/there` };
  for (const [calls, tagCount] of [
    [other, undefined],
    [own, '1'],
  ] as const) {
    await calls.put('copy', '', headers);
    const copied = await calls.get('copy');
    assert.equal(copied.text, 'public');
    assert.equal(copied.headers['x-amz-meta-a'], 'b');
    assert.equal(copied.headers['x-amz-tagging-count'], tagCount);
  }
});
