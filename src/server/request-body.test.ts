/**
 * Proves how a body comes in: whole, as fast as it is taken, or `incomplete_body`; and how one is
 * read off.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isServiceError } from '../core/errors.ts';
import { systemClock } from '../engines/clock/system-clock.ts';
import { drainBody, requestBody } from './request-body.ts';

/** A server that hands each request to `take` and answers when that is done. */
async function serve(take: (incoming: IncomingMessage) => Promise<void>): Promise<string> {
  const server = createServer((incoming, response) => {
    take(incoming).then(
      () => response.end('taken'),
      () => response.writeHead(400).end('refused'),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const at = server.address();
  assert(typeof at === 'object' && at !== null);
  return `http://127.0.0.1:${at.port}/`;
}

test('the bytes come in order and whole, and the declared length is the sender’s', async () => {
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
  const seen: { declared: number | undefined; taken: Buffer }[] = [];
  const url = await serve(async (incoming) => {
    const body = requestBody(incoming);
    const chunks: Uint8Array[] = [];
    await body.pipeTo((chunk) => {
      chunks.push(chunk);
      return chunks.length % 2 === 0 ? wait(1) : undefined;
    });
    seen.push({ declared: body.declaredBytes, taken: Buffer.concat(chunks) });
  });
  await fetch(url, { method: 'POST', body: bytes });
  await fetch(url, { method: 'POST', body: new Blob([bytes]).stream(), duplex: 'half' });
  await fetch(url, { method: 'POST' });
  assert.deepEqual(
    seen.map(({ declared }) => declared),
    [300_000, undefined, 0],
  );
  assert(seen[0]?.taken.equals(bytes));
  assert(seen[1]?.taken.equals(bytes));
  assert.equal(seen[2]?.taken.length, 0);
});

test('a sink that is slow holds the sender back', async () => {
  const gate = Promise.withResolvers<void>();
  let taken = 0;
  const url = await serve(async (incoming) => {
    await requestBody(incoming).pipeTo((chunk) => {
      taken += chunk.byteLength;
      return gate.promise;
    });
  });
  const sending = fetch(url, { method: 'POST', body: Buffer.alloc(20_000_000) });
  await wait(150);
  assert(taken < 200_000, `${taken} bytes were taken while the sink waited`);
  gate.resolve();
  assert.equal((await sending).status, 200);
  assert.equal(taken, 20_000_000);
});

test('a sender that goes away makes it incomplete, also while the sink waits', async () => {
  for (const sink of [() => undefined, () => new Promise<void>(() => undefined)]) {
    const outcome = Promise.withResolvers<unknown>();
    const url = await serve(async (incoming) => {
      await requestBody(incoming)
        .pipeTo(sink)
        .then(() => outcome.resolve('whole'), outcome.resolve);
    });
    const sent = request(url, { method: 'POST', headers: { 'content-length': '100' } });
    sent.on('error', () => undefined);
    sent.write('half');
    await wait(50);
    sent.destroy();
    assert(isServiceError(await outcome.promise, 'incomplete_body'));
  }
});

test('what the sink throws ends the body, whether at once or later', async () => {
  for (const sink of [
    () => {
      throw new Error('full');
    },
    () => Promise.reject(new Error('full')),
  ]) {
    const outcome = Promise.withResolvers<unknown>();
    const url = await serve(async (incoming) => {
      await requestBody(incoming).pipeTo(sink).catch(outcome.resolve);
      drainBody(incoming, systemClock.after);
    });
    const response = await fetch(url, { method: 'POST', body: Buffer.alloc(1_000_000) });
    assert.equal(await response.text(), 'taken');
    assert.match(String(await outcome.promise), /full/);
  }
});

test('a refused body is read off as far as is decent, and its sender cut off beyond', async () => {
  const url = await serve(async (incoming) => drainBody(incoming, systemClock.after));
  const decent = await fetch(url, { method: 'POST', body: Buffer.alloc(3_000_000) });
  assert.equal(decent.status, 200);
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n');
  const block = Buffer.alloc(65_536);
  let sentBytes = 0;
  // The sender never ends its body: only being cut off ends this.
  while (!socket.closed) {
    socket.write(block);
    sentBytes += block.length;
    await wait(1);
    assert(sentBytes < 100_000_000, 'nobody cuts the sender off');
  }
  assert(sentBytes > 4_000_000);
});
