/** Accounts and wallets as rows. */
import { sql } from 'kysely';

import { ServiceError } from '../../../core/errors.ts';
import type {
  Account,
  AccountChange,
  DeterministicUrls,
  NewAccount,
} from '../../../core/identity/account/account.ts';
import type { AccountId, AccountSlug, BucketId, TimeMs, WalletAddress } from '../../../core/ids.ts';
import type { AccountReads, AccountWrites } from '../../../core/ports/metadata/accounts.ts';
import type { Role } from '../../../core/principal.ts';
import { SerialConflict } from '../conflict.ts';
import type { AccountTable, Db, Int8 } from '../schema.ts';
import { bigintOf, orUndefined } from './columns.ts';

export function accountReads(db: Db): AccountReads {
  const find = async (column: keyof AccountTable, value: string) => {
    const row = await db
      .selectFrom('accounts')
      .selectAll()
      .where(column, '=', value)
      .executeTakeFirst();
    return row && accountOf(row);
  };
  return {
    findAccount: (accountId) => find('account_id', accountId),
    findAccountBySlug: (slug) => find('slug', slug),
    findAccountByUsername: (username) => find('username_folded', foldName(username)),
    findAccountByEmail: (email) => find('email_folded', foldName(email)),
    findAccountByAppKey: (appKeyHash) => find('app_key_hash', appKeyHash),
    async findAccountByWallet(wallet) {
      const row = await db
        .selectFrom('accounts')
        .innerJoin('wallets', 'wallets.account_id', 'accounts.account_id')
        .selectAll('accounts')
        .where('wallets.wallet', '=', wallet)
        .executeTakeFirst();
      return row && accountOf(row);
    },
    async listAccounts({ after, limit }) {
      let query = db.selectFrom('accounts').selectAll().orderBy('account_id').limit(limit);
      if (after !== undefined) query = query.where('account_id', '>', after);
      return (await query.execute()).map(accountOf);
    },
    async sumStoredBytes() {
      const row = await db
        .selectFrom('accounts')
        .select(sql<Int8 | null>`cast(sum(stored_bytes) as bigint)`.as('sum'))
        .executeTakeFirstOrThrow();
      return bigintOf(row.sum ?? 0);
    },
  };
}

/** The sums of a new account. */
export const NOTHING_STORED = { storedBytes: 0n, countedBytes: 0n };

export function accountWrites(db: Db): AccountWrites {
  return {
    insertAccount: (account) => insertAccount(db, account),
    async updateAccount(accountId, change) {
      const result = await db
        .updateTable('accounts')
        // The key is set to itself so that an empty change still tells whether the row stands.
        .set({ account_id: accountId, ...columnsOfChange(change) })
        .where('account_id', '=', accountId)
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) throw accountNotFound();
    },
  };
}

async function insertAccount(db: Db, account: NewAccount): Promise<Account> {
  await refuseTakenNames(db, account);
  const { bucket_id } = await db
    .insertInto('buckets')
    .values({
      account_id: account.accountId,
      name: account.slug,
      is_default: 1,
      public_read: 0,
      versioning: 'off',
      created_at: account.createdAt,
    })
    .returning('bucket_id')
    .executeTakeFirstOrThrow();
  const row = {
    ...columnsOfAccount(account),
    default_bucket_id: bucket_id,
    stored_bytes: 0,
    counted_bytes: 0,
  };
  await db.insertInto('accounts').values(row).execute();
  if (account.wallet !== undefined) {
    await db
      .insertInto('wallets')
      .values({
        wallet: account.wallet,
        account_id: account.accountId,
        linked_at: account.createdAt,
      })
      .execute();
  }
  return { ...account, defaultBucketId: bucket_id as BucketId, ...NOTHING_STORED };
}

