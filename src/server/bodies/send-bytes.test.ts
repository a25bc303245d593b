/**
 * Proves how bytes leave: head with the first of them, errors before it, a cut connection after it.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isServiceError, ServiceError } from '../../core/errors.ts';
import type { ByteSink } from '../../core/ports/blob-store.ts';
import { sendBytes } from './send-bytes.ts';

type Sent = Awaited<ReturnType<typeof sendBytes>>;

/** Serves one answer, and tells how sending it went. */
async function serve(lengthBytes: number, produce: (sink: ByteSink) => Promise<void>) {
  const outcome = Promise.withResolvers<Sent>();
  const answer = (response: ServerResponse) =>
    sendBytes(
      response,
      { status: 206, headers: { 'x-own': '1' }, lengthBytes, onHead: () => undefined },
      produce,
    );
  const server = createServer((_request, response) => {
    answer(response).then(outcome.resolve, (error: unknown) => {
      outcome.reject(error);
      response.writeHead(500).end('refused');
    });
  });
  outcome.promise.catch(() => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => void server.closeAllConnections());
  after(() => void server.close());
  const at = server.address();
  assert(typeof at === 'object' && at !== null);
  return { url: `http://127.0.0.1:${at.port}/`, outcome: outcome.promise };
}

test('all bytes go out under the head that was announced, and are counted', async () => {
  const { url, outcome } = await serve(5, async (sink) => {
    await sink(Buffer.from('he'));
    await sink(Buffer.from('llo'));
  });
  const response = await fetch(url);
  assert.deepEqual([response.status, response.headers.get('x-own')], [206, '1']);
  assert.equal(response.headers.get('content-length'), '5');
  assert.equal(await response.text(), 'hello');
  assert.deepEqual(await outcome, { sentBytes: 5, failure: undefined });
});

test('an answer of no bytes is a head', async () => {
  const { url, outcome } = await serve(0, async () => undefined);
  const response = await fetch(url);
  assert.deepEqual([response.status, await response.text()], [206, '']);
  assert.deepEqual(await outcome, { sentBytes: 0, failure: undefined });
});

test('what fails before the first byte is thrown, and can still be answered', async () => {
  const { url, outcome } = await serve(5, async () => {
    throw new ServiceError('corrupt', 'damaged');
  });
  const response = await fetch(url);
  assert.deepEqual([response.status, await response.text()], [500, 'refused']);
  await assert.rejects(outcome, (error) => isServiceError(error, 'corrupt'));
});

test('what fails after it cuts the connection, so that no half answer looks whole', async () => {
  const damaged = new ServiceError('corrupt', 'damaged');
  const { url, outcome } = await serve(5, async (sink) => {
    await sink(Buffer.from('he'));
    throw damaged;
  });
  const response = await fetch(url);
  await assert.rejects(response.text());
  assert.deepEqual(await outcome, { sentBytes: 2, failure: damaged });
});

test('a reader that leaves ends the producer at its next byte', async () => {
  const chunk = Buffer.alloc(65_536);
  let produced = 0;
  const { url, outcome } = await serve(1e9, async (sink) => {
    for (;;) {
      await sink(chunk);
      produced += 1;
    }
  });
  const leaving = new AbortController();
  const response = await fetch(url, { signal: leaving.signal });
  await wait(100);
  const before = produced;
  await wait(100);
  assert.equal(produced, before, 'nobody reads, so nothing is produced');
  assert(produced * chunk.length < 50_000_000);
  leaving.abort();
  const { failure } = await outcome;
  assert(isServiceError(failure, 'aborted'));
  await assert.rejects(response.text());
});
