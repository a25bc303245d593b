/**
 * Backs a store on one machine up while it serves (docs/formats/backup.md): the metadata of one
 * moment, then the bytes that they name, and last the manifest that makes it count.
 */
import { createHash } from 'node:crypto';
import { open, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, relative, sep } from 'node:path';
import { ServiceError } from '../../core/errors.ts';
import type { TimeMs } from '../../core/ids.ts';
import type { BlobStore } from '../../core/ports/blob-store.ts';
import type { Random } from '../../core/ports/random.ts';
import {
  BackupError,
  type BackupReport,
  type BackupRequest,
  type StoreBackup,
} from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import { parseMasterKeys } from '../../kit/keyring.ts';
import {
  makeDirectoryDurably,
  syncDirectory,
  writeFileDurably,
} from '../data-directory/durable-file.ts';
import { isErrno } from '../errno.ts';
import { CopiedBlobs } from '../metadata/sqlite/copied-blobs.ts';
import { backupPaths, metadataName, UNFINISHED } from './backup-layout.ts';
import { CopiedFolders, chunksOf, translateCopyError } from './copied-file.ts';
import { copyNamedBlobs } from './copy-named-blobs.ts';
import { ensureStoreId, readBackupStore, writeBackupStore } from './identity-format.ts';
import { keyChecksOf } from './key-checks.ts';
import { type Manifest, readManifest, writeManifest } from './manifest-format.ts';
import { removeUnnamed } from './remove-unnamed.ts';

export type DiskBackupDeps = {
  readonly blobs: Pick<BlobStore, 'hold'>;
  /** Copies the metadata as they stand, while they are in use, to a file that must not exist. */
  readonly copyMetadata: (
    target: string,
    onPages: (pages: { readonly done: number; readonly total: number }) => void,
  ) => Promise<void>;
  readonly dataDirectory: string;
  readonly blobDirectory: string;
  /** The text of the master key file. */
  readonly masterKeyText: string;
  readonly random: Random;
  readonly now: () => TimeMs;
};

/** For tests that stop a backup between two steps. */
export type BackupStep = 'metadata_copied' | 'blobs_copied' | 'manifest_placed';

const SQLITE_PAGE_BYTES = 4096;

export class DiskBackup implements StoreBackup {
  readonly #deps: DiskBackupDeps;
  readonly #onStep: (step: BackupStep) => void;
  #isRunning = false;

  constructor(deps: DiskBackupDeps, onStep: (step: BackupStep) => void = () => undefined) {
    this.#deps = deps;
    this.#onStep = onStep;
  }

  async write(request: BackupRequest, options: UpkeepOptions): Promise<BackupReport> {
    if (this.#isRunning) {
      throw new BackupError('backup_running', {
        message: 'A backup of this store is under way.',
        remedy: 'Wait until it has ended.',
      });
    }
    this.#isRunning = true;
    try {
      return await this.#write(request, options);
    } catch (error) {
      throw translateCopyError(error, request.directory);
    } finally {
      this.#isRunning = false;
    }
  }

