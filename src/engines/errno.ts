/** Errors of the operating system, by their code. */
import { ServiceError } from '../core/errors.ts';

/** Whether `error` is the system's error `code`, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** The system's code of a failed call (`ENOENT`), or `undefined` when it was something else. */
export function systemCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/**
 * Says a failed write in the domain's words: a full disk and a quota of the system are one, and
 * what else the system refuses (to open, to make a folder) is worth another try. That a name is
 * taken stays as it is.
 */
export function translateWriteError(error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined || code === 'EEXIST') return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new ServiceError('storage_full', 'The disk is full.', { cause: error });
  }
  return new ServiceError('unavailable', `The disk cannot be written to (${code}).`, {
    cause: error,
  });
}

/** What a process or a machine has run out of for a while, as another file cannot be opened. */
const WANTS: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Says that a file could not be opened for want of descriptors; all else stays as it is. */
export function translateOpenError(error: unknown): unknown {
  const code = systemCode(error);
  if (!WANTS.has(code)) return error;
  return new ServiceError('unavailable', `No more files can be opened (${code}).`, {
    cause: error,
  });
}
