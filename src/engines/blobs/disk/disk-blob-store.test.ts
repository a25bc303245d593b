/** The disk engine keeps the contract, and never hands out a damaged block. */
import { strict as assert } from 'node:assert';
import { mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBlobRows } from '../../../../tests/world/blob-rows.ts';
import { isServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import {
  type BlobStoreFixture,
  keep,
  patternBytes,
  readAll,
  testBlobStore,
} from '../../../core/ports/blob-store-contract.ts';
import { DiskBlobStore, type DiskBlobStoreOptions } from './disk-blob-store.ts';
import type { DiskIo } from './disk-io.ts';
import { blobFileName, blobFolders } from './files/blob-file.ts';
import { realDisk } from './real-disk.ts';
import { RECORD_HEADER_BYTES } from './segments/segment-format.ts';

async function openFixture(
  io: DiskIo = realDisk,
  options: Pick<Partial<DiskBlobStoreOptions>, 'minFreeBytes' | 'segmentBytesMax'> &
    Pick<DiskBlobStoreOptions, 'openReadersMax'> = {},
): Promise<BlobStoreFixture & { directory: string; failures: Error[]; damage: number[] }> {
  const root = await mkdtemp(join(tmpdir(), 'pinfold-blobs-'));
  const rows = await openBlobRows();
  const failures: Error[] = [];
  const damage: number[] = [];
  const directory = join(root, 'blobs');
  const openStore = () =>
    DiskBlobStore.open({
      io,
      directory,
      ids: rows.metadata,
      rows: rows.metadata,
      minFreeBytes: 0,
      ...options,
      now: () => Date.now() as TimeMs,
      onSyncFailure: (error) => failures.push(error),
      onDamage: (_segment, offsets) => damage.push(...offsets),
    });
  let store = await openStore();
  return {
    ...rows,
    store,
    directory,
    failures,
    damage,
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

testBlobStore('disk', () => openFixture());
testBlobStore('disk, files open only while they are read', () =>
  openFixture(realDisk, { openReadersMax: 0 }),
);
testBlobStore('disk, small segments', () => openFixture(realDisk, { segmentBytesMax: 300_000 }));

test('a file that is read by many goes when the last of them has ended', async () => {
  const fixture = await openFixture(realDisk, { openReadersMax: 1 });
  const { store, directory } = fixture;
  const bytes = patternBytes(300_000);
  const blob = await keep(store, bytes);
  const path = join(directory, ...blobFolders(blob.blobId), blobFileName(blob.blobId));
  const [open, parked, other] = [
    await store.open(blob),
    await store.open(blob),
    await store.open(blob),
  ];
  await store.remove([blob]);
  for await (const listed of store.list()) assert.notEqual(listed.blobId, blob.blobId);
  await open.close();
  await parked.close();
  await parked.close();
  await stat(path);
  const chunks: Buffer[] = [];
  await other.read(
    { start: 0, end: bytes.length },
    (chunk) => void chunks.push(Buffer.from(chunk)),
  );
  assert.deepEqual(Buffer.concat(chunks), Buffer.from(bytes));
  await other.close();
  await assert.rejects(stat(path), { code: 'ENOENT' });
  await assert.rejects(store.open(blob), (error) => isServiceError(error, 'object_not_found'));
  await fixture.close();
});

test('a blob that is given up while its file is being made leaves none, and is not counted', async () => {
  const making = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  let openFiles = 0;
  const io: DiskIo = {
    ...realDisk,
    createFile: async (path) => {
      if (!/[0-9a-f]{16}$/.test(path)) return await realDisk.createFile(path);
      making.resolve();
      await goOn.promise;
      const file = await realDisk.createFile(path);
      openFiles += 1;
      const close = async () => {
        openFiles -= 1;
        await file.close();
      };
      return { ...file, close };
    },
  };
  const fixture = await openFixture(io);
  const { store } = fixture;
  for await (const _ of store.list()) assert.fail('there is nothing yet');
  const writer = await store.stage({ sizeBytes: undefined });
  const writing = writer.write(patternBytes(300_000));
  await making.promise;
  const releasing = writer.release();
  goOn.resolve();
  await writing;
  await releasing;
  assert.equal(openFiles, 0);
  for await (const _ of store.inspect({ signal: new AbortController().signal })) {
    assert.fail('something is left');
  }
  assert.equal(store instanceof DiskBlobStore && store.statistics().blobFiles, 0);
  await fixture.close();
});

test('a small blob whose publication was refused is dead at once', async () => {
  const fixture = await openFixture();
  const { store } = fixture;
  assert(store instanceof DiskBlobStore);
  const blob = await keep(store, patternBytes(1000));
  await fixture.publish(blob);
  const { deadBytes } = store.statistics();
  const writer = await store.stage({ sizeBytes: 1000 });
  await writer.write(patternBytes(1000));
  await writer.commit();
  await writer.release({ isRefused: true });
  await writer.release({ isRefused: true });
  assert.equal(store.statistics().deadBytes - deadBytes, RECORD_HEADER_BYTES + 1000);
  await fixture.close();
});

test('a flipped bit in a file is never served, whichever it is', async () => {
  const fixture = await openFixture();
  const bytes = patternBytes(300_000);
  const blob = await keep(fixture.store, bytes);
  const path = join(fixture.directory, ...blobFolders(blob.blobId), blobFileName(blob.blobId));
  const handle = await open(path, 'r+');
  const size = (await handle.stat()).size;
  for (let at = 0; at < size; at += at < 300_000 ? 9_973 : 1) {
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
  const fixture = await openFixture(io, { minFreeBytes: 1_000_000 });
  const blob = await keep(fixture.store, patternBytes(1000));
  await fixture.publish(blob);
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

test('a full disk is said as such, leaves no file, and a later write goes on', async () => {
  let isFull = false;
  const io: DiskIo = {
    ...realDisk,
    createFile: async (path) => {
      const file = await realDisk.createFile(path);
      const write: typeof file.write = (chunks, position) =>
        isFull
          ? Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
          : file.write(chunks, position);
      return { ...file, write };
    },
  };
  const fixture = await openFixture(io);
  isFull = true;
  for (const size of [10, 400_000]) {
    await assert.rejects(keep(fixture.store, patternBytes(size)), (error) =>
      isServiceError(error, 'storage_full'),
    );
  }
  const files = await readdir(fixture.directory, { recursive: true, withFileTypes: true });
  assert.deepEqual(
    files.filter((entry) => entry.isFile() && entry.name !== 'OWNER'),
    [],
  );
  isFull = false;
  for (const size of [10, 400_000]) {
    const blob = await keep(fixture.store, patternBytes(size));
    assert.deepEqual(await readAll(fixture.store, blob), patternBytes(size));
  }
  await fixture.close();
});

test('a flipped bit in a segment is never served, whichever it is', async () => {
  const fixture = await openFixture();
  const blob = await keep(fixture.store, patternBytes(5000));
  const path = join(fixture.directory, 'segments', '00000001');
  const handle = await open(path, 'r+');
  for (let at = 32; at < 32 + 32 + 5000; at += at < 64 ? 1 : 97) {
    // Bytes 4 to 11 of a record header are reserved, yet the header's sum covers them.
    const byte = Buffer.alloc(1);
    await handle.read(byte, 0, 1, at);
    await handle.write(Buffer.from([(byte[0] ?? 0) ^ 0x01]), 0, 1, at);
    await assert.rejects(readAll(fixture.store, blob), (error) => isServiceError(error, 'corrupt'));
    await handle.write(byte, 0, 1, at);
  }
  assert.deepEqual(await readAll(fixture.store, blob), patternBytes(5000));
  await handle.close();
  await fixture.close();
});

test('a start cuts the tail that no row names and reports damage below it', async () => {
  const fixture = await openFixture();
  const blobs = [];
  for (let index = 0; index < 4; index += 1) {
    const blob = await keep(fixture.store, patternBytes(1000, index));
    await fixture.publish(blob);
    blobs.push(blob);
  }
  await keep(fixture.store, patternBytes(1000, 9));
  const path = join(fixture.directory, 'segments', '00000001');
  const handle = await open(path, 'r+');
  const endBytes = 32 + 4 * 1032;
  await handle.write(Buffer.alloc(700, 7), 0, 700, endBytes + 1032);
  await handle.write(Buffer.from([0xff]), 0, 1, 32 + 1032 + 40);
  await handle.close();
  const store = await fixture.reopen();
  assert.equal((await stat(path)).size, endBytes);
  assert.deepEqual(fixture.damage, [32 + 1032]);
  for (const [index, blob] of blobs.entries()) {
    if (index === 1) {
      await assert.rejects(readAll(store, blob), (error) => isServiceError(error, 'corrupt'));
    } else {
      assert.deepEqual(await readAll(store, blob), patternBytes(1000, index));
    }
  }
  const next = await keep(store, patternBytes(2000));
  assert.equal(next.location, `s1.1.${endBytes}`);
  await fixture.close();
});

test('damage in the last record that a row names is reported, and never cut', async () => {
  const fixture = await openFixture();
  const blob = await keep(fixture.store, patternBytes(1000));
  await fixture.publish(blob);
  const path = join(fixture.directory, 'segments', '00000001');
  const handle = await open(path, 'r+');
  await handle.write(Buffer.from([0xff]), 0, 1, 32 + 20);
  await handle.close();
  const store = await fixture.reopen();
  assert.deepEqual(fixture.damage, [32]);
  assert.equal((await stat(path)).size, 32 + 1032);
  await assert.rejects(readAll(store, blob), (error) => isServiceError(error, 'corrupt'));
  const next = await keep(store, patternBytes(50));
  assert.deepEqual(await readAll(store, next), patternBytes(50));
  await fixture.close();
});

test('blobs of another database are refused, and none is touched', async () => {
  const fixture = await openFixture();
  for (const size of [1000, 400_000])
    await fixture.publish(await keep(fixture.store, patternBytes(size)));
  await fixture.store[Symbol.asyncDispose]();
  const before = await readdir(fixture.directory, { recursive: true });
  const other = await openBlobRows();
  const openOther = () =>
    DiskBlobStore.open({
      io: realDisk,
      directory: fixture.directory,
      ids: other.metadata,
      rows: other.metadata,
      minFreeBytes: 0,
      now: () => Date.now() as TimeMs,
      onSyncFailure: () => undefined,
      onDamage: () => undefined,
    });
  await assert.rejects(openOther(), (error) => isServiceError(error, 'unavailable'));
  // Without its mark too: a new database names nothing of what stands there.
  await rm(join(fixture.directory, 'OWNER'));
  await assert.rejects(openOther(), (error) => isServiceError(error, 'unavailable'));
  assert.deepEqual(
    (await readdir(fixture.directory, { recursive: true })).sort(),
    before.filter((name) => name !== 'OWNER').sort(),
  );
  // A restored directory has no mark either, but its rows name what stands there.
  const store = await fixture.reopen();
  for await (const blob of store.list()) assert.ok((await readAll(store, blob)).length > 0);
  await fixture.close();
});

test('an id whose file stands already is passed over', async () => {
  const fixture = await openFixture();
  const blob = await keep(fixture.store, patternBytes(400_000));
  const [outer, inner] = blobFolders(blob.blobId);
  const next = blobFileName((blob.blobId + 1) as typeof blob.blobId);
  await writeFile(join(fixture.directory, outer, inner, next), 'from another life');
  const after = await keep(fixture.store, patternBytes(400_001));
  assert.equal(after.blobId, blob.blobId + 2);
  assert.deepEqual(await readAll(fixture.store, after), patternBytes(400_001));
  await fixture.close();
});
