/**
 * Proves that what an account has under way counts against its storage, from the first byte to
 * however an upload ends, and that nobody else meets it.
 */
import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { assertRefused, openSocket, parseAnswer, readToEnd } from './http-client.ts';
import { startS3Alone } from './s3/s3-alone.ts';
import { assertS3Error } from './s3/start-s3.ts';
import { deliver, factOf, headOf, signed } from './s3/wire-request.ts';
import { eventually, openAccount, startApi } from './service.ts';

const QUOTA = 10_000_000;
/** Room for so many bytes and the row of their object. */
const settings = { FREE_STORAGE_BYTES: `${QUOTA + 1024}` };
const LARGE = 3_000_000;
/** How many of them fit. */
const FIT = 3;

type Upload = { readonly socket: Socket; answer: string };

async function begin(url: string, bytes: Buffer): Promise<Upload> {
  const socket = await openSocket(url);
  const upload: Upload = { socket, answer: '' };
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => {
    upload.answer += String(chunk);
  });
  socket.write(bytes);
  after(() => socket.destroy());
  return upload;
}

const statusOf = ({ answer }: Upload) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1] ?? 0);
const refusedOf = (uploads: readonly Upload[]) =>
  uploads.filter((upload) => statusOf(upload) === 402);

test('uploads under way never exceed the quota together, however many there are', async () => {
  const api = await startApi({ settings });
  const [ann, bob] = [await openAccount(api, 'ann'), await openAccount(api, 'bob')];
  const { underWay } = api.store;
  const accountId = ann.userId as Parameters<typeof underWay.bytesOf>[0];
  const head = (name: string, framing: string) =>
    Buffer.from(
      `POST /upload?file_name=${name} HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\n${framing}\r\n\r\n`,
    );
  const body = Buffer.alloc(LARGE - 1, 'x');
  const declared = `content-length: ${LARGE}`;
  const chunked = `transfer-encoding: chunked`;
  const frame = Buffer.from(`${LARGE.toString(16)}\r\n`);
  for (const framing of [declared, chunked]) {
    const sent = framing === chunked ? Buffer.concat([frame, body]) : body;
    const uploads: Upload[] = [];
    for (let at = 0; at < 8; at += 1) {
      uploads.push(await begin(api.url, Buffer.concat([head(`f${at}`, framing), sent])));
    }
    // Whoever is refused makes room at once, so that as many go on as fit.
    await eventually(() => {
      const left = uploads.length - refusedOf(uploads).length;
      const bytes = underWay.bytesOf(accountId);
      return left === FIT && bytes >= left * (LARGE - 1) && bytes <= left * LARGE;
    });
    for (const { answer } of refusedOf(uploads)) {
      assertRefused(parseAnswer(answer), 402, 'quota_exceeded');
    }
    // Small ones are memory, and another account has a quota of its own.
    await ann.upload('small', 'bytes');
    await bob.upload('large', Buffer.alloc(LARGE, 'x'));
    // Its client goes: its share is free at once.
    const open = uploads.filter((upload) => statusOf(upload) === 0);
    open[0]?.socket.destroy();
    await eventually(() => underWay.bytesOf(accountId) <= BigInt((FIT - 1) * LARGE));
    await eventually(async () => {
      const again = await ann.call('POST /upload?file_name=again', Buffer.alloc(LARGE, 'x'));
      return again.status === 202;
    });
    // The others end well, and are stored.
    for (const { socket } of open.slice(1))
      socket.write(framing === chunked ? 'x\r\n0\r\n\r\n' : 'x');
    await eventually(() => open.slice(1).every((upload) => statusOf(upload) === 202));
    assert.equal(underWay.bytesOf(accountId), 0n);
    const { json } = await ann.call('GET /files?limit=100');
    for (const { file_name } of json['files'] as { file_name: string }[]) {
      assert.equal((await ann.call('POST /deleteFile', { file_name })).status, 200);
    }
  }
});

test('parts under way count too, and an abort gives their share back', async () => {
  const { endpoint, holder, api, ann } = await startS3Alone({ settings });
  const accountId = ann.userId as Parameters<typeof api.store.underWay.bytesOf>[0];
  const key = `${holder.bucket}/large`;
  const begun = await deliver(endpoint, signed(holder, { route: `POST /${key}?uploads=` }));
  const uploadId = factOf(begun, 'UploadId') ?? '';
  const partOf = (partNumber: number) =>
    signed(holder, {
      route: `PUT /${key}?partNumber=${partNumber}&uploadId=${uploadId}`,
      body: Buffer.alloc(LARGE, 'x'),
    });
  const parts: Upload[] = [];
  for (let at = 1; at <= FIT; at += 1) {
    const message = partOf(at);
    const sent = Buffer.concat([headOf(message), message.body.subarray(1)]);
    parts.push(await begin(endpoint, sent));
  }
  await eventually(() => totalOf(api) === BigInt(FIT * LARGE));
  assertS3Error(await deliver(endpoint, partOf(FIT + 1)), 403, 'QuotaExceeded');
  for (const { socket } of parts) socket.destroy();
  await eventually(() => totalOf(api) === 0n);
  assert.equal((await deliver(endpoint, partOf(1))).status, 200);

  function totalOf({ store }: typeof api): bigint {
    return store.underWay.bytesOf(accountId);
  }
});

test('what is replaced counts once, and an account at its limit may replace', async () => {
  const api = await startApi({ settings });
  const ann = await openAccount(api, 'ann');
  await ann.upload('all', Buffer.alloc(QUOTA, 'x'));
  const socket = await openSocket(api.url);
  const reading = readToEnd(socket);
  socket.write(
    `POST /upload?file_name=all HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: ${ann.headers.authorization}\r\ncontent-length: ${QUOTA}\r\n\r\n`,
  );
  socket.write(Buffer.alloc(QUOTA - 1, 'y'));
  const { underWay } = api.store;
  await eventually(() => underWay.bytesOf(ann.userId as never) === BigInt(QUOTA));
  const second = await ann.call('POST /upload?file_name=all', Buffer.alloc(QUOTA, 'z'));
  assertRefused(second, 402, 'quota_exceeded');
  socket.write('y');
  assert.equal(parseAnswer(await reading).status, 202);
  assert.equal(underWay.bytesOf(ann.userId as never), 0n);
});
