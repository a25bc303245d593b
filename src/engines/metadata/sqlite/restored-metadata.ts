/** Makes a copy of the metadata that of another store, which has the same rows. */
import { DatabaseSync } from 'node:sqlite';

import { translateSqliteError } from './sqlite-errors.ts';

/**
 * Ids that a restored store leaves out: more than a store gives in years, so that none which the
 * lost one gave after the backup is given again; and 2^53 still hold thousands of restores.
 */
const ID_RANGE = 2 ** 40;

/**
 * Ends every session, since the lost store may have revoked some after the backup, and begins a new
 * range of blob ids. Durable once it returns.
 */
export function renewRestoredMetadata(
  file: string,
  options: { readonly now: number },
): { readonly sessionsRevoked: number } {
  const connection = new DatabaseSync(file);
  try {
    connection.exec('pragma synchronous = full');
    connection.exec('begin immediate');
    const { changes } = connection
      .prepare('update sessions set revoked_at = ? where revoked_at is null')
      .run(options.now);
    connection
      .prepare('update blob_ids set next_id = (next_id / ? + 1) * ?')
      .run(BigInt(ID_RANGE), BigInt(ID_RANGE));
    connection.exec('commit');
    return { sessionsRevoked: Number(changes) };
  } catch (error) {
    throw translateSqliteError(error);
  } finally {
    connection.close();
  }
}
