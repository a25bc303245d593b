/**
 * The gate of an account: an advisory lock that lets a serial transaction have its turn.
 *
 * Commits lock the account's row one after another, and a serial transaction that meets a row which
 * changed after its snapshot must start anew: on a busy account it would never be through. So every
 * commit passes the gate (shared), and a transaction that had a conflict closes it (exclusive)
 * before it takes its next snapshot.
 */
import { sql } from 'kysely';

import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId, BucketId } from '../../../core/ids.ts';
import { accountNotFound, accountOf } from '../rows/accounts.ts';
import type { AccountTable, Db } from '../schema.ts';

/** Which buckets' objects a transaction looked at or changed. */
export type Touched = Set<BucketId>;

/** Locks the account's row after passing its gate; the first thing that a commit does. */
export async function lockAccountThroughGate(db: Db, accountId: AccountId): Promise<Account> {
  // The row is locked last, and is then the newest one, whatever was seen before the wait.
  const { rows } = await sql<AccountTable>`
    with gate as materialized (
      select pg_advisory_xact_lock_shared(hashtextextended(${accountId}, 0)))
    select accounts.* from gate, accounts where account_id = ${accountId}
    for update of accounts`.execute(db);
  return accountOrThrow(rows[0]);
}

/** Locks the account's row within a serial transaction, which the gate is shut for, or not yet. */
export async function lockAccount(db: Db, accountId: AccountId): Promise<Account> {
  const row = await db
    .selectFrom('accounts')
    .selectAll()
    .where('account_id', '=', accountId)
    .forUpdate()
    .executeTakeFirst();
  return accountOrThrow(row);
}

function accountOrThrow(row: AccountTable | undefined): Account {
  if (row === undefined) throw accountNotFound();
  return accountOf(row);
}

/**
 * Runs `work` on one connection with the gates of the owners of `touched` shut. A connection that
 * is lost opens them again.
 */
export function behindGates<T>(
  db: Db,
  touched: Touched,
  work: (connection: Db) => Promise<T>,
): Promise<T> {
  return db.connection().execute(async (connection) => {
    // In order of their keys, so that two who shut several do not wait for each other.
    await sql`select pg_advisory_lock(key) from (
      select distinct hashtextextended(account_id, 0) as key from buckets
      where bucket_id = any(${[...touched]}::bigint[]) order by key) as gate`.execute(connection);
    try {
      return await work(connection);
    } finally {
      await sql`select pg_advisory_unlock_all()`.execute(connection);
    }
  });
}
