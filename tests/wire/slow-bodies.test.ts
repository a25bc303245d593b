/**
 * Proves that no body takes for ever on either listener, that small bodies share one room of
 * memory, and that a sender is told in its dialect's own form.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import type { BlobStore } from '../../src/core/ports/blob-store.ts';
import { BodyWatch } from '../../src/server/bodies/body-watch.ts';
import { FakeClock } from '../world/fake-clock.ts';
import { assertRefused, openSocket, parseAnswer, readToEnd } from './http-client.ts';
import { startS3Alone } from './s3/s3-alone.ts';
import { assertS3Error } from './s3/start-s3.ts';
import { deliver, headOf, signed } from './s3/wire-request.ts';
import { eventually, openAccount, startApi } from './service.ts';

/** Listeners whose bodies are watched by a clock of the test's own. */
function watchedBy(clock: FakeClock) {
  return { change: () => ({ watch: new BodyWatch(clock) }) };
}

/** Sends the beginning of a request, moves the clock until it is answered, and reads to the end. */
async function stall(clock: FakeClock, url: string, bytes: string | Buffer, ms: number) {
  const socket = await openSocket(url);
  const reading = readToEnd(socket);
  socket.write(bytes);
  let text: string | undefined;
  void reading.then((all) => {
    text = all;
  });
  // It is counted from when the server reads, which is some turns of the loop from here.
  await eventually(() => {
    clock.advance(ms);
    return text !== undefined;
  });
  await eventually(() => socket.closed);
  return parseAnswer(text ?? '');
}

const post = (route: string, fields: string, body = '{') =>
  `POST ${route} HTTP/1.1\r\nhost: x\r\n${fields}content-length: 50000\r\n\r\n${body}`;

test('the API tells whoever sends too slowly, and closes', async () => {
  const clock = new FakeClock();
  const api = await startApi(watchedBy(clock));
  const ann = await openAccount(api, 'ann');
  const credential = `authorization: ${ann.headers.authorization}\r\n`;
  for (const [text, ms] of [
    [post('/auth/login', ''), 30_000],
    [post('/publicDownload?hash=x', '', 'p'), 30_000],
    [post('/deleteFile', credential), 30_000],
    [post('/upload?file_name=small', credential, 'x'.repeat(40_000)), 61_000],
    [post('/upload?file_name=large', `${credential}x-a: b\r\n`, 'x'), 61_000],
  ] as const) {
    const answer = await stall(clock, api.url, text, ms);
    assertRefused(answer, 408, 'body_too_slow');
    assert.equal(answer.headers['connection'], 'close');
  }
  const { json } = await ann.call('GET /checkUploadStatus?file_name=small');
  assert.equal(json['error'], 'body_too_slow');
  assert.deepEqual((await ann.call('GET /files')).json['files'], []);
});

test('S3 tells whoever sends too slowly, and nothing is stored', async () => {
  const clock = new FakeClock();
  let staged = 0;
  const { endpoint, holder } = await startS3Alone({
    change: ({ blobs }) => ({ ...watchedBy(clock).change(), blobs: counting(blobs) }),
  });
  function counting(store: BlobStore): BlobStore {
    const changed = Object.create(store) as BlobStore;
    changed.stage = async (options) => {
      const writer = await store.stage(options);
      staged += 1;
      return {
        write: (chunk) => writer.write(chunk),
        commit: () => writer.commit(),
        release: async (end) => {
          staged -= 1;
          await writer.release(end);
        },
      };
    };
    return changed;
  }
  for (const size of [1000, 1_000_000]) {
    const message = signed(holder, {
      route: `PUT /${holder.bucket}/stalled`,
      body: Buffer.alloc(size, 'x'),
    });
    const sent = Buffer.concat([headOf(message), message.body.subarray(0, size / 20)]);
    assertS3Error(await stall(clock, endpoint, sent, 61_000), 400, 'RequestTimeout');
    await eventually(() => staged === 0);
  }
  const form =
    `POST /${holder.bucket} HTTP/1.1\r\nhost: x\r\n` +
    'content-type: multipart/form-data; boundary=b\r\ncontent-length: 50000\r\n\r\n--b\r\n';
  assertS3Error(await stall(clock, endpoint, form, 60_000), 400, 'RequestTimeout');
  const document = signed(holder, { route: `PUT /${holder.bucket}?tagging`, body: '<Tagging>' });
  const part = Buffer.concat([headOf(document), document.body.subarray(0, 3)]);
  assertS3Error(await stall(clock, endpoint, part, 61_000), 400, 'RequestTimeout');
  const head = signed(holder, { route: `HEAD /${holder.bucket}/stalled` });
  assert.equal((await deliver(endpoint, head)).status, 404);
});

