/** Proves what becomes of connections that fall silent, that wait, or that ask too much. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ServiceError } from '../../../src/core/errors.ts';
import type { BlobStore, BlobWriter } from '../../../src/core/ports/blob-store.ts';
import { openSocket, parseAnswer, readToEnd } from '../http-client.ts';
import { eventually } from '../service.ts';
import { startS3Alone } from './s3-alone.ts';
import { assertS3Error } from './start-s3.ts';
import { deliver, factOf, type Header, headOf, signed, withHeaders } from './wire-request.ts';

const IDLE_MS = 500;

test('a server that works longer than connections may be idle answers all the same', async () => {
  const { endpoint, holder } = await startS3Alone({
    timeouts: { idleMs: IDLE_MS, headersMs: 5000 },
    change: ({ blobs }) => ({
      // A disk that takes three times as long as a connection may be silent.
      blobs: stagedThrough(blobs, async (writer) => ({
        write: (chunk) => writer.write(chunk),
        commit: async () => {
          await wait(3 * IDLE_MS);
          return await writer.commit();
        },
        release: () => writer.release(),
      })),
    }),
  });
  const message = signed(holder, { route: `PUT /${holder.bucket}/slow`, body: 'bytes' });
  assert.equal((await deliver(endpoint, message)).status, 200);
});

/** The store, whose writers are others around its own. */
function stagedThrough(
  store: BlobStore,
  around: (writer: BlobWriter) => Promise<BlobWriter>,
): BlobStore {
  const changed = Object.create(store) as BlobStore;
  changed.stage = async (options) => around(await store.stage(options));
  return changed;
}

test('requests that come before the answer to the one before them wait their turn', async () => {
  let openReaders = 0;
  let openReadersMax = 0;
  const { endpoint, holder } = await startS3Alone({
    change: ({ blobs }) => {
      const counting = Object.create(blobs) as BlobStore;
      counting.stage = (options) => blobs.stage(options);
      counting.open = async (blob) => {
        const reader = await blobs.open(blob);
        openReaders += 1;
        openReadersMax = Math.max(openReadersMax, openReaders);
        const close = async () => {
          openReaders -= 1;
          await reader.close();
        };
        return { sizeBytes: blob.sizeBytes, read: reader.read.bind(reader), close };
      };
      return { blobs: counting };
    },
  });
  const bytes = randomBytes(3_000_000);
  const put = signed(holder, { route: `PUT /${holder.bucket}/large`, body: bytes });
  assert.equal((await deliver(endpoint, put)).status, 200);
  const closing = signed(holder, { route: `GET /${holder.bucket}/large` });
  const going = withHeaders(closing, { connection: undefined });
  const socket = await openSocket(endpoint);
  const reading = readToEnd(socket);
  const count = 20;
  const heads = Array.from({ length: count }, (_, at) =>
    headOf(at === count - 1 ? closing : going),
  );
  socket.write(Buffer.concat(heads));
  const text = await reading;
  const answers = text.split('HTTP/1.1 200 OK\r\n').slice(1);
  assert.equal(answers.length, count);
  const expected = bytes.toString('latin1');
  for (const answer of answers) {
    assert(answer.slice(answer.indexOf('\r\n\r\n') + 4) === expected, 'an answer is damaged');
  }
  assert.equal(openReadersMax, 1);
});

test('who always has a few requests under way is served without end', async () => {
  const { endpoint, holder } = await startS3Alone();
  const put = signed(holder, { route: `PUT /${holder.bucket}/again`, body: 'bytes' });
  const message = withHeaders(put, { connection: undefined });
  const bytes = Buffer.concat([headOf(message), message.body]);
  const count = 300;
  let asked = 0;
  let answered = 0;
  const socket = await openSocket(endpoint);
  const ask = () => {
    asked += 1;
    socket.write(bytes);
  };
  socket.on('data', (chunk: Buffer) => {
    for (const _ of String(chunk).matchAll(/HTTP\/1\.1 200 OK/g)) {
      answered += 1;
      if (asked < count) ask();
    }
  });
  socket.write(Buffer.concat(Array.from({ length: 8 }, () => bytes)));
  asked += 8;
  await eventually(() => socket.closed || answered === count);
  assert.equal(answered, count);
  socket.destroy();
});

