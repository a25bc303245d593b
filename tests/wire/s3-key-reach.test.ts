/** Proves over S3 how far keys reach: what they were limited to, until they are revoked. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { startServer } from '../world/server.ts';
import { assertRefused, call as callUrl, type Json } from './http-client.ts';
import { type Holder, openAccount } from './service.ts';

const server = await startServer({ settings: { FREE_BUCKETS: '3' } });
after(() => server[Symbol.asyncDispose]());
const service = {
  call: (route: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    callUrl(server.url, { route, headers, ...(body === undefined ? {} : { body }) }),
};

type Wanted = {
  readonly key?: string;
  readonly bucket?: string;
  readonly query?: Json;
  readonly body?: string;
};

/** Sends a request that was presigned with one of the account's keys. */
async function send(holder: Holder, id: unknown, method: string, wanted: Wanted = {}) {
  const { body, ...rest } = wanted;
  const signed = await holder.call('POST /api/s3/presign', { method, access_key_id: id, ...rest });
  assert.equal(signed.status, 200, signed.text);
  const url = new URL(String(signed.json['url']));
  assert.equal(url.origin, new URL(server.s3Url).origin);
  const route = `${method} ${url.pathname}${url.search}`;
  return await callUrl(server.s3Url, { route, ...(body === undefined ? {} : { body }) });
}

async function makeKey(holder: Holder, limits: Json = {}): Promise<string> {
  const made = await holder.call('POST /api/s3/keys', limits);
  assert.equal(made.status, 201, made.text);
  return String(made.json['access_key_id']);
}

/** Status and S3's code of an answer. */
async function outcome(answer: ReturnType<typeof send>): Promise<string> {
  const { status, text } = await answer;
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1];
  return code === undefined ? `${status}` : `${status} ${code}`;
}

const DENIED = '403 AccessDenied';

test('what a presigned URL puts is a file, and the reverse', async () => {
  const ann = await openAccount(service, 'round-trip');
  const id = await makeKey(ann);
  const put = await send(ann, id, 'PUT', { key: 'a b/ü+.txt', body: 'over S3' });
  assert.equal(put.status, 200, put.text);
  const name = encodeURIComponent('a b/ü+.txt');
  assert.equal((await ann.call(`GET /download-stream?file_name=${name}`)).text, 'over S3');
  await ann.upload('by-rest', 'over REST');
  assert.equal((await send(ann, id, 'GET', { key: 'by-rest' })).text, 'over REST');
  const [listed] = (await ann.call('GET /api/s3/keys')).json['keys'] as readonly Json[];
  assert.match(String(listed?.['last_used_at']), /^\d{4}-.*Z$/);
});

test('a revoked key is refused from the next request on, as an unknown one is', async () => {
  const ann = await openAccount(service, 'revoked');
  const id = await makeKey(ann);
  await ann.upload('k', 'x');
  const signed = await ann.call('POST /api/s3/presign', { method: 'GET', key: 'k' });
  const { pathname, search } = new URL(String(signed.json['url']));
  const get = () => callUrl(server.s3Url, { route: `GET ${pathname}${search}` });
  assert.equal((await get()).status, 200);
  await ann.call(`DELETE /api/s3/keys/${id}`);
  assert.equal(await outcome(get()), '403 InvalidAccessKeyId');
});

test('a key of a prefix is denied outside it, and lists only inside', async () => {
  const ann = await openAccount(service, 'prefixed');
  await ann.call('POST /api/s3/buckets', { bucket_name: 'prefixed-other' });
  await ann.upload('in/k', 'x');
  await ann.upload('out', 'x');
  const id = await makeKey(ann, { prefix: 'in/' });
  const ask = (method: string, wanted: Wanted) => outcome(send(ann, id, method, wanted));
  assert.equal(await ask('GET', { key: 'in/k' }), '200');
  assert.equal(await ask('PUT', { key: 'in/new', body: 'x' }), '200');
  assert.equal(await ask('DELETE', { key: 'in/new' }), '204');
  assert.equal(await ask('GET', { key: 'in/absent' }), '404 NoSuchKey');
  for (const method of ['GET', 'PUT', 'DELETE']) {
    assert.equal(await ask(method, { key: 'out' }), DENIED, method);
    assert.equal(await ask(method, { key: 'absent' }), DENIED, method);
    assert.equal(await ask(method, { key: 'in/k', bucket: 'prefixed-other' }), DENIED, method);
  }
  const list = (prefix: string) => ask('GET', { query: { 'list-type': '2', prefix } });
  assert.equal(await list('in/'), '200');
  assert.equal(await list('in/k'), '200');
  for (const prefix of ['', 'in', 'out']) assert.equal(await list(prefix), DENIED, prefix);
  assert.equal(await ask('HEAD', {}), '200');
  assert.equal(await ask('HEAD', { bucket: 'prefixed-other' }), '403');
  assert.equal(await ask('GET', { query: { location: '' } }), '200');
  assert.equal(await ask('DELETE', {}), DENIED);
  assert.equal(await ask('PUT', { bucket: 'prefixed-new' }), DENIED);
});

test('a read-only key reads and lists, and changes nothing', async () => {
  const ann = await openAccount(service, 'read-only');
  await ann.upload('k', 'x');
  const id = await makeKey(ann, { read_only: true });
  const ask = (method: string, wanted: Wanted) => outcome(send(ann, id, method, wanted));
  assert.equal(await ask('GET', { key: 'k' }), '200');
  assert.equal(await ask('GET', { query: { 'list-type': '2' } }), '200');
  assert.equal(await ask('PUT', { key: 'k', body: 'y' }), DENIED);
  assert.equal(await ask('DELETE', { key: 'k' }), DENIED);
  assert.equal(await ask('PUT', { bucket: 'read-only-new' }), DENIED);
  assert.equal((await ann.call('GET /download-stream?file_name=k')).text, 'x');
});

