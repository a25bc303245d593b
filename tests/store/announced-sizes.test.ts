/**
 * Proves that who announces much and sends little takes no room from others: on a disk on which a
 * hundred times more is announced than fits, another account signs in, writes and reads, and what
 * can never fit is refused before its bytes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { openUser, openWalletUser, startChild } from '../world/server.ts';
import { walletOf } from '../world/wallets.ts';
import { mountSmallDisk } from './small-disk.ts';

const MIB = 1024 ** 2;
const DISK_BYTES = 128 * MIB;
const FLOOR_BYTES = 16 * MIB;
const CONNECTIONS = 152;
/** Each alone would fit; the small ones would take what the large ones leave. */
const ANNOUNCED_BYTES = [40 * MIB, 10 * MIB, MIB];
const SENT_BYTES = 170;
/** Prevents a hang; what it takes is said beside. */
const ANSWER_MS_MAX = 10_000;

test('many bodies that are announced and not sent stop nobody else', async (t) => {
  using disk = await mountSmallDisk(DISK_BYTES);
  if (disk === undefined) return t.skip('mounting a tmpfs is not permitted');
  const settings = { MIN_FREE_BYTES: `${FLOOR_BYTES}`, SHUTDOWN_GRACE_MS: '200' };
  await using server = await startChild({ directory: disk.directory, settings });
  const { url } = server;
  const attacker = await openUser(url, 'mallory');
  const admin = adminClient(join(disk.directory, 'data', 'run', 'admin.sock'));
  // No quota in the way: it is the disk's own count that is tried here.
  await admin.changeLimits('mallory', { storage_bytes: 1e12 });
  const sockets = await announce(url, attacker);
  try {
    await timed(t, 'sign-in', () => openWalletUser(url, walletOf('ann')));
    const headers = { authorization: `ApiKey ${await openUser(url, 'ann')}` };
    for (const sizeBytes of [4000, 3 * MIB]) {
      const body = Buffer.alloc(sizeBytes, 7);
      const name = `file-${sizeBytes}`;
      await timed(t, `write of ${sizeBytes}`, async (signal) => {
        const target = `${url}/upload?file_name=${name}`;
        const { status } = await fetch(target, { method: 'POST', headers, body, signal });
        assert.equal(status, 202);
      });
      await timed(t, `read of ${sizeBytes}`, async (signal) => {
        const source = `${url}/download-stream?file_name=${name}`;
        const response = await fetch(source, { headers, signal });
        assert.ok(body.equals(await response.bytes()));
      });
    }
    assert.equal(await announceTooMuch(url, headers.authorization), 507);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

/** Opens all connections, each with a head and a little of its body. */
async function announce(url: string, appKey: string): Promise<readonly Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: CONNECTIONS }, (_, index) => {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(headOf(`announced-${index}`, `ApiKey ${appKey}`, ANNOUNCED_BYTES[index % 3] ?? 0));
    socket.write(Buffer.alloc(SENT_BYTES, 1));
    return socket;
  });
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // Whoever asks now comes behind them.
  await fetch(`${url}/health`);
  assert.ok(
    sockets.every((socket) => !socket.destroyed),
    'all are under way',
  );
  return sockets;
}

/** Answers the status, which comes although nothing of the body is sent. */
async function announceTooMuch(url: string, authorization: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(headOf('too-much', authorization, DISK_BYTES));
  const [answer] = await once(socket, 'data', { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
  socket.destroy();
  return Number(/^HTTP\/1\.1 (\d+)/.exec(String(answer))?.[1]);
}

function headOf(name: string, authorization: string, lengthBytes: number): string {
  return [
    `POST /upload?file_name=${name} HTTP/1.1`,
    'Host: localhost',
    `Authorization: ${authorization}`,
    `Content-Length: ${lengthBytes}`,
    '\r\n',
  ].join('\r\n');
}

async function timed(
  t: TestContext,
  what: string,
  work: (signal: AbortSignal) => Promise<unknown>,
): Promise<void> {
  const startedMs = performance.now();
  await work(AbortSignal.timeout(ANSWER_MS_MAX));
  t.diagnostic(`${what}: ${Math.round(performance.now() - startedMs)} ms`);
}
