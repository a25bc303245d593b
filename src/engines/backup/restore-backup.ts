/** Restores a backup into an empty data directory (docs/formats/backup.md, "Restore"). */
import { createHash } from 'node:crypto';
import { open, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TimeMs } from '../../core/ids.ts';
import { BackupError, type BlobLoss } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import {
  type DataDirectoryPaths,
  foreignEntryOf,
  RESTORING_NAME,
  restoreUnfinished,
} from '../data-directory/data-directory.ts';
import { DirectoryLock } from '../data-directory/directory-lock.ts';
import {
  makeDirectoryDurably,
  syncDirectory,
  writeFileDurably,
} from '../data-directory/durable-file.ts';
import { writeFormat } from '../data-directory/format-file.ts';
import { isErrno } from '../errno.ts';
import { CopiedBlobs } from '../metadata/sqlite/copied-blobs.ts';
import { renewRestoredMetadata } from '../metadata/sqlite/restored-metadata.ts';
import { backupPaths } from './backup-layout.ts';
import { CopiedFolders, chunksOf, placeFile, translateCopyError, writeAll } from './copied-file.ts';
import { readBackupStore } from './identity-format.ts';
import { type Manifest, readManifest } from './manifest-format.ts';
import { restoreBlobs } from './restore-blobs.ts';
import { chooseMasterKey } from './restore-key.ts';

export type RestoreDeps = {
  readonly paths: DataDirectoryPaths;
  readonly metadataFile: string;
  readonly blobDirectory: string;
  readonly now: () => TimeMs;
};

export type RestoreRequest = {
  /** Absolute path of the backup. */
  readonly directory: string;
  /** Where the master keys are, if not in the backup. */
  readonly masterKeyFile: string | undefined;
};

export type RestoreReport = {
  readonly number: number;
  readonly takenAt: string;
  readonly blobs: number;
  readonly blobBytes: number;
  readonly sessionsRevoked: number;
  readonly losses: readonly BlobLoss[];
};

/** Throws `BackupError` and `DataDirectoryError`; what it had written until then stays, marked. */
export async function restoreBackup(
  deps: RestoreDeps,
  request: RestoreRequest,
  options: UpkeepOptions,
): Promise<RestoreReport> {
  const manifest = await readWhole(request.directory);
  const { directory } = deps.paths;
  await makeDirectoryDurably(directory);
  await refuseUsed(directory);
  const masterKey = await chooseMasterKey(manifest, {
    named: request.masterKeyFile,
    inBackup: backupPaths(request.directory).masterKey,
    own: deps.paths.masterKeyFile,
  });
  await checkMetadata(request.directory, manifest);
  using _lock = DirectoryLock.take(deps.paths.lockFile);
  const marker = join(directory, RESTORING_NAME);
  await writeFileDurably(marker, `${request.directory}\n`);
  try {
    const report = await copyAll(deps, { directory: request.directory, manifest }, options);
    await masterKey.place();
    // A crash before the marker is gone leaves a directory that no start takes for whole.
    await writeFormat(deps.paths.formatFile);
    await rm(marker);
    await syncDirectory(directory);
    return report;
  } catch (error) {
    throw translateCopyError(error, directory);
  }
}

async function copyAll(
  deps: RestoreDeps,
  from: { readonly directory: string; readonly manifest: Manifest },
  options: UpkeepOptions,
): Promise<RestoreReport> {
  const { manifest } = from;
  const folders = new CopiedFolders();
  const source = join(from.directory, manifest.metadata.file);
  using rows = CopiedBlobs.open(source);
  const { blobs, bytes, losses } = await restoreBlobs(
    { rows, folders, blobDirectory: deps.blobDirectory },
    from,
    options,
  );
  await copyMetadata(folders, { from: source, to: deps.metadataFile }, manifest, options);
  await folders.sync();
  const { sessionsRevoked } = renewRestoredMetadata(deps.metadataFile, { now: deps.now() });
  await syncDirectory(dirname(deps.metadataFile));
  const { number, taken_at: takenAt } = manifest;
  return { number, takenAt, blobs, blobBytes: bytes, sessionsRevoked, losses };
}

async function readWhole(directory: string): Promise<Manifest> {
  const paths = backupPaths(directory);
  const store = await readBackupStore(paths.identity);
  if (store === undefined) {
    throw new BackupError('backup_missing', {
      message: `There is no backup in ${directory}.`,
      remedy: 'Name the directory that "pinfold backup" was given.',
    });
  }
  const manifest = await readManifest(paths.manifest);
  if (manifest === undefined) {
    throw new BackupError('backup_missing', {
      message: `The first backup into ${directory} has not ended; there is nothing whole to restore.`,
      remedy: 'Run "pinfold backup" once more to its end, or restore another backup.',
    });
  }
  return manifest;
}

async function refuseUsed(directory: string): Promise<void> {
  const entries = await readdir(directory);
  if (entries.includes(RESTORING_NAME)) throw restoreUnfinished(directory);
  const foreign = entries.includes('FORMAT') ? 'FORMAT' : foreignEntryOf(entries);
  if (foreign === undefined) return;
  throw new BackupError('restore_not_empty', {
    message: `${directory} is not empty (${foreign}).`,
    remedy: 'Set PINFOLD_DATA_DIR to an empty directory; nothing is ever restored over a store.',
  });
}

async function checkMetadata(directory: string, { metadata }: Manifest): Promise<void> {
  const path = join(directory, metadata.file);
  if ((await hashOf(path)) === metadata.sha256) return;
  throw new BackupError('backup_damaged', {
    message: `The metadata of the backup (${path}) are missing or have changed.`,
    remedy: 'Restore another backup, or a copy of this one.',
  });
}

async function hashOf(path: string): Promise<string | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(file, { start: 0, end: size })) hash.update(chunk);
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

async function copyMetadata(
  folders: CopiedFolders,
  paths: { readonly from: string; readonly to: string },
  { metadata }: Manifest,
  { onProgress }: UpkeepOptions,
): Promise<void> {
  const total = metadata.size_bytes;
  const source = await open(paths.from, 'r');
  try {
    await placeFile(folders, paths.to, async (target) => {
      let at = 0;
      for await (const chunk of chunksOf(source, { start: 0, end: total })) {
        await writeAll(target, chunk, at);
        at += chunk.length;
        onProgress({ step: 'metadata', done: at, total });
      }
    });
  } finally {
    await source.close();
  }
}
