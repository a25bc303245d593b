/**
 * Accounts as the file holds them, for the reads that every request makes. This process alone
 * writes the file, so the writer tells what it changed: the stored bytes of some, or anything at
 * all.
 */
import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId } from '../../../core/ids.ts';

/** More accounts than this at work at once are read from the file again. */
const ACCOUNTS_MAX = 10_000;

export class AccountCache {
  readonly #byId = new Map<AccountId, Account>();
  readonly #byAppKey = new Map<string, AccountId>();
  #generation = 0;

  findById(accountId: AccountId): Account | undefined {
    return this.#byId.get(accountId);
  }

  findByAppKey(appKeyHash: string): Account | undefined {
    const accountId = this.#byAppKey.get(appKeyHash);
    return accountId === undefined ? undefined : this.#byId.get(accountId);
  }

  /** Counts commits, so that what was read before one is not kept after it. */
  get generation(): number {
    return this.#generation;
  }

  /** Keeps what was read from the file in the generation that still is. */
  keep(account: Account, generation: number): void {
    if (generation !== this.#generation) return;
    if (this.#byId.size >= ACCOUNTS_MAX) {
      this.#byId.clear();
      this.#byAppKey.clear();
    }
    this.#byId.set(account.accountId, account);
    this.#byAppKey.set(account.appKeyHash, account.accountId);
  }

  /** A group was committed that changed no more than the stored bytes of these. */
  update(accounts: Iterable<Account>): void {
    this.#generation += 1;
    for (const account of accounts) {
      if (this.#byId.has(account.accountId)) this.#byId.set(account.accountId, account);
    }
  }

  /** A transaction was committed that may have changed any account. */
  clear(): void {
    this.#generation += 1;
    this.#byId.clear();
    this.#byAppKey.clear();
  }
}
