/**
 * The data directory: everything that one Pinfold process keeps on its disk. Opening it makes what
 * is missing at the first start, and gives it to this process alone until it is closed.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../core/ports/random.ts';
import { systemCode } from '../errno.ts';
import { DataDirectoryError } from './data-directory-error.ts';
import { DirectoryLock } from './directory-lock.ts';
import { makeDirectoryDurably } from './durable-file.ts';
import { readFormat, writeFormat } from './format-file.ts';
import { makeMasterKeyFile, readMasterKeyFile } from './master-key-file.ts';

/** Absolute paths; where metadata and blobs are stands in their own part of the configuration. */
export type DataDirectoryPaths = {
  readonly directory: string;
  readonly formatFile: string;
  readonly lockFile: string;
  readonly masterKeyFile: string;
  /** Only its owner may enter it: sockets are made here. */
  readonly runDirectory: string;
  readonly adminSocket: string;
};

/** The part of the configuration that says where things are. */
export type DataDirectorySettings = {
  readonly dataDirectory: string;
  readonly masterKeyFile: string;
};

/** What a first start may find in a directory that holds no data yet, or leave in it by a crash. */
const FIRST_START_ENTRIES = ['lost+found', 'keys', 'run', 'lock.db', 'FORMAT.new', 'pinfold.toml'];

/** Stands in a directory while a backup is restored into it. */
export const RESTORING_NAME = 'RESTORING';

/** Where everything is, whether or not it is there yet. */
export function dataDirectoryPaths(settings: DataDirectorySettings): DataDirectoryPaths {
  const directory = settings.dataDirectory;
  const runDirectory = join(directory, 'run');
  return {
    directory,
    formatFile: join(directory, 'FORMAT'),
    lockFile: join(directory, 'lock.db'),
    masterKeyFile: settings.masterKeyFile,
    runDirectory,
    adminSocket: join(runDirectory, 'admin.sock'),
  };
}

/**
 * Opens the data directory for this process alone, making it if it is not there. Throws
 * `DataDirectoryError` when another process has it, when it is of a newer format or not ours, and
 * when its master key is missing or can be read by others.
 */
export function openDataDirectory(
  random: Random,
  settings: DataDirectorySettings,
): Promise<DataDirectory> {
  return DataDirectory.open(random, settings);
}

export class DataDirectory implements AsyncDisposable {
  readonly paths: DataDirectoryPaths;
  /** The text of the master key file, in the format of `kit/keyring.ts`. */
  readonly masterKeyText: string;
  /** Whether this opening was the first one, which made the keys. */
  readonly isNew: boolean;
  readonly #lock: DirectoryLock;

  private constructor(parts: {
    readonly paths: DataDirectoryPaths;
    readonly masterKeyText: string;
    readonly isNew: boolean;
    readonly lock: DirectoryLock;
  }) {
    this.paths = parts.paths;
    this.masterKeyText = parts.masterKeyText;
    this.isNew = parts.isNew;
    this.#lock = parts.lock;
  }

  static async open(random: Random, settings: DataDirectorySettings): Promise<DataDirectory> {
    const paths = dataDirectoryPaths(settings);
    try {
      await makeDirectoryDurably(paths.directory);
      await refuseForeignDirectory(paths.directory);
      const lock = DirectoryLock.take(paths.lockFile);
      try {
        return new DataDirectory({ paths, lock, ...(await complete(random, paths)) });
      } catch (error) {
        lock[Symbol.dispose]();
        throw error;
      }
    } catch (error) {
      throw translate(error, paths.directory);
    }
  }

  /** Gives the directory free for another process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#lock[Symbol.dispose]();
  }
}

/**
 * Makes what is missing. The key comes before FORMAT, so that a crash between leaves a directory
 * that the next start completes with the same key.
 */
async function complete(
  random: Random,
  paths: DataDirectoryPaths,
): Promise<{ readonly masterKeyText: string; readonly isNew: boolean }> {
  const version = await readFormat(paths.formatFile);
  const isNew = version === undefined;
  await makeDirectoryDurably(paths.runDirectory);
  const found = await readMasterKeyFile(paths.masterKeyFile);
  if (found === undefined && !isNew) {
    throw new DataDirectoryError('key_missing', {
      message: `The master key file ${paths.masterKeyFile} is missing, but ${paths.directory} holds data encrypted with it.`,
      remedy: 'Restore it from your copy, or point PINFOLD_MASTER_KEY_FILE to it.',
    });
  }
  const masterKeyText = found ?? (await makeMasterKeyFile(random, paths.masterKeyFile));
  if (isNew) await writeFormat(paths.formatFile);
  return { masterKeyText, isNew };
}

/** Refuses to settle among somebody's files, or upon data whose FORMAT was lost. */
async function refuseForeignDirectory(directory: string): Promise<void> {
  const entries = await readdir(directory);
  if (entries.includes(RESTORING_NAME)) throw restoreUnfinished(directory);
  if (entries.includes('FORMAT')) return;
  const foreign = foreignEntryOf(entries);
  if (foreign === undefined) return;
  throw new DataDirectoryError('not_pinfold', {
    message: `${directory} has no FORMAT file but holds other files (${foreign}).`,
    remedy: 'Set PINFOLD_DATA_DIR to an empty directory, or restore FORMAT from a backup.',
  });
}

/** What says that a directory is in use; `undefined` when nothing does. */
export function foreignEntryOf(entries: readonly string[]): string | undefined {
  return entries.find((entry) => !entry.startsWith('.') && !FIRST_START_ENTRIES.includes(entry));
}

export function restoreUnfinished(directory: string): DataDirectoryError {
  return new DataDirectoryError('restore_unfinished', {
    message: `A restore into ${directory} has not ended.`,
    remedy: `If none is under way, delete what is in ${directory} and restore again.`,
  });
}

function translate(error: unknown, directory: string): unknown {
  if (error instanceof DataDirectoryError) return error;
  const code = systemCode(error) ?? sqliteCode(error);
  if (code === undefined) return error;
  return new DataDirectoryError('inaccessible', {
    message: `The data directory ${directory} cannot be used (${code}).`,
    remedy:
      'Set PINFOLD_DATA_DIR to a directory that this user may read and write, on a disk with room.',
    cause: error,
  });
}

function sqliteCode(error: unknown): string | undefined {
  const text = error instanceof Error && 'errstr' in error ? error.errstr : undefined;
  return typeof text === 'string' ? text : undefined;
}
