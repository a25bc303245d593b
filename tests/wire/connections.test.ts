/**
 * Proves that nobody shuts others out by holding connections: of those without a proved credential
 * the oldest make room, and of the others those of the account that holds most.
 */
import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Connections } from '../../src/server/listener/connections.ts';
import { openSocket } from './http-client.ts';
import { holderOf, startS3Alone } from './s3/s3-alone.ts';
import { deliver, headOf, signed } from './s3/wire-request.ts';
import { eventually, openAccount, startApi } from './service.ts';

const MAX = 12;

/** Opens connections that send a head and then nothing more than a byte of its body. */
async function hold(url: string, count: number, head: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let at = 0; at < count; at += 1) {
    const socket = await openSocket(url);
    socket.on('error', () => undefined);
    socket.resume();
    socket.write(head);
    sockets.push(socket);
  }
  after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

const closedOf = (sockets: readonly Socket[]) => sockets.filter(({ closed }) => closed).length;

const SLOW_SIGN_IN = 'POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n{';
const slowForm = (bucket: string) =>
  `POST /${bucket} HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\n` +
  'content-length: 60000\r\n\r\n-';

test('slow bodies on all connections of the API let everybody else write, sign in and read', async () => {
  const api = await startApi({ settings: { MAX_CONNECTIONS: `${MAX}` } });
  const ann = await openAccount(api, 'ann');
  const password = 'correct horse battery staple';
  const proof = { user_id: ann.userId, user_app_key: ann.appKey, new_password: password };
  assert.equal((await api.call('POST /auth/set-password', proof)).status, 200);
  const slow = await hold(api.url, 5 * MAX, SLOW_SIGN_IN);
  await eventually(() => closedOf(slow) >= 4 * MAX);
  await ann.upload('file', 'bytes');
  const signIn = await api.call('POST /auth/login', { username: 'ann', password });
  assert.equal(signIn.status, 200);
  const read = await ann.call('GET /download-stream?file_name=file');
  assert.equal(read.text, 'bytes');
  assert.equal(read.status, 200);
  const warnings = api.lines.filter((line) => line.includes('connections are all taken'));
  assert.equal(warnings.length, 1, 'it is told once a minute');
});

test('slow bodies on all connections of S3 let everybody else write and read', async () => {
  const { endpoint, holder } = await startS3Alone({ settings: { MAX_CONNECTIONS: `${MAX}` } });
  const slow = await hold(endpoint, 5 * MAX, slowForm(holder.bucket));
  await eventually(() => closedOf(slow) >= 4 * MAX);
  const put = signed(holder, { route: `PUT /${holder.bucket}/key`, body: 'bytes' });
  assert.equal((await deliver(endpoint, put)).status, 200);
  const get = signed(holder, { route: `GET /${holder.bucket}/key` });
  assert.equal((await deliver(endpoint, get)).text, 'bytes');
});

test('a connection that has proved a credential is never cut for a newcomer', async () => {
  const api = await startApi({ settings: { MAX_CONNECTIONS: `${MAX}` } });
  const ann = await openAccount(api, 'ann');
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const ask = () =>
    new Promise<number>((resolve, reject) => {
      const sent = request(`${api.url}/user/me`, { agent, headers: ann.headers });
      sent.once('error', reject);
      sent.once('response', (response) => {
        assert.equal(response.statusCode, 200);
        const { localPort = 0 } = response.socket;
        response.resume().once('end', () => resolve(localPort));
      });
      sent.end();
    });
  const localPort = await ask();
  await hold(api.url, 4 * MAX, SLOW_SIGN_IN);
  assert.equal(await ask(), localPort, 'it is the same connection');
});

/** The head of a write of 1000 bytes. */
function slowPut(holder: Awaited<ReturnType<typeof holderOf>>): string {
  const route = `PUT /${holder.bucket}/slow`;
  return headOf(signed(holder, { route, body: 'x'.repeat(1000) })).toString('latin1');
}

test('an account that holds all connections by its key lets everybody else in', async () => {
  const { endpoint, holder, api } = await startS3Alone({ settings: { MAX_CONNECTIONS: `${MAX}` } });
  const other = await holderOf(await openAccount(api, 'ben'));
  const held = await hold(endpoint, MAX, slowPut(holder));
  await wait(300);
  const first = await hold(endpoint, 1, slowPut(other));
  await wait(300);
  const put = signed(other, { route: `PUT /${other.bucket}/key`, body: 'bytes' });
  assert.equal((await deliver(endpoint, put)).status, 200);
  const get = signed(other, { route: `GET /${other.bucket}/key` });
  assert.equal((await deliver(endpoint, get)).text, 'bytes');
  assert.equal(closedOf(first), 0, 'who holds few keeps them');
  assert.ok(closedOf(held) <= 3, 'no more are cut than others need');
  const slow = await hold(endpoint, 5 * MAX, slowForm(other.bucket));
  await eventually(() => closedOf(slow) >= 4 * MAX);
  assert.ok(closedOf(held) <= 4, 'strangers take the places that are theirs, and no others');
});

test('where each account holds one connection, a newcomer is shut out and they stay', async () => {
  const { endpoint, holder, api } = await startS3Alone({ settings: { MAX_CONNECTIONS: '3' } });
  const proved: Socket[] = [];
  for (const name of ['ben', 'cem', 'dora']) {
    const head = slowPut(await holderOf(await openAccount(api, name)));
    proved.push(...(await hold(endpoint, 1, head)));
  }
  await wait(300);
  const [late] = await hold(endpoint, 1, slowForm(holder.bucket));
  await eventually(() => late?.closed === true);
  assert.equal(closedOf(proved), 0);
  for (const socket of proved) socket.write('x'.repeat(1000));
  await eventually(() => closedOf(proved) === 3);
});

/** An API on which this machine's own address is counted like any other. */
async function startCounting(perAddress: number) {
  return await startApi({
    change: (store) => ({
      connections: new Connections(
        { clock: store.clock, occasions: { warn: () => undefined } },
        { perAddress, perListener: undefined, isFree: () => false },
      ),
    }),
  });
}

test('an address holds so many connections without a credential, and any number with one', async () => {
  const api = await startCounting(5);
  const held = await hold(api.url, 60, SLOW_SIGN_IN);
  await eventually(() => closedOf(held) === 55);
  // They stay: who holds fewer is in nobody's way.
  await wait(100);
  assert.equal(closedOf(held), 55);
  for (const socket of held) socket.destroy();
  const ann = await openAccount(api, 'ann');
  const body = `POST /upload?file_name=x HTTP/1.1\r\nhost: x\r\nauthorization: ${ann.headers.authorization}\r\ncontent-length: 5\r\n\r\n`;
  const proved = await hold(api.url, 18, body);
  await wait(2500);
  assert.equal(closedOf(proved), 0);
});

test('the machine itself is not held to a number of connections', async () => {
  const api = await startApi({ settings: { CONNECTIONS_PER_ADDRESS: '5' } });
  const held = await hold(api.url, 40, SLOW_SIGN_IN);
  await wait(2500);
  assert.equal(closedOf(held), 0);
});
