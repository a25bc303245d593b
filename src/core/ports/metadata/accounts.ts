/** Accounts and the wallets linked to them. */
import type { Account, AccountChange, NewAccount } from '../../identity/account/account.ts';
import type { AccountId, AccountSlug, WalletAddress } from '../../ids.ts';

export interface AccountReads {
  findAccount(accountId: AccountId): Promise<Account | undefined>;
  findAccountBySlug(slug: AccountSlug): Promise<Account | undefined>;
  /** Folds both sides to lower case. */
  findAccountByUsername(username: string): Promise<Account | undefined>;
  findAccountByEmail(email: string): Promise<Account | undefined>;
  findAccountByWallet(wallet: WalletAddress): Promise<Account | undefined>;
  findAccountByAppKey(appKeyHash: string): Promise<Account | undefined>;
  /** In order of `accountId`, those after `after`. `limit` at most 1000. */
  listAccounts(page: {
    readonly after: AccountId | undefined;
    readonly limit: number;
  }): Promise<readonly Account[]>;
  /** Bytes that all accounts store together. */
  sumStoredBytes(): Promise<bigint>;
}

export interface AccountWrites {
  /**
   * Inserts an account with its default bucket, which bears the slug. Throws `username_taken` when
   * the username (or e-mail) stands already. A slug or wallet that stands is a conflict of serial
   * transactions and makes the engine run the transaction again, with the same input: a transaction
   * that can do otherwise looks for them first.
   */
  insertAccount(account: NewAccount): Promise<Account>;
  /** Changes the named fields; throws `account_not_found`. */
  updateAccount(accountId: AccountId, change: AccountChange): Promise<void>;
}
