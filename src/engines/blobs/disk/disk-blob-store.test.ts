/** The disk engine keeps the contract, and never hands out a damaged block. */
import { strict as assert } from 'node:assert';
import { mkdtemp, open, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isServiceError } from '../../../core/errors.ts';
import type { BlobId, TimeMs } from '../../../core/ids.ts';
import type { BlobIdSource } from '../../../core/ports/blob-store.ts';
import {
  type BlobStoreFixture,
  keep,
  patternBytes,
  readAll,
  testBlobStore,
} from '../../../core/ports/blob-store-contract.ts';
import { blobFileName, blobFolders } from './blob-file.ts';
import { DiskBlobStore } from './disk-blob-store.ts';
import type { DiskIo } from './disk-io.ts';
import { realDisk } from './real-disk.ts';

function countingIds(): BlobIdSource {
  let next = 1;
  return {
    reserveBlobIds: async (count) => {
      const first = next as BlobId;
      next += count;
      return first;
    },
  };
}

async function openFixture(
  io: DiskIo = realDisk,
  minFreeBytes = 0,
): Promise<BlobStoreFixture & { directory: string; failures: Error[] }> {
  const root = await mkdtemp(join(tmpdir(), 'pinfold-blobs-'));
  const ids = countingIds();
  const failures: Error[] = [];
  const directory = join(root, 'blobs');
  const openStore = () =>
    DiskBlobStore.open({
      io,
      directory,
      ids,
      minFreeBytes,
      now: () => Date.now() as TimeMs,
      onSyncFailure: (error) => failures.push(error),
    });
  let store = await openStore();
  return {
    store,
    directory,
    failures,
    reopen: async () => {
      await store[Symbol.asyncDispose]();
      store = await openStore();
      return store;
    },
    close: async () => {
      await store[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

testBlobStore('disk files', () => openFixture());

test('a flipped bit is never served, whichever it is', async () => {
  const fixture = await openFixture();
  const bytes = patternBytes(200_000);
  const blob = await keep(fixture.store, bytes);
  const path = join(fixture.directory, ...blobFolders(blob.blobId), blobFileName(blob.blobId));
  const handle = await open(path, 'r+');
  const size = (await handle.stat()).size;
  for (let at = 0; at < size; at += at < 200_000 ? 9_973 : 1) {
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, at);
    await assert.rejects(readAll(fixture.store, blob), (error) => isServiceError(error, 'corrupt'));
    await handle.write(byte, 0, 1, at);
  }
  assert.deepEqual(await readAll(fixture.store, blob), bytes);
  await handle.close();
  await truncate(path, size - 1);
  await assert.rejects(fixture.store.open(blob), (error) => isServiceError(error, 'corrupt'));
  await fixture.close();
});

test('writes are refused below the floor of free space, and reads go on', async () => {
  let free = 10_000_000;
  const io: DiskIo = { ...realDisk, freeBytes: async () => free };
  const fixture = await openFixture(io, 1_000_000);
  const blob = await keep(fixture.store, patternBytes(1000));
  await assert.rejects(fixture.store.stage({ sizeBytes: 20_000_000 }), (error) =>
    isServiceError(error, 'storage_full'),
  );
  free = 0;
  const reopened = await fixture.reopen();
  await assert.rejects(reopened.stage({ sizeBytes: 1 }), (error) =>
    isServiceError(error, 'storage_full'),
  );
  assert.equal((await readAll(reopened, blob)).length, 1000);
  await reopened.remove([blob]);
  await fixture.close();
});

test('a failed sync makes the engine read-only, is told once and never tried again', async () => {
  let isBroken = false;
  let tries = 0;
  const io: DiskIo = {
    ...realDisk,
    createFile: async (path) => {
      const file = await realDisk.createFile(path);
      return {
        ...file,
        syncBytes: async () => {
          tries += 1;
          if (isBroken) throw Object.assign(new Error('i/o error'), { code: 'EIO' });
          await file.syncBytes();
        },
      };
    },
  };
  const fixture = await openFixture(io);
  const good = await keep(fixture.store, patternBytes(10));
  isBroken = true;
  const triesBefore = tries;
  await assert.rejects(keep(fixture.store, patternBytes(10)), (error) =>
    isServiceError(error, 'read_only'),
  );
  await assert.rejects(fixture.store.stage({ sizeBytes: 1 }), (error) =>
    isServiceError(error, 'read_only'),
  );
  assert.equal(tries, triesBefore + 1);
  assert.equal(fixture.failures.length, 1);
  assert.equal((await readAll(fixture.store, good)).length, 10);
  await fixture.close();
});

test('a full disk is said as such and leaves no file', async () => {
  const io: DiskIo = {
    ...realDisk,
    createFile: async (path) => ({
      ...(await realDisk.createFile(path)),
      write: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
    }),
  };
  const fixture = await openFixture(io);
  await assert.rejects(keep(fixture.store, patternBytes(10)), (error) =>
    isServiceError(error, 'storage_full'),
  );
  const files = await readdir(fixture.directory, { recursive: true, withFileTypes: true });
  assert.deepEqual(
    files.filter((entry) => entry.isFile()),
    [],
  );
  await fixture.close();
});
