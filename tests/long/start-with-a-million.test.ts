/**
 * Proves that a server over a million objects, killed with SIGKILL, comes back and answers rightly
 * from its first request on, while it counts and sweeps behind them. How long that takes is printed
 * and fails nothing.
 */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openStore } from '../../src/compose/open-store.ts';
import type { ObjectKey } from '../../src/core/ids.ts';
import { keep } from '../../src/core/ports/blob-store-contract.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { SILENT_LOG } from '../../src/observe/log.ts';
import { rawS3 } from '../clients/s3/raw-s3.ts';
import { textsOf } from '../clients/s3/xml-texts.ts';
import { type ObjectCalls, objectCalls } from '../wire/s3/object-calls.ts';
import { openBlobRows } from '../world/blob-rows.ts';
import { freePort } from '../world/proxies.ts';
import { residentBytesOf } from '../world/resident-bytes.ts';
import { seededChance } from '../world/seeded-chance.ts';
import { type ChildServer, freshDirectory, startChild, testConfig } from '../world/server.ts';

const OBJECTS = 1_000_000;
/** Written over the wire just before the kill. */
const FRESH = 1000;
const PUBLISHED_AT_ONCE = 1000;
const READERS = 4;
const WATCHED_MS = 60_000;
const WATCHED_EVERY_MS = 500;
const MIB = 1024 ** 2;

const directories: string[] = [];
after(async () => {
  for (const directory of directories) await rm(directory, { recursive: true, force: true });
});

/** The least of bodies put them all into the one segment that is read through at a start. */
const SIZES = [1000, 30];

/** A million objects of one size. */
type World = { readonly directory: string; readonly bodyOf: (index: number) => string };

const keyOf = (index: number) => `object/${String(index).padStart(7, '0')}`;
const freshKeyOf = (index: number) => `fresh/${String(index).padStart(4, '0')}`;

/** Blobs and rows of a million objects, by the engines and without a server. */
async function seed({ directory, bodyOf }: World): Promise<void> {
  await using store = await openStore(testConfig(directory), { log: SILENT_LOG });
  const rows = await openBlobRows(store.metadata);
  let next = 0;
  const publishOneByOne = async () => {
    while (next < OBJECTS) {
      const index = next;
      next += 1;
      const blob = await keep(store.blobs, Buffer.from(bodyOf(index)));
      await rows.publish(blob, keyOf(index) as ObjectKey);
    }
  };
  await Promise.all(Array.from({ length: PUBLISHED_AT_ONCE }, publishOneByOne));
}

async function timed<T>(run: () => Promise<T>) {
  const startedMs = performance.now();
  return { value: await run(), ms: performance.now() - startedMs };
}

/** A server, from its start until it says that it is ready. */
async function startUntilReady({ directory }: World, settings: Readonly<Record<string, string>>) {
  return await timed(async () => {
    const server = await startChild({ directory, settings });
    for (;;) {
      const { status } = await fetch(`${server.url}/ready`);
      if (status === 200) return server;
    }
  });
}

type Door = { readonly calls: ObjectCalls; readonly token: string } & Disposable;

async function openDoor({ directory }: World, port: string): Promise<Door> {
  const admin = adminClient(join(directory, 'data', 'run', 'admin.sock'));
  const key = await admin.createS3Key('blobs', {});
  const { token } = await admin.createToken('blobs', { name: 'reader', scopes: ['files:read'] });
  const raw = rawS3({
    endpoint: `http://127.0.0.1:${port}`,
    accessKeyId: key.access_key_id,
    secretAccessKey: key.secret,
    region: 'auto',
    ca: undefined,
  });
  const calls = objectCalls({ raw, bucket: key.default_bucket });
  return { calls, token, [Symbol.dispose]: () => raw[Symbol.dispose]() };
}

async function assertRead({ bodyOf }: World, calls: ObjectCalls, index: number): Promise<void> {
  const { status, text } = await calls.get(keyOf(index));
  assert.deepEqual([status, text], [200, bodyOf(index)]);
}

