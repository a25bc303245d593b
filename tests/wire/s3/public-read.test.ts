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
  const headers = { 'x-amz-object-attributes': 'ETag' };
  for (const name of ['tagging', 'acl', 'attributes']) {
    const query = { [name]: '' };
    const anonymous = await s3.call({ route: `GET /${bucket}/there?${name}`, headers });
    assertS3Error(anonymous, 403, 'AccessDenied');
    assertS3Error(await stranger.ask('GET', 'there', { query, headers }), 403, 'AccessDenied');
    assert.equal((await own.ask('GET', 'there', { query, headers })).status, 200);
  }
  assert.equal((await stranger.get('there')).text, 'public');
  assert.equal((await s3.call({ route: `GET /${bucket}/there` })).text, 'public');
});
