/** Proves the calls about buckets, row by row of the contract. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, type Json } from './http-client.ts';
import { type Holder, openAccount, startServer } from './service.ts';

const server = await startServer({ FREE_BUCKETS: '3' });
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function create(holder: Holder, name: string, settings: Json = {}) {
  return holder.call('POST /api/s3/buckets', { bucket_name: name, ...settings });
}

async function namesOf(holder: Holder, query = ''): Promise<readonly unknown[]> {
  const answer = await holder.call(`GET /api/s3/buckets${query}`);
  assert.equal(answer.status, 200, answer.text);
  return (answer.json['buckets'] as readonly Json[]).map((bucket) => bucket['bucket_name']);
}

test('the default bucket is shown and changed; its name stays', async () => {
  const ann = await openAccount(server, 'default');
  const before = { bucket_name: ann.slug, public_read: false, cors_allowed_origins: [] };
  assert.deepEqual((await ann.call('GET /api/s3/bucket')).json, before);
  const origins = ['https://app.example.org', 'http://localhost:3000'];
  const changed = await ann.call('PATCH /api/s3/bucket', {
    bucket_name: 'another',
    public_read: true,
    cors_allowed_origins: origins,
  });
  const after = { bucket_name: ann.slug, public_read: true, cors_allowed_origins: origins };
  assert.deepEqual([changed.status, changed.json], [200, after]);
  assert.deepEqual((await ann.call('GET /api/s3/bucket')).json, after);
  const cleared = await ann.call('PATCH /api/s3/bucket', { cors_allowed_origins: [] });
  assert.deepEqual(cleared.json, { ...after, cors_allowed_origins: [] });
  assert.deepEqual((await ann.call('PATCH /api/s3/bucket')).json, cleared.json);
  const off = await ann.call('PATCH /api/s3/bucket', { public_read: false });
  assert.deepEqual(off.json, before);
});

test('a setting of the wrong kind is refused by field', async () => {
  const ann = await openAccount(server, 'wrong-kind');
  for (const [field, body] of [
    ['public_read', { public_read: 'true' }],
    ['cors_allowed_origins', { cors_allowed_origins: '*' }],
    ['cors_allowed_origins', { cors_allowed_origins: ['example.org'] }],
    ['cors_allowed_origins.0', { cors_allowed_origins: [1] }],
  ] as const) {
    const answer = await ann.call('PATCH /api/s3/bucket', body);
    assertRefused(answer, 400, 'invalid_field', { field });
  }
});

test('a further bucket is made, listed, changed and removed', async () => {
  const ann = await openAccount(server, 'further');
  const made = await create(ann, 'further-1', { public_read: true, cors_allowed_origins: ['*'] });
  const { created_at: created, ...rest } = made.json;
  assert.equal(made.status, 201, made.text);
  assert.match(String(created), RFC3339);
  assert.deepEqual(rest, {
    bucket_name: 'further-1',
    public_read: true,
    cors_allowed_origins: ['*'],
    is_default: false,
  });
  assert.deepEqual(await namesOf(ann), ['further-1', ann.slug].toSorted());
  const changed = await ann.call('PATCH /api/s3/buckets/further-1', { public_read: false });
  assert.deepEqual(changed.json, { ...made.json, public_read: false });
  const viaName = await ann.call(`PATCH /api/s3/buckets/${ann.slug}`, { public_read: true });
  assert.deepEqual([viaName.json['is_default'], viaName.json['public_read']], [true, true]);
  const removed = await ann.call('DELETE /api/s3/buckets/further-1');
  assert.deepEqual([removed.status, removed.json], [200, { deleted: true }]);
  assert.deepEqual(await namesOf(ann), [ann.slug]);
  assertRefused(await ann.call('DELETE /api/s3/buckets/further-1'), 404, 'not_found');
  assertRefused(await ann.call('PATCH /api/s3/buckets/further-1', {}), 404, 'not_found');
  assertRefused(await ann.call('DELETE /api/s3/buckets/NO%2F'), 404, 'not_found');
});

test('the default bucket cannot be removed', async () => {
  const ann = await openAccount(server, 'stays');
  assertRefused(await ann.call(`DELETE /api/s3/buckets/${ann.slug}`), 409, 'default_bucket');
});

test('a name is refused when it is malformed, reserved, one’s own or another’s', async () => {
  const ann = await openAccount(server, 'names');
  const bob = await openAccount(server, 'names-bob');
  for (const name of ['A', 'a..b', 'xn--a', 'abc--x-s3', '']) {
    assertRefused(await create(ann, name), 400, 'invalid_field');
  }
  assertRefused(await ann.call('POST /api/s3/buckets'), 400, 'invalid_field', {
    field: 'bucket_name',
  });
  assert.equal((await create(ann, 'names-1')).status, 201);
  assertRefused(await create(ann, 'names-1'), 409, 'bucket_owned');
  assertRefused(await create(bob, 'names-1'), 409, 'bucket_exists');
  assertRefused(await create(bob, ann.slug), 409, 'bucket_exists');
});

test('a bucket beyond the entitlement is 402, until the operator allows more', async () => {
  const ann = await openAccount(server, 'entitled');
  await create(ann, 'entitled-1');
  await create(ann, 'entitled-2');
  assertRefused(await create(ann, 'entitled-3'), 402, 'too_many_buckets', { allowed: 3 });
  await server.admin.changeLimits('entitled', { buckets: 4 });
  assert.equal((await create(ann, 'entitled-3')).status, 201);
  assertRefused(await create(ann, 'entitled-4'), 402, 'too_many_buckets', { allowed: 4 });
  assert.equal((await ann.call('DELETE /api/s3/buckets/entitled-1')).status, 200);
  assert.equal((await create(ann, 'entitled-4')).status, 201);
});

test('another account’s bucket is not there', async () => {
  const ann = await openAccount(server, 'owner');
  const bob = await openAccount(server, 'owner-bob');
  await create(ann, 'owners');
  for (const name of ['owners', ann.slug]) {
    const change = await bob.call(`PATCH /api/s3/buckets/${name}`, { public_read: true });
    assertRefused(change, 404, 'not_found');
    assertRefused(await bob.call(`DELETE /api/s3/buckets/${name}`), 404, 'not_found');
  }
  assert.deepEqual(await namesOf(bob), [bob.slug]);
  assert.deepEqual(await namesOf(ann), ['owners', ann.slug].toSorted());
});

test('buckets are listed in pages', async () => {
  const ann = await openAccount(server, 'pages');
  await create(ann, 'a-pages');
  await create(ann, 'b-pages');
  const all = ['a-pages', 'b-pages', ann.slug].toSorted();
  const first = (await ann.call('GET /api/s3/buckets?limit=2')).json;
  const cursor = String(first['next_cursor']);
  assert.deepEqual([await namesOf(ann, '?limit=2'), cursor], [all.slice(0, 2), all[1]]);
  const second = (await ann.call(`GET /api/s3/buckets?limit=2&cursor=${cursor}`)).json;
  assert.equal(second['next_cursor'], null);
  assert.deepEqual(await namesOf(ann, `?limit=2&cursor=${cursor}`), all.slice(2));
  assert.deepEqual(await namesOf(ann, '?prefix=b-'), ['b-pages']);
  for (const query of ['limit=0', 'limit=1001', 'cursor=%00', 'limit=x']) {
    assertRefused(await ann.call(`GET /api/s3/buckets?${query}`), 400, 'invalid_field');
  }
});

test('a bucket goes with the keys that are limited to it, and all of it is in the trail', async () => {
  const ann = await openAccount(server, 'trail');
  await create(ann, 'trail-1');
  const key = await ann.call('POST /api/s3/keys', { bucket: 'trail-1' });
  await ann.call('PATCH /api/s3/buckets/trail-1', { public_read: true });
  await ann.call('DELETE /api/s3/buckets/trail-1');
  const [listed] = (await ann.call('GET /api/s3/keys')).json['keys'] as readonly Json[];
  assert.deepEqual(
    [listed?.['access_key_id'], listed?.['bucket']],
    [key.json['access_key_id'], null],
  );
  assert.match(String(listed?.['revoked_at']), RFC3339);
  const { entries } = await server.admin.listAudit({ account: 'trail', limit: 10 });
  assert.deepEqual(
    entries
      .map(({ action, subject }) => [action, subject])
      .filter(([action]) => action?.startsWith('bucket')),
    [
      ['bucket.deleted', 'trail-1'],
      ['bucket.changed', 'trail-1 public_read=true'],
      ['bucket.created', 'trail-1'],
    ],
  );
});