  async #write(request: BackupRequest, options: UpkeepOptions): Promise<BackupReport> {
    const { directory } = request;
    await refuseOverlap(directory, this.#deps.dataDirectory);
    await makeDirectoryDurably(directory);
    const paths = backupPaths(directory);
    const store = await ensureStoreId(join(this.#deps.dataDirectory, 'STORE'), this.#deps.random);
    await claimDirectory(directory, store);
    const prior = await readManifest(paths.manifest);
    const number = (prior?.number ?? 0) + 1;

    await using _hold = await this.#deps.blobs.hold();
    const takenAt = this.#deps.now();
    const metadata = await this.#copyMetadata(directory, number, options);
    this.#onStep('metadata_copied');
    using rows = CopiedBlobs.open(join(directory, metadata.file));
    const folders = new CopiedFolders();
    const copied = await copyNamedBlobs(
      { rows, folders, blobDirectory: this.#deps.blobDirectory, directory },
      { prior, number },
      options,
    );
    await folders.sync();
    this.#onStep('blobs_copied');
    const keys = await this.#placeKeys(request, store);
    // The point after which no signal is heeded: the backup becomes the new moment.
    throwIfAborted(options.signal);
    const manifest: Manifest = {
      version: 1,
      store,
      number,
      taken_at: new Date(takenAt).toISOString(),
      metadata,
      blob_files: copied.files,
      blob_file_bytes: copied.fileBytes,
      segments: [...copied.segments],
      keys,
      damaged: copied.losses.map(({ blobId, reason }) => ({ blob_id: blobId, reason })),
    };
    await writeManifest(paths.manifest, manifest);
    this.#onStep('manifest_placed');
    await removeUnnamed(directory, manifest, rows);
    return {
      number,
      takenAt,
      blobs: copied.blobs,
      blobBytes: copied.blobBytes,
      copiedBytes: copied.copiedBytes + metadata.size_bytes,
      reusedBytes: copied.reusedBytes,
      losses: copied.losses,
    };
  }

  async #copyMetadata(
    directory: string,
    number: number,
    { signal, onProgress }: UpkeepOptions,
  ): Promise<Manifest['metadata']> {
    const file = metadataName(number);
    const path = join(directory, file);
    for (const end of ['', '-journal', '-wal', '-shm']) {
      await rm(`${path}${UNFINISHED}${end}`, { force: true });
    }
    await this.#deps.copyMetadata(`${path}${UNFINISHED}`, ({ done, total }) => {
      const bytes = (pages: number) => pages * SQLITE_PAGE_BYTES;
      onProgress({ step: 'metadata', done: bytes(done), total: bytes(total) });
    });
    throwIfAborted(signal);
    const facts = await syncAndHash(`${path}${UNFINISHED}`);
    await rename(`${path}${UNFINISHED}`, path);
    await syncDirectory(directory);
    return { file, ...facts };
  }

  async #placeKeys({ directory, withKeys }: BackupRequest, store: string) {
    const paths = backupPaths(directory);
    if (withKeys) {
      await makeDirectoryDurably(paths.keys);
      await writeFileDurably(paths.masterKey, this.#deps.masterKeyText);
    }
    const checks = keyChecksOf(parseMasterKeys(this.#deps.masterKeyText), store);
    return { is_included: withKeys, checks };
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new ServiceError('aborted', 'The run was stopped.');
}

/** Makes a directory ours, or refuses it. */
async function claimDirectory(directory: string, store: string): Promise<void> {
  const { identity } = backupPaths(directory);
  const standing = await readBackupStore(identity);
  if (standing === store) return;
  if (standing !== undefined) {
    throw new BackupError('backup_of_other_store', {
      message: `${directory} holds the backup of another store (${standing}).`,
      remedy: 'Name another directory. A restored store begins a backup of its own.',
    });
  }
  const entries = await readdir(directory);
  const foreign = entries.find(
    (entry) => !entry.startsWith('.') && entry !== 'lost+found' && !entry.endsWith(UNFINISHED),
  );
  if (foreign !== undefined) {
    throw new BackupError('backup_directory_unfit', {
      message: `${directory} is not a backup and holds other files (${foreign}).`,
      remedy: 'Name an empty directory, or one that holds a backup of this store.',
    });
  }
  await writeBackupStore(identity, store);
}

/**
 * A backup inside the data directory would be lost with it, and the other way round is no better.
 */
async function refuseOverlap(directory: string, dataDirectory: string): Promise<void> {
  const [target, source] = [await futurePath(directory), await realpath(dataDirectory)];
  const isInside = (inner: string, outer: string) => {
    const path = relative(outer, inner);
    return path === '' || (path !== '..' && !path.startsWith(`..${sep}`));
  };
  if (!isInside(target, source) && !isInside(source, target)) return;
  throw new BackupError('backup_directory_unfit', {
    message: `${directory} and the data directory lie within each other.`,
    remedy: 'Name a directory elsewhere, best on another disk.',
  });
}

/** Where a directory is, or will be once it is made. */
async function futurePath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT') || dirname(path) === path) throw error;
    return join(await futurePath(dirname(path)), basename(path));
  }
}

async function syncAndHash(path: string): Promise<{ size_bytes: number; sha256: string }> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
    const { size } = await file.stat();
    const hash = createHash('sha256');
    for await (const chunk of chunksOf(file, { start: 0, end: size })) hash.update(chunk);
    return { size_bytes: size, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
}
