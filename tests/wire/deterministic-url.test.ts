/**
 * Proves the deterministic public URLs: whose files they serve, under which setting, how cached.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused } from './http-client.ts';
import { type Holder, openAccount, startServer } from './service.ts';

const server = await startServer();

/** The path of the URL that the status of an upload names. */
async function urlOf(holder: Holder, name: string): Promise<string> {
  const { json } = await holder.call(`GET /checkUploadStatus?file_name=${name}`);
  assert.equal(typeof json['deterministic_url'], 'string');
  const url = new URL(String(json['deterministic_url']));
  assert.equal(url.origin, server.url);
  assert.equal(url.pathname, `/${holder.slug}/${json['content_hash']}`);
  return url.pathname;
}

test('the URL of an upload serves its bytes to anyone, with ranges and HEAD', async () => {
  const ann = await openAccount(server, 'ann');
  await ann.upload('a.txt', 'known by its hash');
  const url = await urlOf(ann, 'a.txt');
  const read = await server.call(`GET ${url}`);
  assert.deepEqual([read.status, read.text], [200, 'known by its hash']);
  assert.equal(read.headers['cache-control'], 'public, max-age=300');
  assert.match(String(read.headers['content-disposition']), /^inline; filename="a.txt"/);
  const part = await server.call(`GET ${url}`, undefined, { range: 'bytes=0-4' });
  assert.deepEqual([part.status, part.text], [206, 'known']);
  const head = await server.call(`HEAD ${url}`);
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', '17']);
  const { etag = '' } = head.headers;
  const fresh = await server.call(`GET ${url}`, undefined, { 'if-none-match': etag });
  assert.deepEqual([fresh.status, fresh.headers['cache-control']], [304, 'public, max-age=300']);
  assert.equal((await server.call(`GET ${url}/`)).text, 'known by its hash');
  const hash = url.split('/')[2] ?? '';
  for (const same of [
    `/${ann.slug}/${hash.toUpperCase()}`,
    `/${ann.userId}/${hash}`,
    `/${ann.userId}/${hash.toUpperCase()}`,
  ]) {
    assert.equal((await server.call(`GET ${same}`)).text, 'known by its hash', same);
  }
});

test('what names no live file of that account is 404', async () => {
  const ann = await openAccount(server, 'ann2');
  const bob = await openAccount(server, 'bob2');
  await ann.upload('a', 'only hers');
  const url = await urlOf(ann, 'a');
  const hash = url.split('/')[2] ?? '';
  for (const path of [
    `/${bob.slug}/${hash}`,
    `/${bob.userId}/${hash}`,
    `/${ann.userId.toUpperCase()}/${hash}`,
    `/${'0'.repeat(8)}-0000-7000-8000-${'0'.repeat(12)}/${hash}`,
    `/${ann.slug}/${hash.slice(1)}`,
    `/${ann.slug}/${'0'.repeat(64)}`,
    `/${ann.slug.toUpperCase()}/${hash}`,
    `/${ann.slug}/..`,
    `/${'a'.repeat(1000)}/${hash}`,
    `/%00/${hash}`,
    `/auth/siws`,
    `/user/you`,
  ]) {
    assertRefused(await server.call(`GET ${path}`), 404, 'not_found');
  }
  await ann.upload('a', 'overwritten');
  assertRefused(await server.call(`GET ${url}`), 404, 'not_found');
  const next = await urlOf(ann, 'a');
  assert.equal((await server.call(`GET ${next}`)).text, 'overwritten');
  await ann.call('POST /deleteFile', { file_name: 'a' });
  assertRefused(await server.call(`GET ${next}`), 404, 'not_found');
});

test('of several files with the same bytes the oldest live one gives type and name', async () => {
  const ann = await openAccount(server, 'ann3');
  await ann.upload('z-first', 'same', 'image/png');
  await ann.upload('a-second', 'same', 'text/plain');
  const url = await urlOf(ann, 'z-first');
  const typeAndName = async () => {
    const { headers } = await server.call(`GET ${url}`);
    return [headers['content-type'], String(headers['content-disposition']).split(';')[1]?.trim()];
  };
  assert.deepEqual(await typeAndName(), ['image/png', 'filename="z-first"']);
  await ann.call('POST /renameFile', { file_name: 'z-first', new_file_name: 'renamed' });
  assert.deepEqual(await typeAndName(), ['image/png', 'filename="renamed"']);
  await ann.call('POST /deleteFile', { file_name: 'renamed' });
  assert.deepEqual(await typeAndName(), ['text/plain', 'filename="a-second"']);
});

test('an owner turns the URLs off and on; a wrong setting changes nothing', async () => {
  const ann = await openAccount(server, 'ann4');
  await ann.upload('a', 'x');
  const url = await urlOf(ann, 'a');
  const set = (value: unknown) => ann.call('PATCH /user/me', { deterministic_urls: value });
  assert.equal((await set('off')).json['deterministic_urls'], 'off');
  assertRefused(await server.call(`GET ${url}`), 404, 'not_found');
  const status = await ann.call('GET /checkUploadStatus?file_name=a');
  assert.equal(status.json['deterministic_url'], null);
  assert.equal((await set(null)).json['deterministic_urls'], 'off');
  for (const value of ['none', '', true]) {
    assertRefused(await set(value), 400, 'invalid_field', { field: 'deterministic_urls' });
  }
  assert.equal((await ann.call('GET /user/me')).json['deterministic_urls'], 'off');
  for (const value of ['all', 'files']) {
    await set(value);
    assert.equal((await server.call(`GET ${url}`)).text, 'x');
  }
});

test('the URLs of a disabled account are 403, also where they would be 404', async () => {
  const ann = await openAccount(server, 'ann5');
  await ann.upload('a', 'x');
  const url = await urlOf(ann, 'a');
  await server.admin.disableAccount('ann5');
  const refused = await server.call(`GET ${url}`);
  assertRefused(refused, 403, 'account_disabled');
  assert.equal(refused.headers['cache-control'], 'no-store');
  await server.admin.enableAccount('ann5');
  assert.equal((await server.call(`GET ${url}`)).status, 200);
});
