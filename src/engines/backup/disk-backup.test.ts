/**
 * Proves that a backup is a moment of the store, whatever happens to the store meanwhile, that it
 * copies only what is new, and that nothing it holds is lost when it is stopped or the store rots.
 */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededChance } from '../../../tests/world/seeded-chance.ts';
import {
  openSmallStore,
  type SmallStore,
  smallStorePaths,
  UNWATCHED,
} from '../../../tests/world/small-store.ts';
import { patternBytes } from '../../core/ports/blob-store-contract.ts';
import { BackupError, type BackupFault } from '../../core/ports/store-backup.ts';
import { parsePlace } from '../blobs/disk/segments/segment-format.ts';
import { blobPath } from './backup-layout.ts';
import type { BackupStep } from './disk-backup.ts';
import { restoreBackup } from './restore-backup.ts';

const root = await mkdtemp(join(tmpdir(), 'pinfold-backup-'));
after(() => rm(root, { recursive: true, force: true }));

let made = 0;
function freshPath(): string {
  made += 1;
  return join(root, `case-${made}`);
}

/** Restores a backup with the keys of `store` and opens what it gives. */
async function restored(from: string, store: SmallStore): Promise<SmallStore> {
  const directory = freshPath();
  const { masterKeyFile } = smallStorePaths(store.directory).paths;
  await restoreBackup(smallStorePaths(directory), { directory: from, masterKeyFile }, UNWATCHED);
  return await openSmallStore(directory);
}

async function contentOf(store: SmallStore): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for (const key of await store.keys()) content.set(key, hashOf(await store.read(key)));
  return content;
}

function hashOf(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'none' : createHash('sha256').update(bytes).digest('hex');
}

function failedAs(fault: BackupFault): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof BackupError && error.fault === fault) return true;
    throw error;
  };
}

async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, at);
  byte.writeUInt8((byte[0] ?? 0) ^ 0x40);
  await file.write(byte, 0, 1, at);
  await file.close();
}

const SIZES = [0, 1, 900, 4096, 30_000, 100_000, 262_144, 300_000, 700_000];

test('backups under load hold a moment, and verify finds nothing wrong meanwhile', async () => {
  const store = await openSmallStore(freshPath());
  const chance = seededChance(3);
  const bytesOf = (seed: number) =>
    patternBytes(SIZES[Math.floor(chance() * SIZES.length)] ?? 0, seed);
  const stable = new Map<string, string>();
  for (let index = 0; index < 60; index += 1) {
    const bytes = bytesOf(index);
    stable.set(`stable-${index}`, hashOf(bytes));
    await store.put(`stable-${index}`, bytes);
  }
  // What each other key may hold: as acknowledged last, and what was asked for since.
  const possible = new Map<string, string[]>();
  let isOver = false;
  let seed = 1000;
  const work = async (worker: number) => {
    while (!isOver) {
      const key = `busy-${worker}-${Math.floor(chance() * 6)}`;
      const states = possible.get(key) ?? ['none'];
      possible.set(key, states);
      seed += 1;
      const bytes = chance() < 0.3 ? undefined : bytesOf(seed);
      states.push(hashOf(bytes));
      if (bytes === undefined) await store.remove(key);
      else await store.put(key, bytes);
    }
  };
  let freed = 0;
  const tidy = async () => {
    while (!isOver) {
      freed += await store.tidyUp();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const workers = [work(0), work(1), work(2), tidy()];
  const to = freshPath();
  for (let run = 0; run < 4; run += 1) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const [key, states] of possible) possible.set(key, states.slice(-2));
    const report = await store.backUp(to);
    assert.deepEqual(report.losses, []);
    const { findings } = await store.verify(3_600_000);
    assert.deepEqual(findings, []);
  }
  isOver = true;
  await Promise.all(workers);
  assert.ok(freed > 0, 'segments were compacted meanwhile');
  assert.deepEqual((await store.verify(3_600_000)).findings, []);

  const copy = await restored(to, store);
  assert.deepEqual((await copy.verify()).findings, []);
  const content = await contentOf(copy);
  for (const [key, hash] of stable) assert.equal(content.get(key), hash, key);
  for (const [key, states] of possible) {
    assert.ok(states.includes(content.get(key) ?? 'none'), key);
  }
  await copy.close();
  await store.close();
});