test('another account’s bucket is denied, unless anyone may read it', async () => {
  const ann = await openAccount(service, 'hers');
  const bob = await openAccount(service, 'his');
  await ann.upload('k', 'x');
  const id = await makeKey(bob);
  const bucket = ann.slug;
  const ask = (method: string, wanted: Wanted) => outcome(send(bob, id, method, wanted));
  const anyone = (route: string) => outcome(callUrl(server.s3Url, { route }));
  assert.equal(await ask('GET', { bucket, key: 'k' }), DENIED);
  assert.equal(await anyone(`GET /${bucket}/k`), DENIED);
  await ann.call('PATCH /api/s3/bucket', { public_read: true });
  assert.equal(await ask('GET', { bucket, key: 'k' }), '200');
  assert.equal(await anyone(`GET /${bucket}/k`), '200');
  assert.equal(await anyone(`GET /${bucket}/absent`), DENIED);
  assert.equal(await anyone(`GET /${bucket}?list-type=2`), DENIED);
  assert.equal(await anyone(`PUT /${bucket}/k`), DENIED);
  assert.equal(await ask('PUT', { bucket, key: 'k', body: 'y' }), DENIED);
  assert.equal(await ask('GET', { bucket, query: { 'list-type': '2' } }), DENIED);
  await ann.call('PATCH /api/s3/bucket', { public_read: false });
  assert.equal(await anyone(`GET /${bucket}/k`), DENIED);
});

test('a bucket that holds an object cannot be removed, over REST either', async () => {
  const ann = await openAccount(service, 'not-empty');
  const id = await makeKey(ann);
  const bucket = 'not-empty-1';
  const ask = (method: string, wanted: Wanted) => outcome(send(ann, id, method, wanted));
  assert.equal(await ask('PUT', { bucket }), '200');
  assert.equal(await ask('PUT', { bucket }), '409 BucketAlreadyOwnedByYou');
  assert.equal(await ask('PUT', { bucket, key: 'k', body: 'x' }), '200');
  assertRefused(await ann.call(`DELETE /api/s3/buckets/${bucket}`), 409, 'bucket_not_empty');
  assert.equal(await ask('DELETE', { bucket }), '409 BucketNotEmpty');
  assert.equal(await ask('DELETE', { bucket, key: 'k' }), '204');
  assert.equal(await ask('DELETE', { bucket }), '204');
  assert.equal(await ask('DELETE', {}), DENIED, 'the default bucket stays');
  assert.equal(await ask('PUT', { bucket: 'not-empty-2' }), '200');
  assert.equal(await ask('PUT', { bucket: 'not-empty-3' }), '200');
  assert.equal(await ask('PUT', { bucket: 'not-empty-4' }), '400 TooManyBuckets');
});

test('the keys and the public objects of a disabled account are refused', async () => {
  const ann = await openAccount(service, 'disabled');
  await ann.upload('k', 'x');
  await ann.call('PATCH /api/s3/bucket', { public_read: true });
  await makeKey(ann);
  const signed = await ann.call('POST /api/s3/presign', { method: 'GET', key: 'k' });
  const { pathname, search } = new URL(String(signed.json['url']));
  const get = (target: string) => outcome(callUrl(server.s3Url, { route: `GET ${target}` }));
  for (const target of [pathname, pathname + search]) assert.equal(await get(target), '200');
  await adminClient(server.adminSocket).disableAccount('disabled');
  for (const target of [pathname, pathname + search]) {
    assert.equal(await get(target), '403 AccountProblem');
  }
});

test('a token with s3:keys makes keys that read, and they are dead with the token', async () => {
  const ann = await openAccount(service, 'by-token');
  await ann.upload('k', 'x');
  const admin = adminClient(server.adminSocket);
  const make = async (name: string, scopes: Parameters<typeof admin.createToken>[1]['scopes']) => {
    const { token } = await admin.createToken('by-token', { name, ...(scopes && { scopes }) });
    const made = await service.call('POST /api/s3/keys', {}, { 'x-api-key': token });
    assert.equal(made.status, 201, made.text);
    return made.json;
  };
  const reader = await make('reader', ['s3:keys', 'files:write']);
  const writer = await make('writer', ['s3:keys', 'files:write', 'files:delete']);
  assert.deepEqual([reader['capabilities'], writer['capabilities']], ['read', 'read,write']);
  const ask = (key: Json, method: string) =>
    outcome(
      send(ann, key['access_key_id'], method, { key: 'k', ...(method === 'PUT' && { body: 'y' }) }),
    );
  assert.deepEqual([await ask(reader, 'GET'), await ask(reader, 'PUT')], ['200', DENIED]);
  assert.deepEqual([await ask(writer, 'GET'), await ask(writer, 'PUT')], ['200', '200']);
  const signed = await ann.call('POST /api/s3/presign', {
    method: 'GET',
    key: 'k',
    access_key_id: reader['access_key_id'],
  });
  const { pathname, search } = new URL(String(signed.json['url']));
  const read = () => outcome(callUrl(server.s3Url, { route: `GET ${pathname}${search}` }));
  assert.equal(await read(), '200');
  await admin.revokeToken('by-token', 'reader');
  assert.equal(await read(), '403 InvalidAccessKeyId');
  assert.equal(await ask(writer, 'GET'), '200');
  const keys = (await ann.call('GET /api/s3/keys')).json['keys'] as readonly Json[];
  assert.deepEqual(
    keys.map((key) => key['revoked_at'] === null),
    [false, true],
  );
});
