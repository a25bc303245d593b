/**
 * The one writer of a SQLite file. Short changes queue while it is busy and then share a
 * commit; larger transactions take their turn between groups.
 */
import { strict as assert } from 'node:assert';
import type { DatabaseSync } from 'node:sqlite';

import { isServiceError, ServiceError } from '../../../core/errors.ts';
import type { Account } from '../../../core/identity/account/account.ts';
import type { ObjectVersion } from '../../../core/objects/object.ts';
import type { Deletion, Publication } from '../../../core/ports/metadata/objects.ts';
import { COMMIT_GROUP_MEMBERS_MAX, SQLITE_BUSY_TIMEOUT_MS } from '../metadata-limits.ts';
import { Mutex } from '../mutex.ts';
import type { AccountCache } from './account-cache.ts';
import { ChangedRows } from './changed-rows.ts';
import { CommitGroup, type Decided } from './commit-group.ts';
import { type CommitStatements, prepareCommits } from './commit-statements.ts';
import type { DurableReads } from './durable-reads.ts';
import type { LookUpCache } from './look-up-cache.ts';
import { type SqliteFault, sqliteFault, translateSqliteError } from './sqlite-errors.ts';

type Member = {
  decide(group: CommitGroup): Pick<Decided, 'write'> & { readonly resolve: () => void };
  reject(error: unknown): void;
};

/** What became of a member within its group, before the commit. */
type Outcome =
  | { readonly kind: 'written'; readonly resolve: () => void }
  | { readonly kind: 'refused'; readonly error: unknown };

export type WriterParts = {
  /** Makes commits durable; see `Wal`. */
  readonly durability: { readonly sync: () => Promise<void> };
  readonly accounts: AccountCache;
  readonly lookUps: LookUpCache;
  /** Of the reads beside the writer, where there are any. */
  readonly reads?: DurableReads | undefined;
  /** Called once, when the disk has failed and no write is taken any more. */
  readonly onFailure: (error: Error) => void;
  /** Called once, when the file is damaged and no write is taken any more. */
  readonly onDamage?: ((error: Error) => void) | undefined;
};

export class SqliteWriter {
  readonly #connection: DatabaseSync;
  readonly #durability: WriterParts['durability'];
  readonly #onFailure: WriterParts['onFailure'];
  readonly #onDamage: WriterParts['onDamage'];
  readonly #accounts: AccountCache;
  readonly #lookUps: LookUpCache;
  readonly #reads: DurableReads | undefined;
  readonly #statements: CommitStatements;
  readonly #changed: ChangedRows;
  readonly #mutex = new Mutex();
  #queue: Member[] = [];
  #isDrainDue = false;
  /** A write of the transaction under way failed half done: it must not be committed. */
  #isDoomed = false;
  /** Why nothing more is written. */
  #failure: ServiceError | undefined;
  #diskFailure: ServiceError | undefined;

  constructor(connection: DatabaseSync, parts: WriterParts) {
    const { durability, accounts, lookUps, reads, onFailure, onDamage } = parts;
    this.#connection = connection;
    this.#durability = durability;
    this.#onFailure = onFailure;
    this.#onDamage = onDamage;
    this.#accounts = accounts;
    this.#lookUps = lookUps;
    this.#reads = reads;
    this.#statements = prepareCommits(connection);
    this.#changed = new ChangedRows(connection);
  }

  publishObject(publication: Publication): Promise<ObjectVersion | undefined> {
    return this.runInGroup((group) => group.decidePublish(publication));
  }

  deleteObject(deletion: Deletion): Promise<ObjectVersion | undefined> {
    return this.runInGroup((group) => group.decideDelete(deletion));
  }

