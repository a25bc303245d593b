/**
 * Proves that only the answer of a sync is a failed sync: what cannot be opened or made, wherever
 * it stands, fails its own write alone, which is not acknowledged; the next one goes through.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobRows } from '../../../../tests/world/blob-rows.ts';
import { isServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import { keep, patternBytes, readAll } from '../../../core/ports/blob-store-contract.ts';
import { SyncUnreached, syncDirectory } from '../../data-directory/durable-file.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import type { DiskIo } from './disk-io.ts';
import { realDisk } from './real-disk.ts';

const SMALL_BYTES = 10_000;
const LARGE_BYTES = 300_000;
/** The second small record needs a new segment. */
const SEGMENT_BYTES_MAX = 15_000;

type Operation = 'createFile' | 'makeDirectory' | 'syncDirectory';

/** Each open, and each making of a folder, on the way of a write. */
const CASES: readonly {
  readonly operation: Operation;
  readonly path: RegExp;
  readonly sizeBytes: number;
}[] = [
  { operation: 'createFile', path: /\/segments\/\d+$/, sizeBytes: SMALL_BYTES },
  { operation: 'syncDirectory', path: /\/segments$/, sizeBytes: SMALL_BYTES },
  { operation: 'makeDirectory', path: /\/blobs\/..$/, sizeBytes: LARGE_BYTES },
  { operation: 'syncDirectory', path: /\/blobs$/, sizeBytes: LARGE_BYTES },
  { operation: 'makeDirectory', path: /\/blobs\/..\/..$/, sizeBytes: LARGE_BYTES },
  { operation: 'syncDirectory', path: /\/blobs\/..$/, sizeBytes: LARGE_BYTES },
  { operation: 'createFile', path: /\/blobs\/..\/..\/\w+$/, sizeBytes: LARGE_BYTES },
  { operation: 'syncDirectory', path: /\/blobs\/..\/..$/, sizeBytes: LARGE_BYTES },
];

const isUnavailable = (error: unknown) => isServiceError(error, 'unavailable');

for (const { operation, path, sizeBytes } of CASES) {
  for (const code of ['EMFILE', 'ENFILE', 'EACCES']) {
    test(`${code} at ${operation} of ${path.source} fails that write alone`, async () => {
      const root = await mkdtemp(join(tmpdir(), 'pinfold-unreached-'));
      const rows = await openBlobRows();
      let isFailing = false;
      let met = 0;
      const failures: string[] = [];
      const fail = (asked: Operation, at: string) => {
        if (!isFailing || asked !== operation || !path.test(at)) return;
        met += 1;
        const cause = Object.assign(new Error(`${code}: ${at}`), { code });
        throw asked === 'syncDirectory' ? new SyncUnreached(at, cause) : cause;
      };
      const open = (io: DiskIo) => openStore({ io, root, rows: rows.metadata, failures });
      try {
        {
          await using store = await open(failingDisk(fail));
          if (sizeBytes === SMALL_BYTES) await rows.publish(await keep(store, patternBytes(5001)));
          isFailing = true;
          await assert.rejects(keep(store, patternBytes(sizeBytes)), isUnavailable);
          await assert.rejects(keep(store, patternBytes(sizeBytes)), isUnavailable);
          assert.ok(met >= 2, 'the failure was met');
          isFailing = false;
          await store.check();
          const kept = await keep(store, patternBytes(sizeBytes));
          await rows.publish(kept);
          assert.deepEqual(await readAll(store, kept), patternBytes(sizeBytes));
        }
        await using again = await open(realDisk);
        for (const blob of await rows.metadata.listBlobs({ after: undefined, limit: 9 })) {
          assert.deepEqual(await readAll(again, blob), patternBytes(blob.sizeBytes));
        }
        assert.deepEqual(failures, [], 'no sync has failed');
      } finally {
        await rm(root, { recursive: true, force: true });
      }
    });
  }
}

test('a blob that cannot be opened for want of descriptors is there all the same', async () => {
  const root = await mkdtemp(join(tmpdir(), 'pinfold-unreached-'));
  const { metadata } = await openBlobRows();
  let isFailing = false;
  const io: DiskIo = {
    ...realDisk,
    openFile: async (path) => {
      if (isFailing) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
      return await realDisk.openFile(path);
    },
  };
  try {
    await using store = await openStore({ io, root, rows: metadata, failures: [] });
    const large = await keep(store, patternBytes(LARGE_BYTES));
    isFailing = true;
    await assert.rejects(readAll(store, large), isUnavailable);
    isFailing = false;
    assert.deepEqual(await readAll(store, large), patternBytes(LARGE_BYTES));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

test('a folder that cannot be opened has not failed to sync', async () => {
  const absent = join(tmpdir(), 'pinfold-never-made');
  await assert.rejects(syncDirectory(absent), (error) => error instanceof SyncUnreached);
  await assert.rejects(realDisk.syncDirectory(absent), (error) => error instanceof SyncUnreached);
});

function failingDisk(fail: (operation: Operation, path: string) => void): DiskIo {
  return {
    ...realDisk,
    createFile: async (path) => {
      fail('createFile', path);
      return await realDisk.createFile(path);
    },
    makeDirectory: async (path) => {
      fail('makeDirectory', path);
      return await realDisk.makeDirectory(path);
    },
    syncDirectory: async (path) => {
      fail('syncDirectory', path);
      await realDisk.syncDirectory(path);
    },
  };
}

function openStore(parts: {
  readonly io: DiskIo;
  readonly root: string;
  readonly rows: Awaited<ReturnType<typeof openBlobRows>>['metadata'];
  readonly failures: string[];
}): Promise<DiskBlobStore> {
  return DiskBlobStore.open({
    io: parts.io,
    directory: join(parts.root, 'blobs'),
    ids: parts.rows,
    rows: parts.rows,
    minFreeBytes: 0,
    now: () => Date.now() as TimeMs,
    segmentBytesMax: SEGMENT_BYTES_MAX,
    onSyncFailure: (error) => parts.failures.push(error.message),
    onDamage: (segment) => assert.fail(`segment ${segment} is damaged`),
  });
}