/** Reads for a minute, and tells of the times and the memory. */
async function readForAMinute(world: World, server: ChildServer, calls: ObjectCalls) {
  const untilMs = performance.now() + WATCHED_MS;
  const tookMs: number[] = [];
  const resident = [residentBytesOf(server.pid)];
  const timer = setInterval(() => resident.push(residentBytesOf(server.pid)), WATCHED_EVERY_MS);
  const read = async (_: unknown, reader: number) => {
    const chance = seededChance(reader + 1);
    while (performance.now() < untilMs) {
      const index = Math.floor(chance() * OBJECTS);
      const { ms } = await timed(() => assertRead(world, calls, index));
      tookMs.push(ms);
    }
  };
  try {
    await Promise.all(Array.from({ length: READERS }, (_, reader) => read(_, reader)));
  } finally {
    clearInterval(timer);
  }
  const sorted = tookMs.toSorted((one, other) => one - other);
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
  return {
    reads: `${sorted.length} GETs, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1 - 1 / sorted.length)} ms`,
    mostBytes: Math.max(...resident),
  };
}

for (const size of SIZES) {
  test(`a million objects of ${size} bytes are there again after a kill`, async (t) => {
    if (process.platform !== 'linux') return t.skip('memory is read from /proc');
    const directory = await freshDirectory();
    directories.push(directory);
    const bodyOf = (index: number) => `the body of object ${index}`.padEnd(size, '.');
    await killAndStart({ directory, bodyOf }, (fact) => t.diagnostic(fact));
  });
}

async function killAndStart(world: World, tell: (fact: string) => void): Promise<void> {
  const { bodyOf } = world;
  const seeded = await timed(() => seed(world));
  tell(`seeded in ${(seeded.ms / 1000).toFixed(1)} s`);
  const port = `${await freePort()}`;
  const settings = { S3_PORT: port, FREE_STORAGE_BYTES: '1 TiB' };
  await using first = (await startUntilReady(world, settings)).value;
  using door = await openDoor(world, port);
  const { calls, token } = door;
  const indices = Array.from({ length: FRESH }, (_, index) => index);
  await Promise.all(indices.map((index) => calls.put(freshKeyOf(index), bodyOf(index))));
  first.kill('SIGKILL');
  assert.equal(await first.exited, 'SIGKILL');

  const started = await startUntilReady(world, settings);
  await using second = started.value;
  const overS3 = await timed(() => assertRead(world, calls, 123_456));
  const overRest = await timed(() =>
    fetch(`${second.url}/download-stream?file_name=${encodeURIComponent(keyOf(654_321))}`, {
      headers: { 'x-api-key': token },
    }),
  );
  assert.equal(await overRest.value.text(), bodyOf(654_321));
  const readyBytes = residentBytesOf(second.pid);
  tell(
    `ready after ${started.ms.toFixed(0)} ms; first GET over S3 ${overS3.ms.toFixed(1)} ms, over REST ${overRest.ms.toFixed(1)} ms; resident ${Math.round(readyBytes / MIB)} MiB`,
  );
  for (const index of indices) {
    assert.equal(
      (await calls.get(freshKeyOf(index))).text,
      bodyOf(index),
      'acknowledged, so there',
    );
  }
  const page = await calls.list({ prefix: 'object/05', 'max-keys': '3' });
  assert.deepEqual(textsOf(page.text, 'Key'), [500_000, 500_001, 500_002].map(keyOf));
  const rolled = await calls.list({ delimiter: '/' });
  assert.deepEqual(textsOf(rolled.text, 'Prefix').slice(1), ['fresh/', 'object/']);
  assert.equal((await calls.get(keyOf(OBJECTS))).status, 404);

  const { reads, mostBytes } = await readForAMinute(world, second, calls);
  tell(`${reads}; resident at most ${Math.round(mostBytes / MIB)} MiB`);
}
