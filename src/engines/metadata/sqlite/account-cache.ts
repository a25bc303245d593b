/**
 * Accounts as the file holds them, for the reads that every request makes. This process alone
 * writes the file, so the writer tells which it changed: their stored bytes, or anything of them.
 */
import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId } from '../../../core/ids.ts';

/** More accounts than this at work at once are read from the file again, the oldest first. */
const ACCOUNTS_MAX = 10_000;

export class AccountCache {
  readonly #byId = new Map<string, Account>();
  readonly #byAppKey = new Map<string, string>();
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
    const [oldest] = this.#byId.values();
    if (this.#byId.size >= ACCOUNTS_MAX && oldest !== undefined) this.#forget(oldest);
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

  /** A transaction was committed that changed these. */
  drop(accountIds: Iterable<string>): void {
    this.#generation += 1;
    for (const accountId of accountIds) {
      const account = this.#byId.get(accountId);
      if (account !== undefined) this.#forget(account);
    }
  }

  #forget({ accountId, appKeyHash }: Account): void {
    this.#byId.delete(accountId);
    this.#byAppKey.delete(appKeyHash);
  }
}