async function refuseTakenNames(db: Db, account: NewAccount): Promise<void> {
  for (const [column, name] of [
    ['username_folded', account.username],
    ['email_folded', account.email],
  ] as const) {
    if (name === undefined) continue;
    const standing = await db
      .selectFrom('accounts')
      .select('account_id')
      .where(column, '=', foldName(name))
      .executeTakeFirst();
    if (standing) throw new ServiceError('username_taken', 'The name is taken.');
  }
  const bucket = await db
    .selectFrom('buckets')
    .select('bucket_id')
    .where('name', '=', account.slug)
    .executeTakeFirst();
  if (bucket) throw new SerialConflict('a slug');
  if (account.wallet === undefined) return;
  const wallet = await db
    .selectFrom('wallets')
    .select('wallet')
    .where('wallet', '=', account.wallet)
    .executeTakeFirst();
  if (wallet) throw new SerialConflict('a wallet');
}

/** Usernames and e-mail addresses are told apart without regard to case. */
export function foldName(name: string): string {
  return name.toLowerCase();
}

export function accountNotFound(): ServiceError {
  return new ServiceError('account_not_found', 'There is no such account.');
}

export function accountOf(row: AccountTable): Account {
  return {
    accountId: row.account_id as AccountId,
    slug: row.slug as AccountSlug,
    defaultBucketId: row.default_bucket_id as BucketId,
    username: orUndefined(row.username),
    email: orUndefined(row.email),
    wallet: orUndefined(row.first_wallet as WalletAddress | null),
    role: row.role as Role,
    plan: row.plan,
    disabledAt: orUndefined(row.disabled_at as TimeMs | null),
    deterministicUrls: row.deterministic_urls as DeterministicUrls,
    entitlements: {
      storageBytes: row.storage_bytes_max === null ? undefined : bigintOf(row.storage_bytes_max),
      egressBytes: row.egress_bytes_max === null ? undefined : bigintOf(row.egress_bytes_max),
      buckets: orUndefined(row.buckets_max),
    },
    passwordHash: orUndefined(row.password_hash),
    appKeyHash: row.app_key_hash,
    appKeyCiphertext: row.app_key_ciphertext,
    storedBytes: bigintOf(row.stored_bytes),
    countedBytes: bigintOf(row.counted_bytes),
    createdAt: row.created_at as TimeMs,
  };
}

function columnsOfAccount(
  account: NewAccount,
): Omit<AccountTable, 'default_bucket_id' | 'stored_bytes' | 'counted_bytes'> {
  return {
    account_id: account.accountId,
    slug: account.slug,
    username: account.username ?? null,
    username_folded: account.username === undefined ? null : foldName(account.username),
    email: account.email ?? null,
    email_folded: account.email === undefined ? null : foldName(account.email),
    first_wallet: account.wallet ?? null,
    role: account.role,
    plan: account.plan,
    disabled_at: account.disabledAt ?? null,
    deterministic_urls: account.deterministicUrls,
    storage_bytes_max: account.entitlements.storageBytes ?? null,
    egress_bytes_max: account.entitlements.egressBytes ?? null,
    buckets_max: account.entitlements.buckets ?? null,
    password_hash: account.passwordHash ?? null,
    app_key_hash: account.appKeyHash,
    app_key_ciphertext: account.appKeyCiphertext,
    created_at: account.createdAt,
  };
}

function columnsOfChange(change: AccountChange): Partial<AccountTable> {
  const { role, disabledAt, deterministicUrls, entitlements } = change;
  return {
    ...(role !== undefined && { role }),
    ...(disabledAt !== undefined && { disabled_at: disabledAt }),
    ...(deterministicUrls !== undefined && { deterministic_urls: deterministicUrls }),
    ...(entitlements !== undefined && {
      storage_bytes_max: entitlements.storageBytes ?? null,
      egress_bytes_max: entitlements.egressBytes ?? null,
      buckets_max: entitlements.buckets ?? null,
    }),
    ...(change.passwordHash !== undefined && { password_hash: change.passwordHash }),
    ...(change.appKeyHash !== undefined && { app_key_hash: change.appKeyHash }),
    ...(change.appKeyCiphertext !== undefined && { app_key_ciphertext: change.appKeyCiphertext }),
  };
}
