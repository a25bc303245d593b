/** Errors of the operating system, by their code. */
import { ServiceError } from '../core/errors.ts';

/** Whether `error` is the system's error `code`, such as `ENOENT`. */
export function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** Says a failed write in the domain's words: a full disk and a quota of the system are one. */
export function translateWriteError(error: unknown): unknown {
  if (isErrno(error, 'ENOSPC') || isErrno(error, 'EDQUOT')) {
    return new ServiceError('storage_full', 'The disk is full.', { cause: error });
  }
  return error;
}
