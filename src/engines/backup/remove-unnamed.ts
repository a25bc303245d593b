/**
 * Removes from a backup what its manifest does not name: older states, and what was never
 * finished.
 */
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobId } from '../../core/ids.ts';
import { FILE_LOCATION, parseBlobFileName } from '../blobs/disk/files/blob-file.ts';
import { isErrno } from '../errno.ts';
import type { CopiedBlobs } from '../metadata/sqlite/copied-blobs.ts';
import { backupPaths, UNFINISHED } from './backup-layout.ts';
import type { Manifest } from './manifest-format.ts';

/** The manifest is durable. A crash leaves the rest to the next backup. */
export async function removeUnnamed(
  directory: string,
  manifest: Manifest,
  rows: CopiedBlobs,
): Promise<void> {
  const paths = backupPaths(directory);
  for (const name of await namesIn(directory)) {
    const isOld = /^metadata-\d+\.db/.test(name) && name !== manifest.metadata.file;
    if (isOld || name.endsWith(UNFINISHED)) await rm(join(directory, name), { force: true });
  }
  const segments = new Set(manifest.segments.map(({ file }) => file));
  for (const name of await namesIn(paths.segments)) {
    if (!segments.has(name)) await rm(join(paths.segments, name), { force: true });
  }
  if (!manifest.keys.is_included) await rm(paths.keys, { recursive: true, force: true });
  for (const outer of await namesIn(paths.blobs)) {
    for (const inner of await namesIn(join(paths.blobs, outer))) {
      await removeBlobs(join(paths.blobs, outer, inner), rows);
    }
    await removeIfEmpty(join(paths.blobs, outer));
  }
}

async function removeBlobs(folder: string, rows: CopiedBlobs): Promise<void> {
  const names = await namesIn(folder);
  const blobIds = names.flatMap((name): readonly BlobId[] => {
    const blobId = parseBlobFileName(name);
    return blobId === undefined ? [] : [blobId];
  });
  const named = rows.named(blobIds, FILE_LOCATION);
  for (const name of names) {
    const blobId = parseBlobFileName(name);
    const isNamed = blobId !== undefined && named.has(blobId);
    if (!isNamed) await rm(join(folder, name), { recursive: true, force: true });
  }
  if (named.size === 0) await removeIfEmpty(folder);
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'EEXIST') && !isErrno(error, 'ENOENT')) {
      throw error;
    }
  }
}
