/**
 * A disk that fails in the middle of others' work: a sync that failed is not made good by the next
 * one, nothing is acknowledged after it, and what a failed write left is never taken for a record.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobRows } from '../../../../tests/world/blob-rows.ts';
import { isServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import { keep, patternBytes, readAll } from '../../../core/ports/blob-store-contract.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import type { DiskFile, DiskIo } from './disk-io.ts';
import { realDisk } from './real-disk.ts';

const SEGMENT_BYTES_MAX = 100_000;
const isReadOnly = (error: unknown) => isServiceError(error, 'read_only');
const ioError = () => Object.assign(new Error('i/o error'), { code: 'EIO' });

type Hooks = {
  readonly beforeSync?: (path: string) => Promise<void>;
  readonly beforeFolderSync?: (path: string) => Promise<void>;
  /** Writes in place of the disk when it answers a promise. */
  readonly write?: (file: DiskFile, chunks: readonly Uint8Array[], position: number) => unknown;
};

/** The real disk with something before its calls. */
function hookedDisk(hooks: Hooks): DiskIo {
  return {
    ...realDisk,
    createFile: async (path) => {
      const { writeNow: _writeNow, ...file } = await realDisk.createFile(path);
      return {
        ...file,
        write: async (chunks, position) => {
          await hooks.write?.(file, chunks, position);
          return await file.write(chunks, position);
        },
        syncBytes: async () => {
          await hooks.beforeSync?.(path);
          await file.syncBytes();
        },
      };
    },
    syncDirectory: async (path) => {
      await hooks.beforeFolderSync?.(path);
      await realDisk.syncDirectory(path);
    },
  };
}

async function openFixture(hooks: Hooks) {
  const root = await mkdtemp(join(tmpdir(), 'pinfold-failing-'));
  const rows = await openBlobRows();
  const failures: string[] = [];
  const damage: number[] = [];
  const openStore = (io: DiskIo) =>
    DiskBlobStore.open({
      io,
      directory: join(root, 'blobs'),
      ids: rows.metadata,
      rows: rows.metadata,
      minFreeBytes: 0,
      now: () => Date.now() as TimeMs,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      onSyncFailure: (error) => failures.push(error.message),
      onDamage: (_segment, offsets) => damage.push(...offsets),
    });
  let store = await openStore(hookedDisk(hooks));
  return {
    ...rows,
    failures,
    damage,
    segments: () => readdir(join(root, 'blobs', 'segments')),
    get store() {
      return store;
    },
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openStore(realDisk);
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

test('what a failed write left is cut before the next segment is begun', async () => {
  let isFull = false;
  await using fixture = await openFixture({
    write: async (file, chunks, position) => {
      if (!isFull) return;
      await file.write([Buffer.concat(chunks).subarray(0, 50)], position);
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    },
  });
  const first = await keep(fixture.store, patternBytes(40_000));
  await fixture.publish(first);
  isFull = true;
  await assert.rejects(keep(fixture.store, patternBytes(50_000)), (error) =>
    isServiceError(error, 'storage_full'),
  );
  isFull = false;
  const second = await keep(fixture.store, patternBytes(90_000));
  await fixture.publish(second);
  assert.equal((await fixture.segments()).length, 2);
  await fixture.reopen();
  for await (const kept of fixture.store.inspect({ signal: AbortSignal.any([]) })) {
    assert.deepEqual(kept.kind === 'segment' ? kept.damagedAt : [], []);
  }
  await fixture.forget(first);
  await fixture.store.sweep({ graceMs: 0, signal: AbortSignal.any([]) });
  await fixture.store.compact({ signal: AbortSignal.any([]) });
  assert.equal((await fixture.segments()).length, 1, 'the dead segment is given back');
  assert.deepEqual(fixture.damage, []);
});

test('after the failed sync of a segment nothing more is synced, and none is begun', async () => {
  let syncs = 0;
  const isSynced = Promise.withResolvers<void>();
  await using fixture = await openFixture({
    beforeSync: async () => {
      syncs += 1;
      // The first is of the head. Who comes meanwhile waits for the second, which fails.
      if (syncs === 1) return;
      await isSynced.promise;
      throw ioError();
    },
  });
  const behind = keep(fixture.store, patternBytes(1000));
  while (syncs < 2) await new Promise((resolve) => setImmediate(resolve));
  const sameSegment = keep(fixture.store, patternBytes(1000));
  const nextSegment = keep(fixture.store, patternBytes(99_000));
  const outcomes = Promise.allSettled([behind, sameSegment, nextSegment]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  isSynced.resolve();
  for (const outcome of await outcomes) {
    assert.ok(outcome.status === 'rejected' && isReadOnly(outcome.reason));
  }
  assert.equal(syncs, 2, 'a failed sync is not tried again');
  assert.deepEqual(await fixture.segments(), ['00000001']);
  assert.deepEqual(fixture.failures, ['i/o error']);
});

test('a file whose folder another one could not sync is not acknowledged', async () => {
  const isFirstInFolder = Promise.withResolvers<void>();
  const isSecondWritten = Promise.withResolvers<void>();
  let folderSyncs = 0;
  await using fixture = await openFixture({
    beforeSync: async (path) => {
      if (folderSyncs === 0 || path.includes('segments')) return;
      // The second file: its bytes are synced after the folder's sync has failed for the first.
      isSecondWritten.resolve();
      await isFirstInFolder.promise;
    },
    beforeFolderSync: async (path) => {
      if (!/\/blobs\/..\/..$/.test(path)) return;
      folderSyncs += 1;
      if (folderSyncs > 1) return;
      await isSecondWritten.promise;
      throw ioError();
    },
  });
  const first = keep(fixture.store, patternBytes(300_000)).finally(isFirstInFolder.resolve);
  const firstOutcome = assert.rejects(first, isReadOnly);
  while (folderSyncs === 0) await new Promise((resolve) => setImmediate(resolve));
  await assert.rejects(keep(fixture.store, patternBytes(300_000)), isReadOnly);
  await firstOutcome;
  assert.deepEqual(fixture.failures, ['i/o error']);
});

test('a new folder whose name cannot be synced makes the store read-only', async () => {
  await using fixture = await openFixture({
    beforeFolderSync: async (path) => {
      if (/\/blobs\/..$/.test(path)) throw ioError();
    },
  });
  const small = await keep(fixture.store, patternBytes(10));
  await assert.rejects(keep(fixture.store, patternBytes(300_000)), isReadOnly);
  await assert.rejects(fixture.store.stage({ sizeBytes: 300_000 }), isReadOnly);
  assert.deepEqual(fixture.failures, ['i/o error']);
  assert.deepEqual(await readAll(fixture.store, small), patternBytes(10));
});
