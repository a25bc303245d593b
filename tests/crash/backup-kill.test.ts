/**
 * Proves that a backup killed with SIGKILL at any point leaves the former one whole (or says that
 * there is none yet), that the store loses nothing by it, and that the next run ends the work.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { patternBytes } from '../../src/core/ports/blob-store-contract.ts';
import { BackupError } from '../../src/core/ports/store-backup.ts';
import { restoreBackup } from '../../src/engines/backup/restore-backup.ts';
import { freshDirectory } from '../world/server.ts';
import {
  openSmallStore,
  type SmallStore,
  smallStorePaths,
  UNWATCHED,
} from '../world/small-store.ts';

const CHILD = join(import.meta.dirname, '..', 'world', 'backup-child.ts');
const root = await freshDirectory();
after(() => rm(root, { recursive: true, force: true }));
const directory = join(root, 'store');
const to = join(root, 'backup');

/** Runs a backup to its end, by a kill or not. */
async function backUp(at: string): Promise<NodeJS.Signals | number> {
  const argv = ['--disable-warning=ExperimentalWarning', CHILD, directory, to, at];
  const child = spawn(process.execPath, argv, { stdio: 'inherit' });
  const [code, signal] = await once(child, 'exit');
  return signal ?? code;
}

async function withStore<T>(work: (store: SmallStore) => Promise<T>): Promise<T> {
  const store = await openSmallStore(directory);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Writes, overwrites and removes a little of each size; answers what is held then. */
function turnOver(round: number): Promise<ReadonlyMap<string, string>> {
  return withStore(async (store) => {
    for (let index = 0; index < 6; index += 1) {
      const size = [3000, 40_000, 300_000][index % 3] ?? 0;
      await store.put(`key-${index}-${round % 2}`, patternBytes(size, round * 100 + index));
    }
    await store.remove(`key-${round % 6}-${round % 2}`);
    await store.tidyUp();
    return await contentOf(store);
  });
}

async function contentOf(store: SmallStore): Promise<ReadonlyMap<string, string>> {
  const content = new Map<string, string>();
  for (const key of await store.keys()) {
    content.set(key, ((await store.read(key)) ?? Buffer.alloc(0)).toString('base64'));
  }
  return content;
}

/** What a restore of the backup holds; `undefined` when it says that there is none yet. */
async function restoredContent(): Promise<ReadonlyMap<string, string> | undefined> {
  const into = join(root, 'restored');
  const { masterKeyFile } = smallStorePaths(directory).paths;
  try {
    await restoreBackup(smallStorePaths(into), { directory: to, masterKeyFile }, UNWATCHED);
  } catch (error) {
    if (error instanceof BackupError && error.fault === 'backup_missing') return undefined;
    throw error;
  }
  const store = await openSmallStore(into);
  try {
    assert.deepEqual((await store.verify()).findings, []);
    return await contentOf(store);
  } finally {
    await store.close();
    await rm(into, { recursive: true });
  }
}

test('a killed backup leaves the former one whole, and the next one ends the work', async () => {
  let held: ReadonlyMap<string, string> | undefined;
  let round = 0;
  for (const at of ['3', 'blobs_copied', 'manifest_placed', '1', '2', '4', 'metadata_copied']) {
    round += 1;
    const content = await turnOver(round);
    assert.equal(await backUp(at), 'SIGKILL', at);
    if (at === 'manifest_placed') held = content;
    assert.deepEqual(await restoredContent(), held, at);
  }
  const content = await turnOver(round + 1);
  assert.equal(await backUp('none'), 0);
  assert.deepEqual(await restoredContent(), content);
  const names = await readdir(to, { recursive: true });
  assert.deepEqual(
    names.filter((name) => name.endsWith('.new')),
    [],
  );
  await withStore(async (store) => assert.deepEqual((await store.verify()).findings, []));
});
