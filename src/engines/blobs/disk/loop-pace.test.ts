/** Proves that one slow call sends others to the thread pool, and that fast ones come back. */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobRows } from '../../../../tests/world/blob-rows.ts';
import type { TimeMs } from '../../../core/ids.ts';
import { keep, patternBytes, readAll } from '../../../core/ports/blob-store-contract.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import type { DiskFile, DiskIo } from './disk-io.ts';
import { LoopPace } from './loop-pace.ts';
import { realDisk } from './real-disk.ts';

/** Calls that take as long as they are told. */
class World {
  nowMs = 0;
  slow = 0;
  readonly pace = new LoopPace({
    onSlow: () => {
      this.slow += 1;
    },
    elapsedMs: () => this.nowMs,
  });

  /** Answers where the call was made. */
  async call(tookMs: number): Promise<'loop' | 'pool'> {
    let place: 'loop' | 'pool' = 'loop';
    const took = () => {
      this.nowMs += tookMs;
      return 1;
    };
    await this.pace.run(took, async () => {
      place = 'pool';
      return took();
    });
    return place;
  }
}

test('one slow call sends the next to the pool for a while', async () => {
  const world = new World();
  assert.equal(await world.call(0), 'loop');
  assert.equal(await world.call(20), 'loop');
  assert.equal(await world.call(0), 'pool');
  world.nowMs += 999;
  assert.equal(await world.call(0), 'pool');
  world.nowMs += 1;
  assert.equal(await world.call(0), 'loop');
  assert.equal(await world.call(0), 'loop');
  assert.equal(world.slow, 1);
});

test('calls stay in the pool as long as they are slow there', async () => {
  const world = new World();
  await world.call(20);
  for (let count = 0; count < 50; count += 1) {
    assert.equal(await world.call(20), 'pool');
    world.nowMs += 900;
  }
  world.nowMs += 100;
  assert.equal(await world.call(0), 'loop');
  assert.equal(world.slow, 1);
});

test('a disk that is slow again and again holds up the loop once a minute', async () => {
  const world = new World();
  const tried: number[] = [];
  for (let count = 0; count < 100; count += 1) {
    // Fast in the pool, slow on the loop: the worst that can be.
    while ((await world.call(0)) === 'pool') world.nowMs += 100;
    await world.call(20);
    tried.push(world.nowMs);
  }
  const pauses = tried.slice(1).map((atMs, index) => atMs - (tried[index] ?? 0));
  assert.ok((pauses[0] ?? 0) < 3000, 'the second time soon');
  assert.ok((pauses.at(-1) ?? 0) >= 60_000);
  world.nowMs += 200_000;
  await world.call(20);
  world.nowMs += 1000;
  assert.equal(await world.call(0), 'loop', 'one that was fast for long is tried soon');
});

test('slow reads and writes of segments leave the event loop, each by itself', async () => {
  const root = await mkdtemp(join(tmpdir(), 'pinfold-pace-'));
  const { metadata } = await openBlobRows();
  const calls: string[] = [];
  const slow: string[] = [];
  try {
    await using store = await DiskBlobStore.open({
      io: slowDisk(calls),
      directory: join(root, 'blobs'),
      ids: metadata,
      rows: metadata,
      minFreeBytes: 0,
      now: () => Date.now() as TimeMs,
      onSyncFailure: (error) => assert.fail(error),
      onDamage: (segment) => assert.fail(`segment ${segment} is damaged`),
      onSlowCall: (kind) => slow.push(kind),
    });
    const blob = await keep(store, patternBytes(2000));
    calls.length = 0;
    const writes = [await keep(store, patternBytes(2000)), await keep(store, patternBytes(2000))];
    assert.deepEqual(calls, ['write', 'write'], 'the first write of all was slow');
    calls.length = 0;
    for (let count = 0; count < 4; count += 1) {
      assert.deepEqual(await readAll(store, blob), patternBytes(2000));
    }
    assert.deepEqual(calls, ['read', 'readNow', 'read', 'read']);
    for (const kept of writes) assert.deepEqual(await readAll(store, kept), patternBytes(2000));
    assert.deepEqual(slow, ['write', 'read']);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

/** The real disk, slow on the event loop; notes the calls. */
function slowDisk(calls: string[]): DiskIo {
  return { ...realDisk, createFile: async (path) => slowFile(await realDisk.createFile(path)) };

  function slowFile(file: DiskFile): DiskFile {
    const hold = () => {
      const endMs = performance.now() + 8;
      while (performance.now() < endMs);
    };
    return {
      ...file,
      write: (chunks, position) => {
        calls.push('write');
        return file.write(chunks, position);
      },
      read: (buffer, position) => {
        calls.push('read');
        return file.read(buffer, position);
      },
      writeNow: (chunks, position) => {
        calls.push('writeNow');
        hold();
        return file.writeNow?.(chunks, position) ?? 0;
      },
      readNow: (buffer, position) => {
        calls.push('readNow');
        hold();
        return file.readNow?.(buffer, position) ?? 0;
      },
    };
  }
}
