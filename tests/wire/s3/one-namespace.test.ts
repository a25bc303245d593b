/** Proves that S3 and the Files API are two doors to one room, down to headers, URLs and links. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { adminClient } from '../../../src/dialects/admin/admin-client.ts';
import { digestBytes } from '../../../src/kit/digests.ts';
import { rawS3 } from '../../clients/s3/raw-s3.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { startServer } from '../../world/server.ts';
import { type Answer, assertRefused, call, type Json } from '../http-client.ts';
import { eventually } from '../service.ts';
import { MIB, md5Of, objectCalls, textOf } from './object-calls.ts';
import { REGION } from './start-s3.ts';

const server = await startServer();
after(() => server[Symbol.asyncDispose]());
const admin = adminClient(server.adminSocket);

/** An account with a key, and its calls through both doors. */
async function open(username: string) {
  const { account, user_app_key: appKey } = await admin.createAccount({ username });
  const key = await admin.createS3Key(account, {});
  const raw = rawS3({
    endpoint: server.s3Url,
    accessKeyId: key.access_key_id,
    secretAccessKey: key.secret,
    region: REGION,
    ca: undefined,
  });
  after(() => raw[Symbol.dispose]());
  const headers = { authorization: `ApiKey ${appKey}` };
  const rest = (route: string, body?: unknown, more = {}): Promise<Answer> =>
    call(server.url, {
      route,
      headers: { ...headers, ...more },
      ...(body === undefined ? {} : { body }),
    });
  return {
    account,
    s3: objectCalls({ raw, bucket: key.default_bucket }),
    rest,
    download: (name: string, more = {}) =>
      rest(`GET /download-stream?file_name=${encodeURIComponent(name)}`, undefined, more),
    fileOf: async (name: string): Promise<Json> => {
      const { json } = await rest(`GET /files?prefix=${encodeURIComponent(name)}`);
      const files = json['files'] as readonly Json[];
      return files.find((file) => file['file_name'] === name) ?? assert.fail(name);
    },
    upload: async (name: string, bytes: string, query = '') => {
      const route = `POST /upload?file_name=${encodeURIComponent(name)}${query}`;
      const answer = await rest(route, bytes, { 'content-type': 'text/plain' });
      assert.equal(answer.status, 202, answer.text);
    },
  };
}

const hashOf = (bytes: Uint8Array | string) => digestBytes(Buffer.from(bytes)).blake3;
const publicly = (path: string) => call(server.url, { route: `GET ${path}` });

test('a file of the Files API is an object of S3', async () => {
  const ann = await open('ann');
  await ann.upload('notes/hello é.txt', 'hello');
  const { status, text, headers } = await ann.s3.get('notes/hello é.txt');
  assert.deepEqual([status, text], [200, 'hello']);
  assert.equal(headers['content-type'], 'text/plain');
  assert.equal(headers.etag, `"${md5Of('hello')}"`);
  const listed = await ann.s3.list({ prefix: 'notes/' });
  assert.equal(textOf(listed.text, 'Key'), 'notes/hello é.txt');
  assert.equal(textOf(listed.text, 'ETag'), `"${md5Of('hello')}"`);
});

test('an object of S3 is a file, with its headers and its hash', async () => {
  const ann = await open('headers-ann');
  const described = {
    'content-type': 'text/css',
    'cache-control': 'max-age=7',
    'content-language': 'de',
    'content-encoding': 'br',
  };
  await ann.s3.put('style.css', 'a { }', described);
  const { status, text, headers } = await ann.download('style.css');
  assert.deepEqual([status, text], [200, 'a { }']);
  // What a credential was asked for is for no shared cache.
  const told = { ...described, 'cache-control': 'private, max-age=7' };
  for (const [name, value] of Object.entries(told)) assert.equal(headers[name], value, name);
  assert.equal(headers.etag, `"${md5Of('a { }')}"`);
  const file = await ann.fileOf('style.css');
  assert.equal(file['content_hash'], hashOf('a { }'));
  assert.equal(file['size'], 5);
});

