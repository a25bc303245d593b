/**
 * Lets reads see what is durable, and no more: while a commit waits for its sync they go on in a
 * read transaction that began before it. So nobody is answered by what a power cut may take back,
 * and nobody waits (decision 0019).
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export class DurableReads {
  readonly #connection: DatabaseSync;
  readonly #begin: StatementSync;
  readonly #look: StatementSync;
  readonly #end: StatementSync;
  #isHeld = false;
  #failure: Error | undefined;
  /** Of those who wait for the release. */
  #waiting: PromiseWithResolvers<void> | undefined;

  /** `connection` is the one of all reads that are answered at once. */
  constructor(connection: DatabaseSync) {
    this.#connection = connection;
    this.#begin = connection.prepare('begin');
    // The first read takes the moment, also one that reads no row.
    this.#look = connection.prepare('select 1 from blob_ids limit 0');
    this.#end = connection.prepare('commit');
  }

  /** To be called in the turn of the commit, before it; every earlier one is durable. */
  hold(): void {
    // Not `run`, which makes an answer for each.
    this.#begin.get();
    this.#look.get();
    this.#isHeld = true;
  }

  /** The commit is durable, or was none. */
  release(): void {
    this.#isHeld = false;
    // A disk that failed under a read has ended the transaction already.
    if (this.#connection.isOpen && this.#connection.isTransaction) this.#end.get();
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Nobody knows whether the commit is durable: reads stay before it for good. */
  stay(failure: Error): void {
    this.#failure = failure;
    this.#waiting?.reject(failure);
  }

  /**
   * Resolves in a turn in which all that was committed is durable, for reads by other connections;
   * throws when that will never be.
   */
  async untilReleased(): Promise<void> {
    while (this.#isHeld) {
      if (this.#failure !== undefined) throw this.#failure;
      this.#waiting ??= Promise.withResolvers();
      await this.#waiting.promise;
    }
  }
}
