/** Proves that clients which stall, stop reading, leave, or fill the disk harm nobody else. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ServiceError } from '../../src/core/errors.ts';
import type { BlobStore } from '../../src/core/ports/blob-store.ts';
import { BodyWatch } from '../../src/server/bodies/body-watch.ts';
import { FakeClock } from '../world/fake-clock.ts';
import { assertRefused, exchange, openSocket, parseAnswer, readToEnd } from './http-client.ts';
import { eventually, openAccount, startApi, startServer } from './service.ts';

test('two hundred senders that stall stop nobody, and are cut after a minute', async () => {
  const clock = new FakeClock();
  const api = await startApi({ change: () => ({ watch: new BodyWatch(clock) }) });
  const ann = await openAccount(api, 'ann');
  const head = `host: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
  const stalled: Socket[] = [];
  for (let count = 0; count < 200; count += 1) {
    const socket = await openSocket(api.url);
    socket.resume();
    const length = count % 2 === 0 ? 300_000 : 1000;
    socket.write(
      `POST /upload?file_name=stalled-${count} HTTP/1.1\r\n${head}content-length: ${length}\r\n\r\n`,
    );
    socket.write(Buffer.alloc(length / 2, 'x'));
    stalled.push(socket);
  }
  const startedAt = Date.now();
  await ann.upload('through', 'still served');
  assert.equal((await ann.call('GET /download-stream?file_name=through')).text, 'still served');
  assert(Date.now() - startedAt < 2000, 'the others wait');
  await eventually(() => {
    clock.advance(61_000);
    return stalled.every((socket) => socket.closed);
  });
  const { json } = await ann.call('GET /files?limit=1000');
  assert.deepEqual(
    (json['files'] as readonly { file_name: string }[]).map((file) => file.file_name),
    ['through'],
  );
  await eventually(
    async () =>
      (await ann.call('GET /checkUploadStatus?file_name=stalled-0')).json['status'] === 'failed',
  );
});

test('readers that stop reading do not grow memory, and are cut when idle', async () => {
  const api = await startApi({ timeouts: { idleMs: 1000, headersMs: 5000 } });
  const ann = await openAccount(api, 'ann');
  await ann.upload('large', Buffer.alloc(32_000_000, 'x'));
  const before = process.memoryUsage().rss;
  const sockets: Socket[] = [];
  for (let count = 0; count < 20; count += 1) {
    const socket = await openSocket(api.url);
    socket.pause();
    socket.write(
      `GET /download-stream?file_name=large HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\nconnection: close\r\n\r\n`,
    );
    sockets.push(socket);
  }
  await wait(500);
  const grownBytes = process.memoryUsage().rss - before;
  assert(grownBytes < 150_000_000, `20 stalled readers of 32 MB hold ${grownBytes} bytes`);
  assert.equal((await ann.call('GET /files')).status, 200);
  // A client notices that it was cut only when it reads again; a write that still moved a little
  // when the time was over gets it once more.
  await wait(3000);
  for (const socket of sockets) {
    const reading = readToEnd(socket);
    socket.resume();
    const { bytes } = parseAnswer(await reading);
    assert(bytes.length < 32_000_000);
  }
});

test('a reader that leaves in the middle ends its read and has its access line', async () => {
  const server = await startServer();
  const ann = await openAccount(server, 'ann');
  await ann.upload('large', Buffer.alloc(16_000_000, 'x'));
  const seen = server.lines.length;
  const socket = await openSocket(server.url);
  socket.write(
    `GET /download-stream?file_name=large HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
  await eventually(() => server.lines.length > seen);
  const [line, ...more] = server.lines.slice(seen).map((text) => JSON.parse(text));
  assert.deepEqual([more, line.route, line.isWhole], [[], '/download-stream', false]);
  assert.equal(server.lines.filter((text) => text.includes('a download was cut')).length, 0);
});

test('a disk that fills up is 507 and shows nothing; deletes still work', async () => {
  let fullAfter = Number.POSITIVE_INFINITY;
  const fault = () => new ServiceError('storage_full', 'The disk is full.');
  const api = await startApi({
    change: ({ blobs }) => ({ blobs: fillingUp(blobs, () => fullAfter, fault) }),
  });
  const ann = await openAccount(api, 'ann');
  await ann.upload('before', 'stored before');
  for (const size of [1000, 5_000_000]) {
    fullAfter = size / 2;
    const answer = await ann.call('POST /upload?file_name=after', randomBytes(size));
    assertRefused(answer, 507, 'storage_full');
    assertRefused(await ann.call('GET /download-stream?file_name=after'), 404, 'not_found');
    const status = await ann.call('GET /checkUploadStatus?file_name=after');
    assert.deepEqual([status.json['status'], status.json['error']], ['failed', 'storage_full']);
  }
  fullAfter = 1000;
  assertRefused(
    await ann.call('POST /upload?file_name=before', randomBytes(9999)),
    507,
    'storage_full',
  );
  assert.equal((await ann.call('GET /download-stream?file_name=before')).text, 'stored before');
  assert.equal((await ann.call('POST /deleteFile', { file_name: 'before' })).status, 200);
  assertWarnedOnce(api.lines, 'storage_full');
});

/** A refusal that is nobody's mistake is one warning a minute, without a stack. */
function assertWarnedOnce(lines: readonly string[], code: string): void {
  const facts = lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const [warning, ...more] = facts.filter(({ level }) => level === 'warn' || level === 'error');
  assert.deepEqual(more, []);
  const { level, msg, code: said, count } = warning ?? {};
  assert.deepEqual([level, msg, said, count], ['warn', 'requests are refused', code, 1]);
}

