/** Proves `POST /upload` and `POST /priorityUpload`: what is stored, what is refused and when. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { assertRefused, exchange, openSocket, parseAnswer, readToEnd } from './http-client.ts';
import { eventually, openAccount, startApi, startServer } from './service.ts';

const server = await startServer({ FREE_STORAGE_BYTES: '3000000' });
const ann = await openAccount(server, 'ann');

const CLOSE = 'host: x\r\nconnection: close\r\n';
const uploadHead = (name: string, fields: string) =>
  `POST /upload?file_name=${name} HTTP/1.1\r\n${CLOSE}authorization: ${ann.headers.authorization}\r\n${fields}\r\n`;

async function isStored(name: string): Promise<boolean> {
  const { status } = await ann.call(`HEAD /download-stream?file_name=${encodeURIComponent(name)}`);
  assert(status === 200 || status === 404);
  return status === 200;
}

test('what would change an upload and is not served is refused, and nothing is written', async () => {
  await ann.upload('guarded', 'before');
  const { headers } = await ann.call('HEAD /download-stream?file_name=guarded');
  const put = (fields: Record<string, string>) =>
    ann.call('POST /upload?file_name=guarded', 'after', fields);
  const early = { 'if-unmodified-since': 'Tue, 01 Dec 2009 00:00:00 GMT' };
  const late = { 'if-unmodified-since': headers['last-modified'] ?? '' };
  for (const fields of [early, late, { 'content-range': 'bytes 0-4/9' }]) {
    assertRefused(await put(fields), 400, 'invalid_field');
  }
  assert.equal((await ann.call('GET /download-stream?file_name=guarded')).text, 'before');
  assert.equal((await put({ 'if-unmodified-since': 'garbage 5' })).status, 202, 'no date');
  const modified = { 'if-modified-since': 'Tue, 01 Dec 2099 00:00:00 GMT' };
  assert.equal((await put(modified)).status, 202, 'a condition of reads');
});

test('an upload is answered 202 with its operation, and is then stored, listed and completed', async () => {
  const bytes = randomBytes(300_000);
  for (const route of ['/upload', '/priorityUpload']) {
    const name = `photos${route}.bin`;
    const answer = await ann.call(`POST ${route}?file_name=${name}&tier=premium`, bytes, {
      'content-type': 'image/png',
    });
    assert.equal(answer.status, 202);
    const { operation_id: id, file_name: said, status } = answer.json;
    assert.deepEqual(Object.keys(answer.json).sort(), ['file_name', 'operation_id', 'status']);
    assert.match(
      String(id),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    assert.deepEqual([said, status], [name, 'completed']);
    assert.equal(answer.headers['x-operation-id'], id);
    assert.equal(answer.headers.location, `/checkUploadStatus?operation_id=${id}`);
    const read = await ann.call(`GET /download-stream?file_name=${name}`);
    assert(read.bytes.equals(bytes));
    assert.equal(read.headers['content-type'], 'image/png');
    assert.equal(read.headers.etag, `"${createHash('md5').update(bytes).digest('hex')}"`);
    const followed = await ann.call(`GET ${answer.headers.location}`);
    assert.equal(followed.json['status'], 'completed');
    assert.equal(followed.json['content_hash'], Buffer.from(blake3(bytes)).toString('hex'));
  }
});

test('a chunked body, an empty one and one without a type are kept as they are', async () => {
  const chunked = await exchange(
    server.url,
    uploadHead('chunked.txt', 'transfer-encoding: chunked\r\ncontent-type: a/b;x="y"\r\n'),
    '5\r\nhello\r\n',
    '6;ext=1\r\n world\r\n0\r\ntrailer: 1\r\n\r\n',
  );
  assert.equal(parseAnswer(chunked).status, 202, chunked);
  const read = await ann.call('GET /download-stream?file_name=chunked.txt');
  assert.deepEqual([read.text, read.headers['content-type']], ['hello world', 'a/b;x="y"']);

  for (const [name, fields] of [
    ['empty', 'content-length: 0\r\n'],
    ['nothing', ''],
    ['no-chunks', 'transfer-encoding: chunked\r\n'],
  ] as const) {
    const body = fields.startsWith('transfer') ? '0\r\n\r\n' : '';
    const answer = parseAnswer(await exchange(server.url, uploadHead(name, fields), body));
    assert.equal(answer.status, 202, answer.text);
    const empty = await ann.call(`GET /download-stream?file_name=${name}`);
    assert.deepEqual([empty.status, empty.text], [200, '']);
    assert.equal(empty.headers['content-type'], 'application/octet-stream');
    assert.equal(empty.headers.etag, '"d41d8cd98f00b204e9800998ecf8427e"');
  }
});

test('any content type is taken and given back, also one that is none', async () => {
  for (const type of [
    'application/json',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'garbage',
    'text/',
    'text/html; charset=\xe9',
    ',,;;==',
  ]) {
    const answer = await ann.call('POST /upload?file_name=typed', 'not json', {
      'content-type': type,
    });
    assert.equal(answer.status, 202, `${type}: ${answer.text}`);
    const read = await ann.call('GET /download-stream?file_name=typed');
    assert.deepEqual([read.text, read.headers['content-type']], ['not json', type]);
  }
  const long = await ann.call('POST /upload?file_name=x', 'x', {
    'content-type': 'a'.repeat(1025),
  });
  assertRefused(long, 400, 'invalid_field', { field: 'Content-Type' });
});

test('an upload under a name that stands replaces its bytes and its type', async () => {
  await ann.upload('again.txt', 'first', 'text/plain');
  await ann.upload('again.txt', 'second', 'text/csv');
  const read = await ann.call('GET /download-stream?file_name=again.txt');
  assert.deepEqual([read.text, read.headers['content-type']], ['second', 'text/csv']);
});

test('conditions hold back a write that would not find what its sender saw', async () => {
  await ann.upload('kept.txt', 'kept');
  const { etag = '' } = (await ann.call('HEAD /download-stream?file_name=kept.txt')).headers;
  const put = (name: string, headers: Record<string, string>) =>
    ann.call(`POST /upload?file_name=${name}`, 'changed', headers);
  assertRefused(await put('kept.txt', { 'if-none-match': '*' }), 412, 'precondition_failed');
  assertRefused(await put('kept.txt', { 'if-none-match': etag }), 412, 'precondition_failed');
  assertRefused(await put('kept.txt', { 'if-match': '"0"' }), 412, 'precondition_failed');
  assertRefused(await put('absent.txt', { 'if-match': etag }), 404, 'not_found');
  for (const name of ['if-match', 'if-none-match']) {
    assertRefused(await put('kept.txt', { [name]: '' }), 400, 'invalid_field');
    assertRefused(await put('kept.txt', { [name]: ' , ' }), 400, 'invalid_field');
  }
  assert.equal((await ann.call('GET /download-stream?file_name=kept.txt')).text, 'kept');
  assert.equal(await isStored('absent.txt'), false);
  assert.equal((await put('kept.txt', { 'if-match': etag })).status, 202);
  assert.equal((await put('new.txt', { 'if-none-match': '*' })).status, 202);
});

test('of many writers that each want to be the first, one is', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      ann.call('POST /upload?file_name=raced', `${index}`, { 'if-none-match': '*' }),
    ),
  );
  const won = answers.filter(({ status }) => status === 202);
  assert.equal(won.length, 1);
  assert(answers.every(({ status }) => status === 202 || status === 412));
});

test('a sender that waits for 100 gets it once admitted, or the refusal and no 100', async () => {
  const waiting = await openSocket(server.url);
  waiting.write(uploadHead('waited.txt', 'content-length: 5\r\nexpect: 100-continue\r\n'));
  const first = await new Promise<string>((resolve) =>
    waiting.once('data', (chunk) => resolve(String(chunk))),
  );
  assert.equal(first, 'HTTP/1.1 100 Continue\r\n\r\n');
  const reading = readToEnd(waiting);
  waiting.write('hello');
  assert.equal(parseAnswer(await reading).status, 202);

  for (const [head, status] of [
    [uploadHead('../x', 'content-length: 5\r\nexpect: 100-continue\r\n'), 400],
    [uploadHead('big', 'content-length: 3000001\r\nexpect: 100-continue\r\n'), 402],
    [
      uploadHead('waited.txt', 'content-length: 5\r\nexpect: 100-continue\r\nif-none-match: *\r\n'),
      412,
    ],
    [
      `POST /upload?file_name=a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n`,
      401,
    ],
    [`POST /nowhere HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n`, 404],
  ] as const) {
    const text = await exchange(server.url, head);
    assert(!text.includes('100 Continue'), text);
    assert.equal(parseAnswer(text).status, status, text);
  }
  const unmet = await exchange(server.url, uploadHead('x', 'content-length: 1\r\nexpect: tea\r\n'));
  assertRefused(parseAnswer(unmet), 417, 'bad_request');
});

test('what does not fit into the quota is 402, before its bytes or while they come, and not stored', async () => {
  const bob = await openAccount(server, 'bob');
  await bob.upload('small', randomBytes(1000));
  const declared = await bob.call('POST /upload?file_name=large', randomBytes(3_000_001));
  assertRefused(declared, 402, 'quota_exceeded', {
    used_bytes: 1000 + 1024,
    allowed_bytes: 3_000_000,
    needed_bytes: 3_000_001 + 1024,
  });

  const socket = await openSocket(server.url);
  socket.write(
    `POST /upload?file_name=large HTTP/1.1\r\nhost: x\r\nauthorization: ${bob.headers.authorization}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const reading = readToEnd(socket);
  const block = Buffer.alloc(65_536, 'x');
  let sentBytes = 0;
  // The sender never ends its body: only being cut off ends this.
  while (!socket.closed && sentBytes < 64 * 1024 * 1024) {
    socket.write(`${block.length.toString(16)}\r\n`);
    socket.write(block);
    const isTaken = socket.write('\r\n');
    sentBytes += block.length;
    if (!isTaken) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const cut = parseAnswer(await reading);
  assertRefused(cut, 402, 'quota_exceeded');
  assert(sentBytes < 32 * 1024 * 1024, `cut off only after ${sentBytes} bytes`);
  assert.equal((await bob.call('GET /download-stream?file_name=large')).status, 404);
  const failed = await bob.call('GET /checkUploadStatus?file_name=large');
  assert.deepEqual(
    [failed.json['status'], failed.json['error'], failed.json['finished']],
    ['failed', 'quota_exceeded', true],
  );
  await bob.upload('small', randomBytes(900));
  assert.equal((await bob.call('POST /upload?file_name=fits', randomBytes(2_997_000))).status, 202);
  assertRefused(await bob.call('POST /upload?file_name=one', 'x'), 402, 'quota_exceeded');
  // What has no bytes has a row, which counts.
  assertRefused(await bob.call('POST /upload?file_name=none', ''), 402, 'quota_exceeded');
  assert.equal((await bob.call('POST /upload?file_name=fits', 'shrunk')).status, 202);
});

test('a body shorter than declared stores nothing and leaves a failed operation', async () => {
  const socket = await openSocket(server.url);
  socket.write(uploadHead('short.bin', 'content-length: 400000\r\n'));
  socket.write(Buffer.alloc(300_000, 'x'));
  await eventually(
    async () => (await ann.call('GET /checkUploadStatus?file_name=short.bin')).status === 200,
  );
  const running = await ann.call('GET /checkUploadStatus?file_name=short.bin');
  assert.deepEqual([running.json['status'], running.json['finished']], ['running', false]);
  assert.equal(running.json['bytes_total'], 400_000);
  assert.equal(running.json['error'], null);
  socket.destroy();
  await eventually(
    async () =>
      (await ann.call('GET /checkUploadStatus?file_name=short.bin')).json['status'] === 'failed',
  );
  const failed = await ann.call('GET /checkUploadStatus?file_name=short.bin');
  assert.equal(failed.json['operation_id'], running.json['operation_id']);
  assert.equal(failed.json['error'], 'incomplete_body');
  assert.equal(failed.json['deterministic_url'], null);
  assert.equal(await isStored('short.bin'), false);
});

test('a small upload that loses its connection half-way stores nothing and is failed too', async () => {
  await ann.upload('half.txt', 'whole');
  const socket = await openSocket(server.url);
  socket.write(uploadHead('half.txt', 'content-length: 10\r\n'));
  socket.write('12345');
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await eventually(
    async () =>
      (await ann.call('GET /checkUploadStatus?file_name=half.txt')).json['status'] === 'failed',
  );
  assert.equal((await ann.call('GET /download-stream?file_name=half.txt')).text, 'whole');
});

test('a name that must not be made is 400 and stores nothing', async () => {
  const long = 'x'.repeat(1025);
  for (const query of [
    'file_name=',
    'file_name=/a',
    'file_name=a/',
    'file_name=a//b',
    'file_name=.',
    'file_name=a/../b',
    'file_name=..%2fb',
    'file_name=a/./b',
    'file_name=a%00b',
    `file_name=${long}`,
    `file_name=${'%c3%a9'.repeat(513)}`,
  ]) {
    assertRefused(await ann.call(`POST /upload?${query}`, 'x'), 400, 'invalid_file_name');
  }
  for (const [query, field] of [
    ['', 'file_name'],
    ['name=a', 'file_name'],
    ['file_name=%ff', 'file_name'],
    ['file_name=%zz', 'file_name'],
    ['file_name=%', 'file_name'],
    ['file_name=%ed%a0%80', 'file_name'],
    ['file_name=a&file_name=b', 'file_name'],
    ['file_name=a&file_name=a', 'file_name'],
    ['file_name=a&tier=golden', 'tier'],
    ['file_name=a&tier=', 'tier'],
  ] as const) {
    assertRefused(await ann.call(`POST /upload?${query}`, 'x'), 400, 'invalid_field', { field });
  }
  assert.equal(await isStored('a'), false);
});

test('names are decoded once, a plus is a space, and 1024 bytes are allowed', async () => {
  for (const [query, name] of [
    ['a+b%2Bc.txt', 'a b+c.txt'],
    ['%2541', '%41'],
    ['%C3%A9%F0%9F%90%88', 'é🐈'],
    ['x'.repeat(1024), 'x'.repeat(1024)],
    ['...', '...'],
    ['a%2Fb', 'a/b'],
    ['%3Cscript%3E%22%27%5C', `<script>"'\\`],
    ['__proto__', '__proto__'],
  ] as const) {
    const stored = await ann.call(`POST /upload?file_name=${query}`, 'x');
    assert.equal(stored.json['file_name'], name);
    assert.equal(await isStored(name), true);
  }
});

test('every tier of the contract is taken and priced', async () => {
  const prices = await server.call('GET /getTierPricing');
  const rows: readonly Readonly<Record<string, number>>[] = JSON.parse(prices.text);
  assert.deepEqual(
    rows.map((row) => [row['name'], row['base_price'], row['current_price']]),
    [
      // Multipliers: published clients multiply by the storage price themselves.
      ['normal', 1, 1],
      ['priority', 2.5, 2.5],
      ['premium', 5, 5],
      ['ultra', 10, 10],
      ['enterprise', 25, 25],
    ],
  );
  assert(rows.every((row) => (row['concurrency'] ?? 0) >= 1));
  const fee = await server.call('GET /getPriorityFee');
  assert.deepEqual(fee.json, { priority_fee_per_gb: 2.5 });
  for (const { name } of rows) {
    const stored = await ann.call(`POST /upload?file_name=tiered&tier=${name}`, 'x');
    assert.equal(stored.status, 202);
  }
});

test('an upload that is cut off leaves no bytes behind on the disk', async () => {
  const api = await startApi({ settings: { FREE_STORAGE_BYTES: `${400_000 + 1024}` } });
  const eve = await openAccount(api, 'eve');
  const before = await blobFiles(api.config.dataDirectory);
  const head = `POST /upload?file_name=x HTTP/1.1\r\n${CLOSE}authorization: ${eve.headers.authorization}\r\n`;
  const block = `${(300_000).toString(16)}\r\n${'x'.repeat(300_000)}\r\n`;
  const text = await exchange(
    api.url,
    `${head}transfer-encoding: chunked\r\n\r\n`,
    block,
    block,
    '0\r\n\r\n',
  );
  assertRefused(parseAnswer(text), 402, 'quota_exceeded');
  const socket = await openSocket(api.url);
  socket.write(`${head}content-length: 400000\r\n\r\n${'x'.repeat(300_000)}`);
  await eventually(async () => (await blobFiles(api.config.dataDirectory)).length > before.length);
  socket.destroy();
  await eventually(
    async () => (await blobFiles(api.config.dataDirectory)).length === before.length,
  );
});

async function blobFiles(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /^[0-9a-f]{16}$/.test(entry.name))
    .map((entry) => entry.name);
}