test('names that only S3 makes are read, listed and deleted by the Files API', async () => {
  const ann = await open('names-ann');
  const names = ['a//b', '/lead', 'trail/', '../up', 'x/./y', ' ', '%2F'];
  for (const name of names) await ann.s3.put(name, name);
  const { json } = await ann.rest('GET /files?limit=100');
  const files = json['files'] as readonly Json[];
  assert.deepEqual(new Set(files.map((file) => file['file_name'])), new Set(names));
  for (const name of names) {
    assert.equal((await ann.download(name)).text, name, name);
    const gone = await ann.rest('POST /deleteFile', { file_name: name });
    assert.equal(gone.status, 200, gone.text);
    assert.equal(await ann.s3.isThere(name), false, name);
  }
});

test('each door overwrites and deletes what came through the other', async () => {
  const ann = await open('doors-ann');
  await ann.upload('shared', 'by files');
  await ann.s3.put('shared', 'by s3');
  assert.equal((await ann.download('shared')).text, 'by s3');
  await ann.upload('shared', 'by files again');
  assert.equal((await ann.s3.get('shared')).text, 'by files again');
  await ann.rest('POST /renameFile', { file_name: 'shared', new_file_name: 'moved' });
  assert.equal((await ann.s3.get('moved')).text, 'by files again');
  assert.equal(await ann.s3.isThere('shared'), false);
  await ann.s3.done('DELETE', 'moved');
  assertRefused(await ann.download('moved'), 404, 'not_found');
});

test('conditions of one door see what the other put', async () => {
  const ann = await open('conditions-ann');
  await ann.upload('once', 'first');
  const over = await ann.s3.ask('PUT', 'once', { headers: { 'if-none-match': '*' }, body: 'x' });
  assert.equal(over.status, 412);
  const headers = { 'if-match': `"${md5Of('first')}"` };
  assert.equal((await ann.s3.ask('PUT', 'once', { headers, body: 'second' })).status, 200);
  assert.equal((await ann.download('once')).text, 'second');
});

test('both doors count toward one quota, open parts included', async () => {
  const ann = await open('quota-ann');
  await admin.changeLimits(ann.account, { storage_bytes: 3000 + 4 * 1024 });
  await ann.upload('file', 'x'.repeat(1000));
  const uploadId = await ann.s3.begin('parts');
  await ann.s3.send('parts', uploadId, { number: 1, body: 'x'.repeat(1500) });
  const over = await ann.s3.ask('PUT', 'object', { body: 'x'.repeat(600) });
  assert.equal(over.status, 403);
  assert.equal(textOf(over.text, 'Code'), 'QuotaExceeded');
  assert.equal(await ann.s3.isThere('object'), false);
  const rest = await ann.rest('POST /upload?file_name=late', 'x'.repeat(600));
  assert.equal(rest.status, 402, rest.text);
  const part = await ann.s3.ask('PUT', 'parts', {
    query: { partNumber: '2', uploadId },
    body: 'x'.repeat(600),
  });
  assert.equal(textOf(part.text, 'Code'), 'QuotaExceeded');
  await ann.s3.abort('parts', uploadId);
  assert.equal((await ann.s3.ask('PUT', 'object', { body: 'x'.repeat(600) })).status, 200);
});

test('by default only what the Files API wrote has a deterministic URL', async () => {
  const ann = await open('urls-ann');
  const self = await ann.rest('GET /user/me');
  const urlOf = (bytes: string) => `/${self.json['account']}/${hashOf(bytes)}`;
  await ann.upload('by-files', 'files bytes');
  await ann.s3.put('by-s3', 's3 bytes');
  assert.equal((await publicly(urlOf('files bytes'))).text, 'files bytes');
  assertRefused(await publicly(urlOf('s3 bytes')), 404, 'not_found');
  await ann.s3.put('by-files', 'files bytes');
  assertRefused(await publicly(urlOf('files bytes')), 404, 'not_found');
  await ann.rest('PATCH /user/me', { deterministic_urls: 'all' });
  assert.equal((await publicly(urlOf('s3 bytes'))).text, 's3 bytes');
  await ann.rest('PATCH /user/me', { deterministic_urls: 'off' });
  assertRefused(await publicly(urlOf('s3 bytes')), 404, 'not_found');
});

