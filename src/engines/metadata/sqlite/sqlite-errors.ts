/** What SQLite's result codes mean here; the one place that translates them. */
import { ServiceError } from '../../../core/errors.ts';

/** Primary result codes, https://www.sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

/** Answers the operating error that `error` stands for; anything else comes back as it is. */
export function translateSqliteError(error: unknown): unknown {
  switch (primaryCodeOf(error)) {
    case FULL:
      return new ServiceError('storage_full', 'The metadata disk is full.', { cause: error });
    case READONLY:
      return new ServiceError('read_only', 'The metadata file is read-only.', { cause: error });
    case IOERR:
      return new ServiceError('read_only', 'The metadata disk failed.', { cause: error });
    case CORRUPT:
    case NOTADB:
      return new ServiceError('corrupt', 'The metadata file is damaged.', { cause: error });
    case BUSY:
    case LOCKED:
    case CANTOPEN:
      return new ServiceError('unavailable', 'The metadata file is not to be had.', {
        cause: error,
      });
    default:
      return isClosed(error)
        ? new ServiceError('unavailable', 'The metadata engine is closed.', { cause: error })
        : error;
  }
}

/** Whether the disk failed under a write: what was synced is no longer known. */
export function isDiskFailure(error: unknown): boolean {
  return primaryCodeOf(error) === IOERR;
}

/** `node:sqlite` says so of a connection that was closed. */
function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE';
}

function primaryCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}
