/**
 * Proves that what is not HTTP, or lies about itself, gets an error in our shape and stores
 * nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { assertRefused, exchange, openSocket, parseAnswer, readToEnd } from './http-client.ts';
import { eventually, openAccount, startApi, startServer } from './service.ts';

const server = await startServer();
const ann = await openAccount(server, 'ann');
const HEAD = `host: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
const upload = (fields: string) => `POST /upload?file_name=x HTTP/1.1\r\n${HEAD}${fields}\r\n`;

async function assertNothingStored(): Promise<void> {
  const { json } = await ann.call('GET /files');
  assert.deepEqual(json['files'], []);
}

test('a head that is no HTTP is 400 in the one shape, and the connection ends', async () => {
  for (const text of [
    'garbage\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'GET /health HTTP/9.9\r\nhost: x\r\n\r\n',
    'get /health HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /he\0alth HTTP/1.1\r\nhost: x\r\n\r\n',
    'GET /health HTTP/1.1\r\nhost x\r\n\r\n',
    'GET /health HTTP/1.1\r\nhost: x\r\nbad header: y\r\n\r\n',
    'GET /health HTTP/1.1\r\nhost: x\r\n: y\r\n\r\n',
    'GET /health HTTP/1.1\r\nhost: x\r\na: b\0c\r\n\r\n',
    'GET /health HTTP/1.1\r\nhost: x\r\na: b\rc\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ]) {
    const answer = parseAnswer(await exchange(server.url, text));
    assert.equal(answer.status, 400, text);
    assertRefused(answer, 400, 'bad_request');
    assert.equal(answer.headers['connection'], 'close', text);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  }
});

test('who asks for a tunnel is told that there is none, and the connection ends', async () => {
  const text = 'CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n';
  const answer = parseAnswer(await exchange(server.url, text));
  assertRefused(answer, 405, 'bad_request');
  assert.equal(answer.headers['connection'], 'close');
});

test('what a browser may read of an answer holds for malformed requests too', async () => {
  const answer = parseAnswer(await exchange(server.url, 'garbage\r\n\r\n'));
  assert.match(String(answer.headers['access-control-expose-headers']), /Retry-After/);
});

test('a request of HTTP/1.1 without Host is 400, one of HTTP/1.0 is served', async () => {
  const without = await exchange(server.url, 'GET /health HTTP/1.1\r\nconnection: close\r\n\r\n');
  assertRefused(parseAnswer(without), 400, 'bad_request');
  const old = await exchange(server.url, 'GET /health HTTP/1.0\r\n\r\n');
  assert.equal(parseAnswer(old).status, 200);
});

test('a body whose length is told twice or not clearly is 400 and stores nothing', async () => {
  for (const fields of [
    'content-length: 5\r\ntransfer-encoding: chunked\r\n',
    'transfer-encoding: chunked\r\ncontent-length: 5\r\n',
    'content-length: 5\r\ncontent-length: 5\r\n',
    'content-length: 5\r\ncontent-length: 6\r\n',
    'content-length: 5, 5\r\n',
    'content-length: -5\r\n',
    'content-length: +5\r\n',
    'content-length: 0x5\r\n',
    'content-length: 5 5\r\n',
    'content-length: five\r\n',
    'content-length: \r\n',
    'content-length: 99999999999999999999999999\r\n',
    'transfer-encoding: identity\r\n',
    'transfer-encoding: chunked, gzip\r\n',
    'transfer-encoding : chunked\r\n',
  ]) {
    const text = await exchange(server.url, upload(fields), 'hello');
    assertRefused(parseAnswer(text), 400, 'bad_request');
  }
  const coded = await exchange(
    server.url,
    upload('transfer-encoding: gzip, chunked\r\n'),
    '5\r\nhello\r\n0\r\n\r\n',
  );
  assertRefused(parseAnswer(coded), 501, 'not_implemented');
  await assertNothingStored();
});

test('a length beyond any object is refused before a byte of it', async () => {
  const text = await exchange(server.url, upload('content-length: 9007199254740993\r\n'), 'x');
  assertRefused(parseAnswer(text), 413, 'body_too_large');
  await assertNothingStored();
});

test('bad chunks are 400, store nothing and leave a failed operation', async () => {
  for (const body of ['5\r\nhello', 'z\r\n', '5\r\nhelloX\r\n0\r\n\r\n', '-1\r\n', '5;\0\r\n']) {
    const socket = await openSocket(server.url);
    const reading = readToEnd(socket);
    socket.write(upload('transfer-encoding: chunked\r\n'));
    socket.write(`5\r\nfirst\r\n${body}`);
    if (body === '5\r\nhello') {
      // Well-formed as far as it goes: only its end makes it wrong.
      await wait(30);
      socket.end();
    }
    const text = await reading;
    if (text !== '') assertRefused(parseAnswer(text), 400, 'bad_request');
    socket.destroy();
    await eventually(
      async () =>
        (await ann.call('GET /checkUploadStatus?file_name=x')).json['status'] === 'failed',
    );
  }
  await assertNothingStored();
});

test('a head that is too large is 431', async () => {
  const large = `GET /health HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(40_000)}\r\n\r\n`;
  assertRefused(parseAnswer(await exchange(server.url, large)), 431, 'bad_request');
  const many = `GET /health HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`;
  assertRefused(parseAnswer(await exchange(server.url, many)), 431, 'bad_request');
  const path = `GET /${'x'.repeat(40_000)} HTTP/1.1\r\nhost: x\r\n\r\n`;
  assertRefused(parseAnswer(await exchange(server.url, path)), 431, 'bad_request');
});

test('nonsense after a request never gets into the answer that is under way', async () => {
  await ann.upload('long.bin', Buffer.alloc(8_000_000, 'a'));
  const socket = await openSocket(server.url);
  socket.pause();
  socket.write(`GET /download-stream?file_name=long.bin HTTP/1.1\r\n${HEAD}\r\n`);
  await wait(100);
  socket.write('garbage\r\n\r\n');
  await wait(50);
  socket.resume();
  const text = await readToEnd(socket);
  const bodyAt = text.indexOf('\r\n\r\n') + 4;
  assert.equal(text.slice(bodyAt, bodyAt + 8_000_000), 'a'.repeat(8_000_000));
  assertRefused(parseAnswer(text.slice(bodyAt + 8_000_000)), 400, 'bad_request');
  await ann.call('POST /deleteFile', { file_name: 'long.bin' });
});

test('nonsense behind pipelined requests is answered after them', async () => {
  const health = 'GET /health HTTP/1.1\r\nhost: x\r\n\r\n';
  const text = await exchange(server.url, `${health}${health}garbage\r\n\r\nmore garbage\r\n`);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '200', '400']);
});

test('a head that takes too long is 408', async () => {
  const api = await startApi({ timeouts: { headersMs: 200, idleMs: 5000 } });
  const socket = await openSocket(api.url);
  const reading = readToEnd(socket);
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\n');
  const drip = setInterval(() => socket.write('a: b\r\n'), 50);
  const text = await reading;
  clearInterval(drip);
  assertRefused(parseAnswer(text), 408, 'bad_request');
});

test('a body that is not wanted is read off, so that its sender sees the refusal', async () => {
  const body = Buffer.alloc(2_000_000, 'x');
  for (const route of ['POST /nowhere', 'POST /upload?file_name=', 'POST /deleteFile']) {
    const answer = await ann.call(route, body);
    assert(answer.status >= 400 && answer.status < 500, String(answer.status));
    assert.equal(typeof answer.json['code'], 'string');
  }
  await assertNothingStored();
});