test('a copy over S3 is a version of S3, a rename keeps what it was', async () => {
  const ann = await open('copies-ann');
  const self = await ann.rest('GET /user/me');
  const url = `/${self.json['account']}/${hashOf('original')}`;
  await ann.upload('original', 'original');
  const headers = { 'x-amz-copy-source': `${ann.s3.bucket}/original` };
  await ann.s3.done('PUT', 'copied', { headers });
  await ann.rest('POST /renameFile', { file_name: 'original', new_file_name: 'renamed' });
  assert.equal((await publicly(url)).text, 'original');
  await ann.s3.done('DELETE', 'renamed');
  assertRefused(await publicly(url), 404, 'not_found');
  assert.equal((await ann.fileOf('copied'))['content_hash'], hashOf('original'));
});

test('a link ends when S3 deletes its file, and serves what S3 puts over it', async () => {
  const ann = await open('links-ann');
  await ann.upload('linked', 'before');
  const made = await ann.rest('POST /createPublicLink', { file_name: 'linked' });
  const path = `/publicDownload?hash=${made.json['link_hash']}`;
  assert.equal((await publicly(path)).text, 'before');
  await ann.s3.put('linked', 'after', { 'cache-control': 'max-age=3' });
  const read = await publicly(path);
  assert.equal(read.text, 'after');
  await ann.s3.done('DELETE', 'linked');
  assert.equal((await publicly(path)).status, 404);
  await ann.s3.put('linked', 'anew');
  assert.equal((await publicly(path)).status, 404, 'a new object of that name has no link');
});

test('a link ends when DeleteObjects deletes its file', async () => {
  const ann = await open('links-of-many');
  await ann.s3.put('linked', 'bytes');
  const made = await ann.rest('POST /createPublicLink', { file_name: 'linked' });
  const path = `/publicDownload?hash=${made.json['link_hash']}`;
  assert.equal((await publicly(path)).text, 'bytes');
  const body = '<Delete><Object><Key>linked</Key></Object></Delete>';
  const headers = { 'content-md5': Buffer.from(md5Of(body), 'hex').toString('base64') };
  await ann.s3.done('POST', undefined, { query: { delete: '' }, body, headers });
  assert.equal((await publicly(path)).status, 404);
});

test('the tier of a file is normal once S3 has written it', async () => {
  const ann = await open('tiers-ann');
  using metadata = new DatabaseSync(join(server.directory, 'data', 'metadata.db'), {
    readOnly: true,
  });
  // No answer says a tier; the bill will.
  const tierOf = metadata.prepare('select tier from objects where cast(key as text) = ?');
  await ann.upload('tiered-file', 'bytes', '&tier=premium');
  assert.equal(tierOf.get('tiered-file')?.['tier'], 'premium');
  await ann.s3.put('tiered-file', 'bytes');
  assert.equal(tierOf.get('tiered-file')?.['tier'], 'normal');
});

test('an object of parts is a file at once, and gets its hash by and by', async () => {
  const ann = await open('parts-ann');
  const bodies = [Buffer.alloc(5 * MIB, 'p'), Buffer.from('the end')];
  const uploadId = await ann.s3.begin('whole', { 'content-type': 'text/plain' });
  const parts = [];
  for (const [index, body] of bodies.entries()) {
    parts.push(await ann.s3.send('whole', uploadId, { number: index + 1, body }));
  }
  assert.equal((await ann.s3.complete('whole', uploadId, parts)).status, 200);
  const whole = Buffer.concat(bodies);
  const read = await ann.download('whole');
  assert.ok(read.bytes.equals(whole));
  assert.match(String(read.headers.etag), /-2"$/);
  await eventually(async () => (await ann.fileOf('whole'))['content_hash'] !== null);
  assert.equal((await ann.fileOf('whole'))['content_hash'], hashOf(whole));
  const { headers } = await ann.s3.head('whole');
  assert.equal(headers.etag, read.headers.etag, 'its tag stays that of its parts');
});

test('only the default bucket holds files', async () => {
  const ann = await open('bucket-ann');
  await admin.changeLimits(ann.account, { buckets: 3 });
  const listed = await ann.s3.list();
  assert.deepEqual(textsOf(listed.text, 'Key'), []);
  const key = await admin.createS3Key(ann.account, {});
  using raw = rawS3({
    endpoint: server.s3Url,
    accessKeyId: key.access_key_id,
    secretAccessKey: key.secret,
    region: REGION,
    ca: undefined,
  });
  const other = objectCalls({ raw, bucket: 'not-of-files' });
  await other.done('PUT');
  await other.put('hidden', 'bytes');
  const { json } = await ann.rest('GET /files');
  assert.deepEqual(json['files'], []);
});
