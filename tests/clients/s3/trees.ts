/** Trees of files on the disk: made the same each time, and compared byte by byte. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { seededRandom } from '../../world/seeded-random.ts';

/** Its contents by path below `folder`, `/` between the names. */
export type Tree = ReadonlyMap<string, Buffer>;

const SIZES: Readonly<Record<string, number>> = {
  'read me.txt': 12,
  empty: 0,
  'photos/2025/one+two.jpg': 70_001,
  'photos/2025/100%.jpg': 4096,
  'photos/2026/é 😀.jpg': 300_000,
  'photos/2026/deep/er/still/leaf': 1,
  'photos.txt': 262_144,
  '.hidden/settings': 99,
};

/**
 * When its files were written: a store tells times in whole seconds, so that to tools that compare
 * them a file of the same second is newer than its copy.
 */
const WRITTEN_AT = new Date('2026-01-02T03:04:05.678Z');

export async function makeTree(folder: string, seed: string = 'tree'): Promise<Tree> {
  const random = seededRandom(seed);
  const tree = new Map<string, Buffer>();
  for (const [path, size] of Object.entries(SIZES)) {
    const bytes = Buffer.from(random.bytes(size));
    tree.set(path, bytes);
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), bytes);
    await utimes(join(folder, path), WRITTEN_AT, WRITTEN_AT);
  }
  return tree;
}

/** Files only: no object stands for an empty folder. */
export async function readTree(folder: string): Promise<Tree> {
  const tree = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    tree.set(relative(folder, path).split(sep).join('/'), await readFile(path));
  }
  return tree;
}

export function assertSameTree(actual: Tree, expected: Tree): void {
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort());
  for (const [path, bytes] of expected) {
    assert.ok(actual.get(path)?.equals(bytes), `${path} has the same bytes`);
  }
}
