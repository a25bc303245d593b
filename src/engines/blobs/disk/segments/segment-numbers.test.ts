/**
 * Proves that the number of a segment is given once, whatever went and however often the store was
 * opened anew, and that what died before a start is compacted without waiting for the sweep.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobRows } from '../../../../../tests/world/blob-rows.ts';
import type { TimeMs } from '../../../../core/ids.ts';
import type { BlobRef } from '../../../../core/ports/blob-store.ts';
import { keep, patternBytes, readAll } from '../../../../core/ports/blob-store-contract.ts';
import { DiskBlobStore } from '../disk-blob-store.ts';
import { realDisk } from '../real-disk.ts';
import { parsePlace } from './segment-format.ts';

const NEVER = AbortSignal.any([]);
/** Two records of `BODY_BYTES` do not fit into one segment. */
const SEGMENT_BYTES_MAX = 15_000;
const BODY_BYTES = 10_000;

class World implements AsyncDisposable {
  readonly #root: string;
  readonly rows: Awaited<ReturnType<typeof openBlobRows>>;
  store: DiskBlobStore;

  static async open(): Promise<World> {
    const root = await mkdtemp(join(tmpdir(), 'pinfold-numbers-'));
    const rows = await openBlobRows();
    return new World(root, rows, await openAt(root, rows));
  }

  private constructor(
    root: string,
    rows: Awaited<ReturnType<typeof openBlobRows>>,
    store: DiskBlobStore,
  ) {
    this.#root = root;
    this.rows = rows;
    this.store = store;
  }

  get directory(): string {
    return join(this.#root, 'blobs', 'segments');
  }

  async publish(): Promise<BlobRef> {
    const blob = await keep(this.store, patternBytes(BODY_BYTES));
    await this.rows.publish(blob);
    return blob;
  }

  async reopen(): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    this.store = await openAt(this.#root, this.rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.store[Symbol.asyncDispose]();
    await rm(this.#root, { recursive: true, force: true });
  }
}

function openAt(
  root: string,
  { metadata }: Awaited<ReturnType<typeof openBlobRows>>,
): Promise<DiskBlobStore> {
  return DiskBlobStore.open({
    io: realDisk,
    directory: join(root, 'blobs'),
    ids: metadata,
    rows: metadata,
    minFreeBytes: 0,
    now: () => Date.now() as TimeMs,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    onSyncFailure: (error) => assert.fail(error),
    onDamage: (segment) => assert.fail(`segment ${segment} is damaged`),
  });
}

function numberOf(blob: BlobRef): number {
  return parsePlace(blob.location)?.segment ?? assert.fail(`${blob.location} is in a segment`);
}

test('after the newest segment went, and starts without a write, its number is not given again', async () => {
  await using world = await World.open();
  const kept = await world.publish();
  const numbers = [numberOf(kept)];
  for (let round = 0; round < 4; round += 1) {
    const blob = await world.publish();
    numbers.push(numberOf(blob));
    await world.rows.forget(blob);
    for (let start = 0; start <= round; start += 1) await world.reopen();
    await world.store.compact({ signal: NEVER });
  }
  assert.deepEqual(numbers, [1, 2, 3, 4, 5]);
  assert.deepEqual(await readdir(world.directory), ['00000001', '00000005']);
  const { size } = await stat(join(world.directory, '00000005'));
  assert.ok(size < 100, 'its bytes are given back');
  for await (const found of world.store.inspect({ signal: NEVER })) {
    assert.deepEqual(found.kind === 'segment' ? found.damagedAt : [], []);
  }
  assert.deepEqual(await readAll(world.store, kept), patternBytes(BODY_BYTES));
});

test('a file that a crash left without its head keeps its number too', async () => {
  await using world = await World.open();
  await world.publish();
  await writeFile(join(world.directory, '00000002'), '');
  await world.reopen();
  await world.reopen();
  assert.equal(numberOf(await world.publish()), 3);
  await world.store.compact({ signal: NEVER });
  assert.deepEqual(await readdir(world.directory), ['00000001', '00000003']);
});

test('the first compaction after a start counts first what is alive', async () => {
  await using world = await World.open();
  const blobs: BlobRef[] = [];
  for (let count = 0; count < 4; count += 1) blobs.push(await world.publish());
  for (const blob of blobs.slice(0, 2)) await world.rows.forget(blob);
  await world.reopen();
  const freedBytes = await world.store.compact({ signal: NEVER });
  assert.ok(freedBytes > 2 * BODY_BYTES);
  assert.deepEqual(await readdir(world.directory), ['00000003', '00000004']);
});
