/** Proves status, listing, renaming and deleting of files, row by row of the contract. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertRefused, type Json, openSocket } from './http-client.ts';
import { eventually, type Holder, openAccount, startServer } from './service.ts';

const server = await startServer();
const named = (name: string) => encodeURIComponent(name);
const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

async function namesOf(holder: Holder): Promise<readonly unknown[]> {
  const { json } = await holder.call('GET /files?limit=1000');
  return (json['files'] as readonly Json[]).map((file) => file['file_name']);
}

test('an upload is found by its id and by its name, the newest of a name first', async () => {
  const ann = await openAccount(server, 'status');
  const first = await ann.upload('a.txt', 'one');
  const second = await ann.upload('a.txt', 'second');
  const byName = await ann.call('GET /checkUploadStatus?file_name=a.txt');
  const byId = await ann.call(`GET /checkUploadStatus?operation_id=${second['operation_id']}`);
  assert.deepEqual(byName.json, byId.json);
  const { created_at: created, updated_at: updated, content_hash: hash, ...rest } = byName.json;
  assert.match(String(created), RFC3339);
  assert.match(String(updated), RFC3339);
  assert.match(String(hash), /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    operation_id: second['operation_id'],
    file_name: 'a.txt',
    status: 'completed',
    finished: true,
    parts_completed: 1,
    total_parts: 1,
    error: null,
    deterministic_url: `${server.url}/${ann.slug}/${hash}`,
    bytes_total: 6,
    bytes_uploaded: 6,
  });
  const old = await ann.call(`GET /checkUploadStatus?operation_id=${first['operation_id']}`);
  assert.deepEqual([old.json['status'], old.json['deterministic_url']], ['completed', null]);
  assert.equal((await ann.call('POST /deleteFile', { file_name: 'a.txt' })).status, 200);
  const gone = await ann.call(`GET /checkUploadStatus?operation_id=${second['operation_id']}`);
  assert.deepEqual([gone.json['status'], gone.json['deterministic_url']], ['completed', null]);
});

test('a slow upload is running by name until its last byte, and then completed', async () => {
  const ann = await openAccount(server, 'slow');
  const socket = await openSocket(server.url);
  socket.write(
    `POST /upload?file_name=slow.bin HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`,
  );
  const ask = () => ann.call('GET /checkUploadStatus?file_name=slow.bin');
  await eventually(async () => (await ask()).status === 200);
  const { json: running } = await ask();
  assert.deepEqual(
    [running['status'], running['finished'], running['bytes_total'], running['content_hash']],
    ['running', false, null, null],
  );
  assertRefused(await ann.call('GET /download-stream?file_name=slow.bin'), 404, 'not_found');
  assert.deepEqual(await namesOf(ann), []);
  socket.write('0\r\n\r\n');
  await eventually(async () => (await ask()).json['status'] === 'completed');
  const { json: done } = await ask();
  assert.equal(done['operation_id'], running['operation_id']);
  assert.deepEqual([done['finished'], done['bytes_total'], done['bytes_uploaded']], [true, 5, 5]);
  assert.deepEqual(await namesOf(ann), ['slow.bin']);
  socket.destroy();
});

test('an unknown operation is 404, and a status of nothing is 400', async () => {
  const ann = await openAccount(server, 'unknown');
  for (const query of [
    'operation_id=019ab2c4-5d6e-7f80-9a1b-2c3d4e5f6071',
    'operation_id=x',
    'operation_id=',
    'operation_id=%00',
    'file_name=absent',
  ]) {
    assertRefused(await ann.call(`GET /checkUploadStatus?${query}`), 404, 'not_found');
  }
  assertRefused(await ann.call('GET /checkUploadStatus'), 400, 'invalid_field', {
    field: 'operation_id',
  });
  assertRefused(await ann.call('GET /checkUploadStatus?file_name=%00'), 400, 'invalid_file_name');
});

test('a listing has prefixes, pages and the facts of each file', async () => {
  const ann = await openAccount(server, 'lister');
  for (const name of ['b', 'a/1', 'a/2', 'a/b/3', 'c/4', 'é', '🐈', '\uFFFD']) {
    await ann.upload(name, `bytes of ${name}`);
  }
  const list = async (query: string) => (await ann.call(`GET /files?${query}`)).json;
  const all = await list('');
  const files = all['files'] as readonly Json[];
  // In order of the bytes of UTF-8: U+FFFD before U+1F408, unlike in UTF-16.
  const names = ['a/1', 'a/2', 'a/b/3', 'b', 'c/4', 'é', '\uFFFD', '🐈'];
  assert.deepEqual(
    files.map((file) => file['file_name']),
    names,
  );
  assert.deepEqual([all['prefixes'], all['next_cursor']], [[], null]);
  const { last_modified: modified, content_hash: hash, etag, ...facts } = files[3] ?? {};
  assert.match(String(modified), RFC3339);
  assert.match(String(hash), /^[0-9a-f]{64}$/);
  assert.match(String(etag), /^[0-9a-f]{32}$/);
  assert.deepEqual(facts, { file_name: 'b', size: 10, content_type: 'text/plain', cid: null });

  const folder = await list('delimiter=/');
  assert.deepEqual(folder['prefixes'], ['a/', 'c/']);
  assert.deepEqual(
    (folder['files'] as readonly Json[]).map((file) => file['file_name']),
    ['b', 'é', '\uFFFD', '🐈'],
  );
  const inside = await list('prefix=a/&delimiter=/');
  assert.deepEqual(inside['prefixes'], ['a/b/']);
  assert.deepEqual(
    (inside['files'] as readonly Json[]).map((file) => file['file_name']),
    ['a/1', 'a/2'],
  );
  assert.deepEqual((await list('prefix=zzz'))['files'], []);
});

test('a listing takes 1 to 1000 a page, 100 unless said otherwise, and only its own cursors', async () => {
  const ann = await openAccount(server, 'pager');
  for (let count = 0; count < 101; count += 1) await ann.upload(`f${count + 100}`, '');
  const first = (await ann.call('GET /files')).json;
  assert.equal((first['files'] as readonly Json[]).length, 100);
  const next = await ann.call(`GET /files?cursor=${named(String(first['next_cursor']))}`);
  assert.deepEqual(
    [
      (next.json['files'] as readonly Json[]).map((file) => file['file_name']),
      next.json['next_cursor'],
    ],
    [['f200'], null],
  );
  for (const limit of ['0', '-1', '1001', 'x', '', '1.5', '1e99', 'NaN']) {
    assertRefused(await ann.call(`GET /files?limit=${limit}`), 400, 'invalid_field', {
      field: 'limit',
    });
  }
  for (const cursor of ['x', '', '%00', 'MWs', String(first['next_cursor']).slice(1)]) {
    assertRefused(await ann.call(`GET /files?cursor=${cursor}`), 400, 'invalid_field', {
      field: 'cursor',
    });
  }
});

test('a deleted file is gone from every call, and deleting it again is 404', async () => {
  const ann = await openAccount(server, 'deleter');
  await ann.upload('a.txt', 'x');
  const deleted = await ann.call('POST /deleteFile', { file_name: 'a.txt' });
  assert.deepEqual([deleted.status, Object.keys(deleted.json)], [200, ['message']]);
  assertRefused(await ann.call('GET /download-stream?file_name=a.txt'), 404, 'not_found');
  assert.deepEqual(await namesOf(ann), []);
  assertRefused(await ann.call('POST /deleteFile', { file_name: 'a.txt' }), 404, 'not_found');
  for (const [body, code, field] of [
    [{}, 'invalid_field', 'file_name'],
    [{ file_name: 7 }, 'invalid_field', 'file_name'],
    [{ file_name: null }, 'invalid_field', 'file_name'],
    [{ file_name: ['a.txt'] }, 'invalid_field', 'file_name'],
    [{ file_name: '' }, 'invalid_file_name', undefined],
    [{ file_name: '\0' }, 'invalid_file_name', undefined],
    [{ file_name: '\ud800' }, 'invalid_file_name', undefined],
  ] as const) {
    const fields = field === undefined ? {} : { field };
    assertRefused(await ann.call('POST /deleteFile', body), 400, code, fields);
  }
});

test('a file takes another name whole, with its bytes, type and URL', async () => {
  const ann = await openAccount(server, 'renamer');
  await ann.upload('old.txt', 'moved', 'text/csv');
  const { json: status } = await ann.call('GET /checkUploadStatus?file_name=old.txt');
  const renamed = await ann.call('POST /renameFile', {
    file_name: 'old.txt',
    new_file_name: 'new/name.txt',
  });
  assert.deepEqual([renamed.status, renamed.json], [200, { file_name: 'new/name.txt' }]);
  assert.deepEqual(await namesOf(ann), ['new/name.txt']);
  const read = await ann.call('GET /download-stream?file_name=new/name.txt');
  assert.deepEqual([read.text, read.headers['content-type']], ['moved', 'text/csv']);
  const url = new URL(String(status['deterministic_url'])).pathname;
  assert.equal((await server.call(`GET ${url}`)).text, 'moved');
});

test('a rename is refused where a file stands, unless it may overwrite it', async () => {
  const ann = await openAccount(server, 'overwriter');
  await ann.upload('a', 'from a');
  await ann.upload('b', 'from b');
  const rename = (body: Json) => ann.call('POST /renameFile', body);
  const both = { file_name: 'a', new_file_name: 'b' };
  assertRefused(await rename(both), 409, 'file_exists');
  assertRefused(await rename({ ...both, overwrite: false }), 409, 'file_exists');
  assertRefused(await rename({ ...both, overwrite: 'true' }), 400, 'invalid_field', {
    field: 'overwrite',
  });
  assertRefused(await rename({ file_name: 'absent', new_file_name: 'b' }), 404, 'not_found');
  assertRefused(await rename({ file_name: 'absent', new_file_name: 'absent' }), 404, 'not_found');
  for (const name of ['', '/x', 'x/', 'x//y', '..', 'a/../b', '\0', 'x'.repeat(1025)]) {
    const body = { file_name: 'a', new_file_name: name };
    assertRefused(await rename(body), 400, 'invalid_file_name');
  }
  assertRefused(await rename({ file_name: 'a' }), 400, 'invalid_field', { field: 'new_file_name' });
  assert.deepEqual((await rename({ file_name: 'a', new_file_name: 'a' })).json, { file_name: 'a' });
  assert.deepEqual((await rename({ ...both, overwrite: true })).json, { file_name: 'b' });
  assert.deepEqual(await namesOf(ann), ['b']);
  assert.equal((await ann.call('GET /download-stream?file_name=b')).text, 'from a');
});

test('what was overwritten, renamed over or deleted is paid for no more', async () => {
  const ann = await openAccount(server, 'payer');
  const stored = async () => (await server.admin.getAccount('payer')).stored_bytes;
  await ann.upload('a', 'x'.repeat(1000));
  await ann.upload('a', 'x'.repeat(10));
  await ann.upload('b', 'x'.repeat(500));
  assert.equal(await stored(), 510);
  const body = { file_name: 'a', new_file_name: 'b', overwrite: true };
  assert.equal((await ann.call('POST /renameFile', body)).status, 200);
  assert.equal(await stored(), 10);
  await ann.call('POST /deleteFile', { file_name: 'b' });
  assert.equal(await stored(), 0);
});
