/**
 * Proves that a restore gives a store of its own: with the right keys only, into an empty directory
 * only, without the sessions and the blob ids of the lost one, and that it hides no damage.
 */

import { strict as assert } from 'node:assert';
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { seededRandom } from '../../../tests/world/seeded-random.ts';
import {
  openSmallStore,
  type SmallStore,
  smallStorePaths,
  UNWATCHED,
} from '../../../tests/world/small-store.ts';
import type { SessionId } from '../../core/ids.ts';
import { patternBytes } from '../../core/ports/blob-store-contract.ts';
import { inTransaction } from '../../core/ports/metadata/contract/in-transaction.ts';
import { NOW } from '../../core/ports/metadata/contract/samples.ts';
import { BackupError, type BackupFault } from '../../core/ports/store-backup.ts';
import { openDataDirectory } from '../data-directory/data-directory.ts';
import { DataDirectoryError } from '../data-directory/data-directory-error.ts';
import { blobPath } from './backup-layout.ts';
import { restoreBackup } from './restore-backup.ts';

const root = await mkdtemp(join(tmpdir(), 'pinfold-restore-'));
after(() => rm(root, { recursive: true, force: true }));

let made = 0;
function freshPath(): string {
  made += 1;
  return join(root, `case-${made}`);
}

/** A store with a little of everything, and its backup. */
async function backedUp() {
  const store = await openSmallStore(freshPath());
  await store.put('small', patternBytes(10_000, 1));
  const large = await store.put('large', patternBytes(500_000, 2));
  const to = freshPath();
  await store.backUp(to);
  const { masterKeyFile } = smallStorePaths(store.directory).paths;
  return { store, large, to, masterKeyFile };
}

function restore(from: string, into: string, masterKeyFile?: string) {
  return restoreBackup(smallStorePaths(into), { directory: from, masterKeyFile }, UNWATCHED);
}

function failedAs(fault: BackupFault): (error: unknown) => boolean {
  return (error) => {
    if (error instanceof BackupError && error.fault === fault) return true;
    throw error;
  };
}

test('a restored store serves, and gives no blob id that the lost one may have given', async () => {
  const { store, to, masterKeyFile } = await backedUp();
  const session = {
    sessionId: 's' as SessionId,
    accountId: store.account.accountId,
    counter: 0,
    rotatedAt: NOW,
    createdAt: NOW,
    lastUsedAt: NOW,
    revokedAt: undefined,
    address: undefined,
    agent: undefined,
  };
  await inTransaction(store.metadata, (tx) => tx.insertSession(session));
  await store.backUp(to);
  const into = freshPath();
  const { sessionsRevoked } = await restore(to, into, masterKeyFile);
  assert.equal(sessionsRevoked, 1);
  // What the lost store did after its backup.
  const lostId = await store.put('later', patternBytes(300_000, 3));
  await using _directory = await openDataDirectory(seededRandom(), {
    dataDirectory: into,
    masterKeyFile: smallStorePaths(into).paths.masterKeyFile,
  });
  const copy = await openSmallStore(into);
  assert.notEqual((await copy.metadata.findSession(session.sessionId))?.revokedAt, undefined);
  const nextId = await copy.put('later', patternBytes(300_000, 4));
  assert.ok(nextId >= 2 ** 40 && nextId > lostId);
  assert.deepEqual((await copy.verify()).findings, []);
  // It is another store: its first backup needs a directory of its own.
  await assert.rejects(copy.backUp(to), failedAs('backup_of_other_store'));
  const again = freshPath();
  await copy.backUp(again);
  const twice = freshPath();
  await restore(again, twice, masterKeyFile);
  const grandchild = await openSmallStore(twice);
  assert.ok((await grandchild.put('more', patternBytes(1, 1))) >= 2 * 2 ** 40);
  assert.deepEqual((await grandchild.verify()).findings, []);
  for (const each of [grandchild, copy, store]) await each.close();
});

test('wrong and missing keys are refused before anything is written', async () => {
  const { store, to, masterKeyFile } = await backedUp();
  const other = await openSmallStore(freshPath());
  const otherKey = smallStorePaths(other.directory).paths.masterKeyFile;
  const into = freshPath();
  await assert.rejects(restore(to, into), failedAs('restore_key_missing'));
  await assert.rejects(restore(to, into, join(root, 'none')), failedAs('restore_key_missing'));
  await assert.rejects(restore(to, into, otherKey), failedAs('restore_key_wrong'));
  assert.deepEqual(await readdir(into), []);
  // Several keys, as after a rotation: those of the backup are among them.
  const both = join(root, 'both.key');
  await writeFile(
    both,
    `${await readFile(masterKeyFile, 'utf8')}${await readFile(otherKey, 'utf8')}`,
    {
      mode: 0o600,
    },
  );
  await restore(to, into, both);
  assert.equal(
    await readFile(join(into, 'keys', 'master.key'), 'utf8'),
    await readFile(both, 'utf8'),
  );
  // A key that stands at its place already is asked first, and used.
  const keyed = freshPath();
  await mkdir(join(keyed, 'keys'), { recursive: true });
  await writeFile(join(keyed, 'keys', 'master.key'), await readFile(otherKey), { mode: 0o600 });
  await assert.rejects(restore(to, keyed, masterKeyFile), failedAs('restore_key_wrong'));
  await writeFile(join(keyed, 'keys', 'master.key'), await readFile(masterKeyFile), {
    mode: 0o600,
  });
  await restore(to, keyed);
  await store.close();
  await other.close();
});

