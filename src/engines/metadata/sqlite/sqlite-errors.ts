/** What SQLite's result codes mean here; the one place that translates them. */
import { ServiceError } from '../../../core/errors.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/**
 * Extended codes of `IOERR` that are no failure of the disk: memory, the locks, and the shared
 * memory beside the log, of which nothing that was written depends.
 */
const PASSING: ReadonlySet<number> = new Set([
  2314, // RDLOCK
  2826, // BLOCKED
  3082, // NOMEM
  3338, // ACCESS
  3594, // CHECKRESERVEDLOCK
  3850, // LOCK
  4618, // SHMOPEN
  5130, // SHMLOCK
  5386, // SHMMAP
  6410, // GETTEMPPATH
]);
/** The shared memory cannot grow: the disk is full. */
const SHMSIZE = 4874;
/** Damage that is told as a failed read: a checksum, a broken file system. */
const DAMAGED: ReadonlySet<number> = new Set([8202, 8458]);

/**
 * `disk`: what was synced is no longer known. `damage`: the file does not hold what was written.
 * `full` and `passing` leave everything as it was. `other`: a fault of ours, or no error of SQLite.
 */
export type SqliteFault = 'disk' | 'damage' | 'full' | 'readonly' | 'passing' | 'other';

/** What the error stands for, also where it was translated already. */
export function sqliteFault(error: unknown): SqliteFault {
  const code = codeOf(error);
  if (code === undefined) return 'other';
  switch (code & 0xff) {
    case FULL:
      return 'full';
    case READONLY:
      return 'readonly';
    case CORRUPT:
    case NOTADB:
      return 'damage';
    case BUSY:
    case LOCKED:
    case NOMEM:
    case CANTOPEN:
      return 'passing';
    case IOERR:
      if (code === SHMSIZE) return 'full';
      if (DAMAGED.has(code)) return 'damage';
      return PASSING.has(code) ? 'passing' : 'disk';
    default:
      return 'other';
  }
}

/** Answers the operating error that `error` stands for; anything else comes back as it is. */
export function translateSqliteError(error: unknown): unknown {
  if (error instanceof ServiceError) return error;
  const cause = error;
  switch (sqliteFault(error)) {
    case 'full':
      return new ServiceError('storage_full', 'The metadata disk is full.', { cause });
    case 'readonly':
      return new ServiceError('read_only', 'The metadata file is read-only.', { cause });
    case 'disk':
      return new ServiceError('read_only', 'The metadata disk failed.', { cause });
    case 'damage':
      return new ServiceError('corrupt', 'The metadata file is damaged.', { cause });
    case 'passing':
      return new ServiceError('unavailable', 'The metadata file is not to be had.', { cause });
    case 'other':
      return isClosed(error)
        ? new ServiceError('unavailable', 'The metadata engine is closed.', { cause })
        : error;
  }
}

/** `node:sqlite` says so of a connection that was closed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
}

/** The extended result code. */
function codeOf(error: unknown): number | undefined {
  if (error instanceof ServiceError) return codeOf(error.cause);
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode : undefined;
}
