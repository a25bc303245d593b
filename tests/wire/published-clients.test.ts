/** Proves that the published clients of the Files API find it as they know it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ServiceError } from '../../src/core/errors.ts';
import { assertRefused, exchange, type Json } from './http-client.ts';
import { openAccount, startApi, startServer, tokenHeaders } from './service.ts';

const server = await startServer();
const ann = await openAccount(server, 'ann');

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('each call answers under its older address as under its own', async () => {
  const stored = await ann.call('POST /v1/upload?file_name=old&epochs=5', 'hello', {
    'x-upload-id': 'anything',
    'content-type': 'text/x-old',
  });
  assert.equal(stored.status, 202, stored.text);
  const id = String(stored.json['operation_id']);
  assert.match(id, UUID_V4);
  assert.equal(stored.headers['x-operation-id'], id);
  for (const path of ['/checkUploadStatus', '/pop/v1/checkUploadStatus']) {
    const status = await ann.call(`GET ${path}?operation_id=${id}`);
    assert.deepEqual([status.json['operation_id'], status.json['status']], [id, 'completed']);
  }
  for (const path of ['/download', '/priorityDownload']) {
    assert.equal((await ann.call(`GET ${path}?file_name=old`)).text, 'aGVsbG8=');
  }
  const link = await ann.call('POST /createPublicLink', { file_name: 'old' });
  const hash = String(link.json['link_hash']);
  assert.equal((await server.call(`GET /public/${hash}`)).text, 'hello');
  const ended = await ann.call('DELETE /deletePublicLink', { link_hash: hash });
  assert.deepEqual([ended.status, ended.json['link_hash']], [200, hash]);
  assertRefused(await server.call(`GET /public/${hash}`), 404, 'not_found');
  assert.equal((await ann.call('POST /pop/v1/deleteFile', { file_name: 'old' })).status, 200);
  assertRefused(await ann.call('GET /download-stream?file_name=old'), 404, 'not_found');
});

test('the app key is taken where older clients put it, and nothing else is', async () => {
  const asking = (headers: Readonly<Record<string, string>>) =>
    server.call('GET /user/me', undefined, headers);
  const older = { 'x-user-app-key': ann.appKey, 'x-user-id': 'of somebody else' };
  assert.equal((await asking(older)).json['user_id'], ann.userId);
  // The first that is valid counts, whatever else was sent.
  assert.equal((await asking({ ...older, authorization: 'Bearer x' })).status, 200);
  const token = await tokenHeaders(server, ann, ['files:read']);
  for (const text of [token['x-api-key'], 'x', '', ann.appKey.slice(0, -1)]) {
    assertRefused(await asking({ 'x-user-app-key': text }), 401, 'INVALID_API_KEY');
  }
  assertRefused(await asking({ 'x-user-id': ann.userId }), 401, 'UNAUTHORIZED');
});

test('null is absent: an optional field is not set, a required one is missing', async () => {
  await ann.upload('nulls', 'x');
  await ann.upload('taken', 'x');
  const rename = { file_name: 'nulls', new_file_name: 'taken', overwrite: null };
  assertRefused(await ann.call('POST /renameFile', rename), 409, 'file_exists');
  const nameless = await ann.call('POST /deleteFile', { file_name: null });
  assertRefused(nameless, 400, 'invalid_field', { field: 'file_name' });
  assert.match(String(nameless.json['message']), /is required/);
  for (const [route, body] of [
    ['PATCH /user/me', { deterministic_urls: null, unknown: null }],
    ['PATCH /api/s3/bucket', { public_read: null, cors_allowed_origins: null }],
    ['POST /api/s3/keys', { name: null, read_only: null, bucket: null, prefix: null }],
    [
      'POST /api/s3/presign',
      { method: 'GET', key: null, query: null, expires_secs: null, virtual_hosted: null },
    ],
    ['PATCH /user/me', null],
  ] as const) {
    const text = JSON.stringify(body);
    const answer = await ann.call(route, text, { 'content-type': 'application/json' });
    assert(answer.status < 300, `${route} ${answer.text}`);
  }
});

test('no body and an empty one are {}', async () => {
  for (const body of [undefined, '']) {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const answer = await ann.call('PATCH /user/me', body, { 'content-type': type });
      assert.equal(answer.status, 200, answer.text);
      const missing = await ann.call('POST /deleteFile', body, { 'content-type': type });
      assertRefused(missing, 400, 'invalid_field', { field: 'file_name' });
    }
  }
});

test('all files come in one array, whatever their number, and only the own ones', async () => {
  const holder = await openAccount(server, 'many');
  assert.deepEqual(JSON.parse((await holder.call('GET /listFiles')).text), []);
  const names = Array.from(
    { length: 1001 },
    (_, index) => `"\\f/${String(index).padStart(4, '0')}`,
  );
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map((name) => holder.upload(name, name)));
  }
  const answer = await holder.call('GET /listFiles');
  assert.match(String(answer.headers['content-type']), /^application\/json/);
  const rows: readonly Json[] = JSON.parse(answer.text);
  assert.deepEqual(
    rows.map((row) => row['file_name']),
    names,
  );
  const [first] = rows;
  assert.deepEqual(Object.keys(first ?? {}), ['file_name', 'size', 'uploaded_at', 'content_hash']);
  assert.equal(first?.['size'], 8);
  assert.match(String(first?.['content_hash']), /^[0-9a-f]{64}$/);
  assert.match(String(first?.['uploaded_at']), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const head = await holder.call('HEAD /listFiles');
  assert.deepEqual([head.status, head.text], [200, '']);
});

test('a list that fails on its way is cut, and never looks whole', async () => {
  let pages = 0;
  const api = await startApi({
    change: ({ metadata }) => {
      const listObjects = metadata.listObjects.bind(metadata);
      const failing: typeof listObjects = async (query) => {
        pages += 1;
        if (pages === 2) throw new ServiceError('unavailable', 'on purpose');
        return { ...(await listObjects(query)), isTruncated: true };
      };
      return { metadata: Object.assign(metadata, { listObjects: failing }) };
    },
  });
  const holder = await openAccount(api, 'cut');
  await holder.upload('a', 'x');
  const authorization = `authorization: ${holder.headers.authorization}`;
  const head = `GET /listFiles HTTP/1.1\r\nhost: x\r\n${authorization}\r\nconnection: close\r\n\r\n`;
  const text = await exchange(api.url, head);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.match(text, /"file_name":"a"/);
  assert(!text.endsWith('0\r\n\r\n'), 'the last chunk says that all is there');
  assert.equal(pages, 2);
  assert(api.lines.some((line) => line.includes('a listing was cut')));
  // What fails before anything went out is answered.
  pages = 1;
  assertRefused(await holder.call('GET /listFiles'), 503, 'unavailable');
});

test('the coding of an upload is kept, but for what only says how it was sent', async () => {
  const packed = gzipSync('hello');
  for (const [sent, kept] of [
    ['gzip', 'gzip'],
    ['aws-chunked, gzip', 'gzip'],
    ['identity', undefined],
    ['aws-chunked', undefined],
    ['', undefined],
  ] as const) {
    await ann.call('POST /upload?file_name=packed', packed, { 'content-encoding': sent });
    const read = await ann.call('GET /download-stream?file_name=packed');
    assert.equal(read.headers['content-encoding'], kept, sent);
    assert.equal(gunzipSync(read.bytes).toString(), 'hello');
  }
});

test('a rename over a file takes the right to delete it', async () => {
  await ann.upload('from', 'new');
  await ann.upload('to', 'old');
  const body = { file_name: 'from', new_file_name: 'to', overwrite: true };
  const writer = await tokenHeaders(server, ann, ['files:read', 'files:write']);
  const refused = await server.call('POST /renameFile', body, writer);
  assertRefused(refused, 403, 'missing_scope', { required: 'files:delete' });
  assert.equal((await ann.call('GET /download-stream?file_name=to')).text, 'old');
  const both = await tokenHeaders(server, ann, ['files:write', 'files:delete']);
  assert.equal((await server.call('POST /renameFile', body, both)).status, 200);
  assert.equal((await ann.call('GET /download-stream?file_name=to')).text, 'new');
});

test('answers to a credential are kept by nobody else', async () => {
  await ann.upload('own', 'x');
  for (const path of [
    '/files',
    '/listFiles',
    '/download-stream?file_name=own',
    '/getTierPricing',
  ]) {
    const caching = (await ann.call(`GET ${path}`)).headers['cache-control'];
    assert.equal(caching, path === '/getTierPricing' ? undefined : 'private, no-cache', path);
  }
});