test('a disk that takes longer than a minute is never held against the sender', async () => {
  const clock = new FakeClock();
  const gate = Promise.withResolvers<void>();
  let isWriting = false;
  const { endpoint, holder } = await startS3Alone({
    change: ({ blobs }) => {
      const slow = Object.create(blobs) as BlobStore;
      slow.stage = async (options) => {
        const writer = await blobs.stage(options);
        return {
          write: async (chunk) => {
            isWriting = true;
            await gate.promise;
            await writer.write(chunk);
          },
          commit: () => writer.commit(),
          release: (end) => writer.release(end),
        };
      };
      return { watch: new BodyWatch(clock), blobs: slow };
    },
  });
  const message = signed(holder, {
    route: `PUT /${holder.bucket}/slow`,
    body: 'x'.repeat(500_000),
  });
  const answer = deliver(endpoint, message);
  await eventually(() => isWriting);
  clock.advance(600_000);
  gate.resolve();
  assert.equal((await answer).status, 200);
});

test('what is sent after the answer holds no connection', async () => {
  const { endpoint, api } = await startS3Alone();
  for (const [url, path] of [
    [endpoint, '/absent/key'],
    [api.url, '/health'],
  ] as const) {
    const socket = await openSocket(url);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nx`);
    const trickle = setInterval(() => socket.write('x'), 100);
    await eventually(() => socket.closed);
    clearInterval(trickle);
  }
});

/** Sends uploads that stop one byte before their end, and answers what was refused. */
async function stallUploads(url: string, count: number, upload: Buffer) {
  const refusals: string[] = [];
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 1) {
    const socket = await openSocket(url);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => void refusals.push(String(chunk)));
    socket.write(upload);
    sockets.push(socket);
  }
  after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return { refusals, sockets };
}

const BODY_BYTES = 256 * 1024;
/** What half of 16 MiB holds of them. */
const FIT = 31;

test('stalled small uploads fill a bounded room; others have theirs, and it empties', async () => {
  const clock = new FakeClock();
  const api = await startApi({
    settings: { BODY_MEMORY_BYTES: '16 MiB' },
    ...watchedBy(clock),
  });
  const [ann, bob] = [await openAccount(api, 'ann'), await openAccount(api, 'bob')];
  const head = `POST /upload?file_name=x HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
  const body = Buffer.alloc(BODY_BYTES - 1, 'x');
  for (const framing of [
    `content-length: ${BODY_BYTES}\r\n\r\n`,
    `transfer-encoding: chunked\r\n\r\n${BODY_BYTES.toString(16)}\r\n`,
  ]) {
    const upload = Buffer.concat([Buffer.from(head + framing), body]);
    const { refusals, sockets } = await stallUploads(api.url, 2 * FIT, upload);
    await eventually(() => refusals.length >= FIT - 3);
    for (const text of refusals) {
      const refused = parseAnswer(text);
      assertRefused(refused, 503, 'overloaded');
      assert.equal(refused.headers['retry-after'], '5');
    }
    assert(api.store.memory.takenBytes <= 8 * 1024 * 1024);
    // A small thing of the same account is done at once, and a larger one of another's.
    await ann.upload('little', 'bytes');
    await bob.upload('larger', Buffer.alloc(200_000, 'x'));
    await eventually(() => {
      clock.advance(61_000);
      return api.store.memory.takenBytes === 0;
    });
    await ann.upload('after', Buffer.alloc(BODY_BYTES, 'x'));
    for (const socket of sockets) socket.destroy();
    await eventually(() => api.store.memory.takenBytes === 0);
  }
});

test('S3 says SlowDown where the room is full', async () => {
  const { endpoint, holder, api } = await startS3Alone({
    settings: { BODY_MEMORY_BYTES: '16 MiB' },
  });
  const message = signed(holder, {
    route: `PUT /${holder.bucket}/x`,
    body: Buffer.alloc(BODY_BYTES, 'x'),
  });
  const upload = Buffer.concat([headOf(message), message.body.subarray(1)]);
  const { refusals, sockets } = await stallUploads(endpoint, 2 * FIT, upload);
  await eventually(() => refusals.length >= FIT - 3);
  for (const text of refusals) {
    const refused = parseAnswer(text);
    assertS3Error(refused, 503, 'SlowDown');
    assert(Number(refused.headers['retry-after']) > 0);
  }
  for (const socket of sockets) socket.destroy();
  await eventually(() => api.store.memory.takenBytes === 0);
  assert.equal((await deliver(endpoint, message)).status, 200);
});