test('a second backup copies only what is new, and drops what is gone', async () => {
  const store = await openSmallStore(freshPath());
  for (let index = 0; index < 8; index += 1) {
    await store.put(`small-${index}`, patternBytes(50_000, index));
    await store.put(`large-${index}`, patternBytes(400_000, index));
  }
  const to = freshPath();
  const first = await store.backUp(to);
  assert.equal(first.blobs, 16);
  assert.equal(first.blobBytes, 8 * 450_000);
  assert.ok(first.copiedBytes > first.blobBytes);
  const metadataBytes = async () =>
    (await stat(join(to, String((await readdir(to)).find((name) => name.endsWith('.db')))))).size;

  const second = await store.backUp(to);
  assert.equal(second.copiedBytes, await metadataBytes());
  assert.ok(second.reusedBytes >= second.blobBytes);

  const gone = await store.put('gone', patternBytes(500_000, 90));
  await store.put('small-new', patternBytes(20_000, 91));
  const third = await store.backUp(to);
  const newBytes = third.copiedBytes - (await metadataBytes());
  assert.ok(newBytes >= 520_000 && newBytes < 521_000, `${newBytes} new bytes`);

  await store.remove('gone');
  await store.backUp(to);
  await assert.rejects(stat(blobPath(join(to, 'blobs'), gone)), { code: 'ENOENT' });
  assert.equal((await readdir(to)).filter((name) => name.startsWith('metadata-')).length, 1);
  const copy = await restored(to, store);
  assert.deepEqual(await contentOf(copy), await contentOf(store));
  await copy.close();
  await store.close();
});

test('a backup that stops at any step leaves the former one whole', async () => {
  let stopAt: BackupStep | undefined;
  const stop = new Error('on purpose');
  const store = await openSmallStore(freshPath(), {
    onStep: (step) => {
      if (step === stopAt) throw stop;
    },
  });
  const to = freshPath();
  await store.put('small', patternBytes(10_000, 1));
  await store.put('large', patternBytes(300_000, 2));
  stopAt = 'blobs_copied';
  await assert.rejects(store.backUp(to), stop);
  await assert.rejects(restored(to, store), failedAs('backup_missing'));
  stopAt = undefined;
  await store.backUp(to);
  let held = await contentOf(store);
  for (const step of ['metadata_copied', 'blobs_copied', 'manifest_placed'] as const) {
    await store.put('small', patternBytes(10_000, 3));
    await store.put(`more-${step}`, patternBytes(20_000, 4));
    await store.put('large', patternBytes(300_000, 5));
    stopAt = step;
    await assert.rejects(store.backUp(to), stop);
    if (step === 'manifest_placed') held = await contentOf(store);
    const copy = await restored(to, store);
    assert.deepEqual(await contentOf(copy), held);
    assert.deepEqual((await copy.verify()).findings, []);
    await copy.close();
  }
  stopAt = undefined;
  await store.backUp(to);
  const leftOver = (await readdir(to, { recursive: true })).filter((name) => name.endsWith('.new'));
  assert.deepEqual(leftOver, []);
  // The holds of the stopped ones have ended.
  await store.remove('large');
  await store.tidyUp();
  assert.deepEqual((await store.verify()).findings, []);
  await store.close();
});

test('a segment that was cut and written anew between two backups is copied anew', async () => {
  const directory = freshPath();
  let store = await openSmallStore(directory);
  await store.put('kept', patternBytes(10_000, 1));
  await store.put('cut', patternBytes(20_000, 2));
  const to = freshPath();
  await store.backUp(to);
  await store.remove('cut');
  await store.tidyUp();
  await store.close();
  store = await openSmallStore(directory);
  const blobId = await store.put('anew', patternBytes(20_000, 3));
  const [blob] = await store.metadata.findBlobs([blobId]);
  assert.ok((parsePlace(blob?.location ?? assert.fail())?.offset ?? 0) < 20_000, 'it was cut');
  await store.backUp(to);
  const copy = await restored(to, store);
  assert.deepEqual(await contentOf(copy), await contentOf(store));
  assert.deepEqual((await copy.verify()).findings, []);
  await copy.close();
  await store.close();
});