test('only an empty directory is restored into, and one left unfinished does not start', async () => {
  const { store, to, masterKeyFile } = await backedUp();
  await assert.rejects(restore(to, store.directory, masterKeyFile), failedAs('restore_not_empty'));
  const used = freshPath();
  await mkdir(used);
  await writeFile(join(used, 'letters.txt'), 'mine');
  await assert.rejects(restore(to, used, masterKeyFile), failedAs('restore_not_empty'));
  const unfinished = freshPath();
  const abort = new AbortController();
  abort.abort();
  await assert.rejects(
    restoreBackup(
      smallStorePaths(unfinished),
      { directory: to, masterKeyFile },
      { ...UNWATCHED, signal: abort.signal },
    ),
    /stopped/,
  );
  const isUnfinished = (error: unknown) =>
    error instanceof DataDirectoryError && error.fault === 'restore_unfinished';
  await assert.rejects(restore(to, unfinished, masterKeyFile), isUnfinished);
  const settings = {
    dataDirectory: unfinished,
    masterKeyFile: smallStorePaths(unfinished).paths.masterKeyFile,
  };
  await assert.rejects(openDataDirectory(seededRandom(), settings), isUnfinished);
  await store.close();
});

test('what is no whole backup of a known format is refused', async () => {
  const { store, to, masterKeyFile } = await backedUp();
  const into = freshPath();
  await assert.rejects(restore(root, into, masterKeyFile), failedAs('backup_missing'));
  const metadata = join(to, 'metadata-1.db');
  const bytes = await readFile(metadata);
  bytes.writeUInt8((bytes[5000] ?? 0) ^ 1, 5000);
  await writeFile(metadata, bytes);
  await assert.rejects(restore(to, into, masterKeyFile), failedAs('backup_damaged'));
  await rm(metadata);
  await assert.rejects(restore(to, into, masterKeyFile), failedAs('backup_damaged'));
  await writeFile(join(to, 'MANIFEST.json'), '{"version": 1}');
  await assert.rejects(restore(to, into, masterKeyFile), failedAs('backup_damaged'));
  const identity = join(to, 'PINFOLD-BACKUP');
  const text = await readFile(identity, 'utf8');
  await writeFile(identity, text.replace('backup 1', 'backup 2'));
  await assert.rejects(restore(to, into, masterKeyFile), failedAs('backup_newer_format'));
  assert.deepEqual(await readdir(into).catch(() => []), []);
  await store.close();
});

test('damage of the backup is reported, and stops nothing else', async () => {
  const { store, large, to, masterKeyFile } = await backedUp();
  const lost = await store.put('lost', patternBytes(300_000, 5));
  await store.backUp(to);
  await rm(blobPath(join(to, 'blobs'), lost));
  const file = await open(blobPath(join(to, 'blobs'), large), 'r+');
  await file.write(Buffer.from([1, 2, 3]), 0, 3, 100_000);
  await file.close();
  const [segment = ''] = await readdir(join(to, 'segments'));
  const broken = await open(join(to, 'segments', segment), 'r+');
  await broken.write(Buffer.from([1, 2, 3]), 0, 3, 5000);
  await broken.close();
  const into = freshPath();
  const { losses } = await restore(to, into, masterKeyFile);
  const small = (await keysToBlobs(store)).get('small');
  assert.deepEqual(
    losses.toSorted((a, b) => a.blobId - b.blobId).map(({ blobId, reason }) => [blobId, reason]),
    [
      [small, 'damaged'],
      [large, 'damaged'],
      [lost, 'missing'],
    ],
  );
  assert.ok((await stat(join(into, 'FORMAT'))).isFile());
  const copy = await openSmallStore(into);
  const { findings } = await copy.verify();
  assert.deepEqual(findings.map(({ kind }) => kind).toSorted(), [
    'blob_damaged',
    'blob_damaged',
    'blob_missing',
    'segment_damaged',
  ]);
  await copy.close();
  await store.close();
});

async function keysToBlobs({ metadata, account, keys }: SmallStore) {
  const found = new Map<string, number>();
  for (const key of await keys()) {
    const object = await metadata.findObject(account.defaultBucketId, key as never);
    found.set(key, Number(object?.content[0]?.blob.blobId));
  }
  return found;
}
