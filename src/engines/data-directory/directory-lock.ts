/**
 * The exclusive hold of one process on a data directory: an open `BEGIN EXCLUSIVE` on `lock.db`.
 * The operating system ends it with the process, however that dies, so no stale lock can be left.
 *
 * NOTE: POSIX ends all locks of a process on a file when the process closes any handle of it, so
 * nothing here may open `lock.db` but SQLite. The lock also ends when its object is collected.
 */
import { chmodSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { DataDirectoryError } from './data-directory-error.ts';

const SQLITE_BUSY = 5;

export class DirectoryLock implements Disposable {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock or throws `locked` at once when another process (or this one) holds it. */
  static take(file: string): DirectoryLock {
    const database = new DatabaseSync(file, { timeout: 0 });
    try {
      // Nothing is ever written, so that no journal has to stand beside the lock.
      database.exec('PRAGMA journal_mode = MEMORY');
      database.exec('BEGIN EXCLUSIVE');
      if (process.platform !== 'win32') chmodSync(file, 0o600);
    } catch (error) {
      database.close();
      if (!isBusy(error)) throw error;
      throw new DataDirectoryError('locked', {
        message: `Another Pinfold process uses the data directory (${file} is locked).`,
        remedy: 'Stop it first, or give this one a PINFOLD_DATA_DIR of its own.',
        cause: error,
      });
    }
    return new DirectoryLock(database);
  }

  /** Gives the directory free; idempotent. */
  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY;
}
