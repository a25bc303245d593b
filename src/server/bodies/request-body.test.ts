/** Proves that a body ends for its reader only when the reader has taken the last of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { systemClock } from '../../engines/clock/system-clock.ts';
import { BodyWatch } from './body-watch.ts';
import { requestBody } from './request-body.ts';

/** A request whose body, all of it, has arrived before anybody reads. */
async function arrived(body: string): Promise<IncomingMessage> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert(typeof address === 'object' && address !== null);
  const sent = request({ port: address.port, host: '127.0.0.1', method: 'PUT' });
  sent.on('error', () => undefined);
  sent.end(body);
  const [incoming] = (await once(server, 'request')) as [IncomingMessage];
  while (!incoming.complete) await wait(5);
  return incoming;
}

test('the end waits for what the last piece waits for', async () => {
  const incoming = await arrived('the body');
  let isTaken = false;
  await requestBody(incoming, new BodyWatch(systemClock)).pipeTo(async () => {
    await wait(50);
    isTaken = true;
  });
  assert.equal(isTaken, true);
});

test('a sink that fails with the last piece fails the body', async () => {
  const incoming = await arrived('the body');
  const failure = new Error('the disk is full');
  await assert.rejects(
    requestBody(incoming, new BodyWatch(systemClock)).pipeTo(async () => {
      await wait(50);
      throw failure;
    }),
    failure,
  );
});
