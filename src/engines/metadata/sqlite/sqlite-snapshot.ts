/**
 * The rows of one moment of a SQLite file, by a connection of their own that holds a transaction.
 */

import { backup, DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { MetadataSnapshot } from '../../../core/ports/metadata/snapshot.ts';
import { SQLITE_BUSY_TIMEOUT_MS } from '../metadata-limits.ts';
import { rowSnapshot } from '../rows/snapshot.ts';
import type { Db } from '../schema.ts';
import { kyselyOf } from './sqlite-dialect.ts';
import { translateSqliteError } from './sqlite-errors.ts';

/** Pages of one step of a copy: a few milliseconds in the thread pool. */
const COPY_PAGES_A_STEP = 2000;

export function withSqliteSnapshot<T>(
  file: string,
  work: (snapshot: MetadataSnapshot) => Promise<T>,
): Promise<T> {
  return withReader(file, (connection) =>
    work(rowSnapshot(kyselyOf(connection), async () => void (await nextTurn()))),
  );
}

/** For reads of several statements that are seldom: a connection of its own costs little then. */
export function readAtOneMoment<T>(file: string, read: (db: Db) => Promise<T>): Promise<T> {
  return withReader(file, (connection) => read(kyselyOf(connection)));
}

/**
 * Copies the file as it stands at one moment to `target`, which must not exist, and leaves it
 * without a log beside it; not synced. `onPages` is told how far it is.
 */
export async function copySqlite(
  file: string,
  target: string,
  onPages: (pages: { readonly done: number; readonly total: number }) => void,
): Promise<void> {
  await withReader(file, async (connection) => {
    // NOTE: the transaction is open already, so a write does not make the copy begin anew.
    await backup(connection, target, {
      rate: COPY_PAGES_A_STEP,
      progress: ({ totalPages, remainingPages }) =>
        onPages({ done: totalPages - remainingPages, total: totalPages }),
    });
  });
  const copy = new DatabaseSync(target);
  try {
    copy.exec('pragma journal_mode = delete');
  } finally {
    copy.close();
  }
}

/** A read transaction from its first read on; the log is kept as long as it lasts. */
async function withReader<T>(
  file: string,
  work: (connection: DatabaseSync) => Promise<T>,
): Promise<T> {
  try {
    const connection = new DatabaseSync(file, { readOnly: true, timeout: SQLITE_BUSY_TIMEOUT_MS });
    try {
      connection.exec('begin');
      connection.exec('select 1 from blob_ids');
      return await work(connection);
    } finally {
      connection.close();
    }
  } catch (error) {
    throw translateSqliteError(error);
  }
}