test('what rots in the store stays good in the backup, and is said', async () => {
  const store = await openSmallStore(freshPath());
  const small = await store.put('small', patternBytes(10_000, 1));
  const large = await store.put('large', patternBytes(300_000, 2));
  const to = freshPath();
  await store.backUp(to);
  const { blobDirectory } = smallStorePaths(store.directory);
  const [blob] = await store.metadata.findBlobs([small]);
  const place = parsePlace(blob?.location ?? assert.fail()) ?? assert.fail();
  const segment = join(blobDirectory, 'segments', String(place.segment).padStart(8, '0'));
  await flipByte(segment, place.offset + 500);
  await flipByte(blobPath(blobDirectory, large), 70_000);
  const rotten = await store.put('rotten', patternBytes(400_000, 3));
  await flipByte(blobPath(blobDirectory, rotten), 7);
  const lost = await store.put('lost', patternBytes(400_000, 4));
  await rm(blobPath(blobDirectory, lost));
  await store.put('small, later', patternBytes(10_000, 5));

  const expected = [
    { blobId: rotten, reason: 'damaged' },
    { blobId: lost, reason: 'missing' },
  ];
  for (let run = 0; run < 2; run += 1) {
    const { losses } = await store.backUp(to);
    assert.deepEqual(
      losses.toSorted((a, b) => a.blobId - b.blobId),
      expected,
    );
  }
  const copy = await restored(to, store);
  assert.equal(hashOf(await copy.read('small')), hashOf(patternBytes(10_000, 1)));
  assert.equal(hashOf(await copy.read('large')), hashOf(patternBytes(300_000, 2)));
  assert.equal(hashOf(await copy.read('small, later')), hashOf(patternBytes(10_000, 5)));
  const { findings } = await copy.verify();
  assert.deepEqual(
    findings
      .toSorted((a, b) => (a.blobId ?? 0) - (b.blobId ?? 0))
      .map(({ kind, blobId, objects }) => [kind, blobId, objects?.map(({ key }) => key)]),
    [
      ['blob_damaged', rotten, ['rotten']],
      ['blob_missing', lost, ['lost']],
    ],
  );
  await copy.close();
  await store.close();
});

test('directories that are not its own are refused, and left as they are', async () => {
  const store = await openSmallStore(freshPath());
  const other = await openSmallStore(freshPath());
  const to = freshPath();
  await store.backUp(to);
  await assert.rejects(other.backUp(to), failedAs('backup_of_other_store'));
  const foreign = freshPath();
  await mkdir(foreign);
  await writeFile(join(foreign, 'letters.txt'), 'mine');
  await assert.rejects(store.backUp(foreign), failedAs('backup_directory_unfit'));
  assert.deepEqual(await readdir(foreign), ['letters.txt']);
  for (const inside of [store.directory, join(store.directory, 'backup'), root]) {
    await assert.rejects(store.backUp(inside), failedAs('backup_directory_unfit'));
  }
  const running = store.backUp(to);
  await assert.rejects(store.backUp(to), failedAs('backup_running'));
  await running;
  await writeFile(join(to, 'PINFOLD-BACKUP'), 'pinfold-backup 2\nstore x\n');
  await assert.rejects(store.backUp(to), failedAs('backup_newer_format'));
  await store.close();
  await other.close();
});

test('the master keys are in a backup only when they were asked for', async () => {
  const store = await openSmallStore(freshPath());
  const to = freshPath();
  const file = join(to, 'keys', 'master.key');
  await store.backUp(to, true);
  const own = smallStorePaths(store.directory).paths.masterKeyFile;
  assert.equal(await readFile(file, 'utf8'), await readFile(own, 'utf8'));
  assert.equal((await stat(file)).mode & 0o077, 0);
  const directory = freshPath();
  const request = { directory: to, masterKeyFile: undefined };
  await restoreBackup(smallStorePaths(directory), request, UNWATCHED);
  assert.equal(
    await readFile(smallStorePaths(directory).paths.masterKeyFile, 'utf8'),
    await readFile(own, 'utf8'),
  );
  await store.backUp(to);
  await assert.rejects(stat(file), { code: 'ENOENT' });
  await store.close();
});