/** The store, with a disk on which only so many bytes of a blob find room. */
function fillingUp(store: BlobStore, room: () => number, fault: () => Error): BlobStore {
  const limited = Object.create(store) as BlobStore;
  limited.stage = async (options) => {
    const writer = await store.stage(options);
    let bytes = 0;
    return {
      write: (chunk) => {
        bytes += chunk.byteLength;
        if (bytes > room()) throw fault();
        return writer.write(chunk);
      },
      commit: () => writer.commit(),
      release: () => writer.release(),
    };
  };
  for (const name of ['open', 'remove', 'check'] as const) {
    limited[name] = store[name].bind(store) as never;
  }
  return limited;
}

test('below the floor of free space a write is 507 and a read still works', async () => {
  const server = await startServer({ MIN_FREE_BYTES: '1000000 TB' });
  const ann = await openAccount(server, 'ann');
  assertRefused(await ann.call('POST /upload?file_name=a', 'x'), 507, 'storage_full');
  assertRefused(
    await ann.call('POST /upload?file_name=a', Buffer.alloc(500_000)),
    507,
    'storage_full',
  );
  assert.deepEqual((await ann.call('GET /files')).json['files'], []);
});

test('above the configured capacity a write is 507', async () => {
  const server = await startServer({ CAPACITY_BYTES: '1000' });
  const ann = await openAccount(server, 'ann');
  assertRefused(await ann.call('POST /upload?file_name=a', 'x'.repeat(1001)), 507, 'storage_full');
  assert.equal((await ann.call('POST /upload?file_name=a', 'x'.repeat(999))).status, 202);
});

test('a thousand connections that say nothing stop nobody', async () => {
  const server = await startServer({ MAX_CONNECTIONS: '1100' });
  const sockets = await Promise.all(Array.from({ length: 1000 }, () => openSocket(server.url)));
  assert.equal((await server.call('GET /health')).status, 200);
  for (const socket of sockets) socket.destroy();
});

test('connections beyond the limit are closed, those within it are served', async () => {
  const server = await startServer({ MAX_CONNECTIONS: '20' });
  const sockets = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const socket = await openSocket(server.url);
      socket.on('error', () => undefined);
      socket.resume();
      return socket;
    }),
  );
  const deadline = Date.now() + 5000;
  const countOpen = () => sockets.filter((socket) => !socket.destroyed).length;
  while (countOpen() > 20 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal(countOpen(), 20);
  for (const socket of sockets) socket.destroy();
  while ((await server.call('GET /health').catch(() => undefined))?.status !== 200) {
    assert(Date.now() < deadline);
  }
});

test('a sender that ends its body late on a kept connection is answered once', async () => {
  const server = await startServer();
  const ann = await openAccount(server, 'ann');
  const head = `host: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
  const text = await exchange(
    server.url,
    `POST /upload?file_name=../x HTTP/1.1\r\n${head}content-length: 100000\r\n\r\n`,
    'x'.repeat(100_000),
    `GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
  );
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['400', '200']);
});