test('a connection that asks without end is closed, and others are served', async () => {
  const { endpoint, holder } = await startS3Alone();
  const put = signed(holder, {
    route: `PUT /${holder.bucket}/large`,
    body: randomBytes(9_000_000),
  });
  assert.equal((await deliver(endpoint, put)).status, 200);
  const get = withHeaders(signed(holder, { route: `GET /${holder.bucket}/large` }), {
    connection: undefined,
  });
  const socket = await openSocket(endpoint);
  socket.pause();
  const head = headOf(get);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(Buffer.concat(Array.from({ length: 2000 }, () => head)));
  socket.resume();
  await closed;
  assert.equal((await deliver(endpoint, signed(holder, { route: 'GET /' }))).status, 200);
});

test('who sends large documents and stalls takes bounded memory, and small ones are served', async () => {
  const { endpoint, holder } = await startS3Alone();
  const documentOf = (bytes: number, sent: number) => {
    const key = '<Object><Key>absent</Key></Object>';
    const body = `<Delete>${key}${' '.repeat(bytes)}</Delete>`;
    const md5 = createHash('md5').update(body).digest('base64');
    const headers = [['content-md5', md5]] as const;
    const message = signed(holder, { route: `POST /${holder.bucket}?delete`, body, headers });
    return Buffer.concat([headOf(message), message.body.subarray(0, sent)]);
  };
  const large = 8_000_000;
  const stalling = documentOf(large, large - 1);
  const sockets: Socket[] = [];
  const refusals: string[] = [];
  for (let count = 0; count < 12; count += 1) {
    const socket = await openSocket(endpoint);
    socket.on('data', (chunk) => void refusals.push(String(chunk)));
    socket.write(stalling);
    sockets.push(socket);
  }
  await eventually(() => refusals.length >= 3);
  for (const text of refusals) assertS3Error(parseAnswer(text), 503, 'SlowDown');
  const send = async (bytes: Buffer) => {
    const socket = await openSocket(endpoint);
    const reading = readToEnd(socket);
    socket.write(bytes);
    return parseAnswer(await reading);
  };
  assert.equal((await send(documentOf(100_000, Number.POSITIVE_INFINITY))).status, 200);
  for (const socket of sockets) socket.destroy();
  await eventually(async () => {
    const { status } = await send(documentOf(large, Number.POSITIVE_INFINITY));
    return status === 200;
  });
});

test('nothing is read on for a copy whose client has left', async () => {
  let copying: AbortSignal | undefined;
  const { endpoint, holder } = await startS3Alone({
    change: ({ blobs }) => {
      const endless = Object.create(blobs) as BlobStore;
      endless.stage = (options) => blobs.stage(options);
      endless.open = async (blob) => {
        const reader = await blobs.open(blob);
        return {
          sizeBytes: blob.sizeBytes,
          read: async (_span, _sink, { signal } = {}) => {
            assert(signal, 'it cannot be ended');
            copying = signal;
            while (!signal.aborted) await wait(5);
            throw new ServiceError('aborted', 'The reader went away.');
          },
          close: () => reader.close(),
        };
      };
      return { blobs: endless };
    },
  });
  const key = `${holder.bucket}/source`;
  await deliver(endpoint, signed(holder, { route: `PUT /${key}`, body: 'bytes' }));
  const begun = await deliver(endpoint, signed(holder, { route: `POST /${key}?uploads=` }));
  const uploadId = factOf(begun, 'UploadId') ?? '';
  const source: Header = ['x-amz-copy-source', key];
  // The bytes of a whole object are read only for a checksum that is not there yet.
  const sha256: Header = ['x-amz-checksum-algorithm', 'SHA256'];
  for (const [route, headers] of [
    [`PUT /${key}?partNumber=1&uploadId=${uploadId}`, [source]],
    [`PUT /${key}-copied`, [source, sha256]],
  ] as const) {
    copying = undefined;
    const socket = await openSocket(endpoint);
    socket.write(headOf(signed(holder, { route, headers })));
    await eventually(() => copying !== undefined);
    socket.destroy();
    await eventually(() => copying?.aborted === true);
  }
  const copied = signed(holder, { route: `HEAD /${key}-copied` });
  assert.equal((await deliver(endpoint, copied)).status, 404);
  const route = `GET /${key}?uploadId=${uploadId}`;
  const parts = await deliver(endpoint, signed(holder, { route }));
  assert.equal(factOf(parts, 'PartNumber'), undefined);
});