  /** Lets a change join a group: it is decided and written there, and answered once durable. */
  runInGroup<T>(decide: (group: CommitGroup) => Decided<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const decideMember: Member['decide'] = (group) => {
        const { answer, write } = decide(group);
        return { write, resolve: () => resolve(answer) };
      };
      this.#queue.push({ decide: decideMember, reject });
      this.#scheduleDrain();
    });
  }

  /** Runs `work` in a transaction on the writer's connection. */
  transact<T>(work: () => Promise<T>): Promise<T> {
    return this.#mutex.run(async () => {
      try {
        this.#begin();
        const result = await work();
        assert(!this.#isDoomed, 'a write that failed half done ends its transaction');
        this.check();
        this.#commit();
        await this.#sync([]);
        return result;
      } catch (error) {
        this.#rollback();
        throw this.translate(error);
      }
    });
  }

  /** One change within the transaction under way. */
  runAlone<T>(decide: (group: CommitGroup) => Decided<T>): T {
    const group = new CommitGroup(this.#statements);
    const { answer, write } = decide(group);
    try {
      write();
      group.flush();
      for (const { accountId } of group.changedAccounts()) this.#changed.noteAccount(accountId);
    } catch (error) {
      this.#isDoomed = !isServiceError(error);
      throw error;
    }
    return answer;
  }

  /**
   * Carries the whole log into the file, so that it is begun anew; for a log that is nearly all
   * there. Answers `false` when a reader or a checkpoint was in the way.
   */
  restartLog(): Promise<boolean> {
    return this.#mutex.run(() => {
      // It waits for nobody: a reader or the checkpoint thread in the way would hold the event
      // loop.
      this.#connection.exec('pragma busy_timeout = 0');
      try {
        const row = this.#connection.prepare('pragma wal_checkpoint(restart)').get();
        return row?.['busy'] === 0;
      } catch (error) {
        throw this.translate(error);
      } finally {
        this.#connection.exec(`pragma busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
      }
    });
  }

  /** Ends writing for good: after a failed sync nobody knows what the disk holds. */
  fail(cause: unknown): ServiceError {
    if (this.#diskFailure === undefined) {
      const message = 'A sync of the metadata has failed; nothing more is written.';
      this.#diskFailure = new ServiceError('read_only', message, { cause });
      this.#failure = this.#diskFailure;
      this.#onFailure(errorOf(cause));
    }
    return this.#diskFailure;
  }

  /**
   * Says an error in the domain's words, after ending what it ends: a disk that failed and a file
   * that is damaged take no more writes, whoever has met it.
   */
  translate(error: unknown): unknown {
    const fault = sqliteFault(error);
    this.note(fault, error);
    return fault === 'disk' ? this.#failure : translateSqliteError(error);
  }

  /** Ends what a fault ends, wherever it was met. */
  note(fault: SqliteFault, cause: unknown): void {
    if (fault === 'disk') this.fail(cause);
    if (fault !== 'damage' || this.#failure !== undefined) return;
    const message = 'The metadata file is damaged; nothing more is written.';
    this.#failure = new ServiceError('read_only', message, { cause });
    this.#onDamage?.(errorOf(cause));
  }

  get isWritable(): boolean {
    return this.#failure === undefined;
  }

  /** Throws when the engine no longer takes writes. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** Waits for what is under way, then refuses everything. */
  async close(): Promise<void> {
    while (this.#queue.length > 0) await this.#drain();
    await this.#mutex.run(() => undefined);
    this.#failure ??= new ServiceError('unavailable', 'The metadata engine is closed.');
  }

  #scheduleDrain(): void {
    if (this.#isDrainDue) return;
    this.#isDrainDue = true;
    // Not a microtask: everything that this turn of the event loop has ready joins the group.
    setImmediate(() => void this.#drain());
  }

  /** Never rejects: each member is told. */
  #drain(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#isDrainDue = false;
      const members = this.#queue.splice(0, COMMIT_GROUP_MEMBERS_MAX);
      if (members.length > 0) await this.#runGroup(members);
      // A transaction that waits has its turn before those who came meanwhile.
      if (this.#queue.length > 0) this.#scheduleDrain();
    });
  }

  /** While the group is being synced, the next one gathers. */
  async #runGroup(members: readonly Member[]): Promise<void> {
    let outcomes: readonly Outcome[];
    const group = new CommitGroup(this.#statements);
    try {
      this.#begin();
      outcomes = this.#writeGroup(group, members);
    } catch (error) {
      this.#rollback();
      // Nobody knows whose fault it was, so each tries once more in a transaction of its own.
      if (members.length > 1) for (const member of members) await this.#runGroup([member]);
      else for (const member of members) member.reject(this.translate(error));
      return;
    }
    try {
      this.#commit();
      await this.#sync(group.changedAccounts());
    } catch (error) {
      this.#rollback();
      const translated = this.translate(error);
      for (const member of members) member.reject(translated);
      return;
    }
    members.forEach((member, index) => {
      const outcome = outcomes[index];
      if (outcome?.kind === 'written') outcome.resolve();
      else member.reject(outcome?.error);
    });
  }

  #writeGroup(group: CommitGroup, members: readonly Member[]): readonly Outcome[] {
    const outcomes = members.map((member): Outcome => {
      let decided: ReturnType<Member['decide']>;
      try {
        decided = member.decide(group);
      } catch (error) {
        return { kind: 'refused', error: this.translate(error) };
      }
      try {
        decided.write();
      } catch (error) {
        // A refusal comes before the first write; anything else undoes the group.
        if (isServiceError(error)) return { kind: 'refused', error };
        throw error;
      }
      return { kind: 'written', resolve: decided.resolve };
    });
    group.flush();
    // A member may have met damage: what the others have read may be damaged too.
    this.check();
    return outcomes;
  }

  #begin(): void {
    this.check();
    this.#isDoomed = false;
    // What a transaction changed that was rolled back, perhaps by SQLite itself.
    this.#changed.take();
    this.#connection.exec('begin immediate');
  }

  /** Reads see nothing of it before it is durable. */
  #commit(): void {
    try {
      this.#reads?.hold();
      this.#connection.exec('commit');
    } catch (error) {
      this.#reads?.release();
      throw error;
    }
  }

  /**
   * No answer before it has ended, also no refusal: it may rest on what is not durable yet. When it
   * fails, reads stay where they are until the process ends.
   */
  async #sync(summed: Iterable<Account>): Promise<void> {
    try {
      await this.#durability.sync();
    } catch (cause) {
      const failure = this.fail(cause);
      this.#reads?.stay(failure);
      throw failure;
    }
    // In one turn: what reads see, and what is kept of it.
    this.#reads?.release();
    this.#accounts.update(summed);
    const changed = this.#changed.take();
    if (changed === undefined) return;
    this.#accounts.drop(changed.accounts);
    this.#lookUps.drop(changed);
  }

  /** SQLite may have rolled back by itself, on a full disk for one. */
  #rollback(): void {
    if (this.#connection.isOpen && this.#connection.isTransaction) {
      this.#connection.exec('rollback');
    }
  }
}

function errorOf(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
