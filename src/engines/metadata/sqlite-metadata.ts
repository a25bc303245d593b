/**
 * Metadata in one SQLite file, for one process: a writer whose commits are grouped, and a
 * connection for reads that sees every commit (WAL).
 */

import { DatabaseSync } from 'node:sqlite';
import { isServiceError, ServiceError } from '../../core/errors.ts';

import type { Account } from '../../core/identity/account/account.ts';
import type { BlobId } from '../../core/ids.ts';
import type { ObjectVersion } from '../../core/objects/object.ts';
import type { BlobIdSource } from '../../core/ports/blob-store.ts';
import type {
  MetadataReads,
  MetadataTx,
  Transaction,
  Transactions,
} from '../../core/ports/metadata/metadata.ts';
import type {
  BlobRows,
  Deletion,
  ObjectCommits,
  ObjectWrites,
  Publication,
} from '../../core/ports/metadata/objects.ts';
import type { MetadataSnapshot, Snapshots } from '../../core/ports/metadata/snapshot.ts';
import type { UploadCommits } from '../../core/ports/metadata/uploads.ts';
import { BlobIdBlocks } from './blob-id-blocks.ts';
import { retryConflicts, SerialConflict } from './conflict.ts';
import { BLOB_ID_BLOCK_SIZE, SQLITE_BUSY_TIMEOUT_MS, SQLITE_CACHE_KIB } from './metadata-limits.ts';
import type { Migration } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { accessWrites } from './rows/access.ts';
import { accountWrites } from './rows/accounts.ts';
import { nextBlobId, storeIdOf } from './rows/blob-ids.ts';
import { blobReads, blobWrites } from './rows/blobs.ts';
import { bucketWrites } from './rows/buckets.ts';
import { contentHashWrites } from './rows/content-hashes.ts';
import { fileWrites } from './rows/files.ts';
import type { Moment } from './rows/moment.ts';
import { trailWrites } from './rows/trail.ts';
import type { Db } from './schema.ts';
import { AccountCache } from './sqlite/account-cache.ts';
import type { CommitGroup, Decided } from './sqlite/commit-group.ts';
import { DurableReads } from './sqlite/durable-reads.ts';
import { LookUpCache } from './sqlite/look-up-cache.ts';
import { kyselyOf } from './sqlite/sqlite-dialect.ts';
import { type SqliteFault, sqliteFault, translateSqliteError } from './sqlite/sqlite-errors.ts';
import { migrateSqlite } from './sqlite/sqlite-migrate.ts';
import { sqliteReads } from './sqlite/sqlite-reads.ts';
import { copySqlite, readAtOneMoment, withSqliteSnapshot } from './sqlite/sqlite-snapshot.ts';
import { SqliteWriter } from './sqlite/sqlite-writer.ts';
import {
  decideAbort,
  decideCompletion,
  decidePart,
  decideUpload,
  uploadWrites,
} from './sqlite/upload-commits.ts';
import { LOG_FRAMES_MAX, type LogStatistics, Wal, type WalOptions } from './sqlite/wal.ts';
import { type OnTransaction, TransactionRuns } from './transaction-runs.ts';

export type SqliteMetadataOptions = {
  /** Path of the file; made when it is missing. */
  readonly file: string;
  /** Blob numbers reserved at once. */
  readonly idBlockSize?: number;
  /** Another schema than the program's; for tests of migrations. */
  readonly migrations?: readonly Migration[];
  /** Called once when the disk has failed under a write: nothing can be promised any more. */
  readonly onSyncFailure?: (error: Error) => void;
  /** Called once when the file is found to be damaged: nothing more is written, reads go on. */
  readonly onDamage?: ((error: Error) => void) | undefined;
  /** Told of what costs nothing yet, as often as it comes. */
  readonly onTrouble?: ((facts: object, sentence: string) => void) | undefined;
  readonly openLog?: WalOptions['openLog'];
  readonly openThread?: WalOptions['openThread'];
  readonly onTransaction?: OnTransaction | undefined;
  /** Gives up room that was kept for deletes; called when one meets a full disk. */
  readonly makeRoom?: () => Promise<void>;
};

/** Several times what begins it anew. */
const LOG_FRAMES_WARNED = 4 * LOG_FRAMES_MAX;

type BlobReads = Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'listDeadBlobs'>;

/** An open engine: the class holds the writes, its reads are joined to it by subject. */
export type OpenSqliteMetadata = SqliteMetadata & MetadataReads & BlobReads;

export class SqliteMetadata
  implements
    Transactions,
    ObjectCommits,
    UploadCommits,
    Omit<BlobRows, keyof BlobReads>,
    Snapshots,
    BlobIdSource
{
  readonly #writeConnection: DatabaseSync;
  readonly #readConnection: DatabaseSync;
  readonly #file: string;
  readonly #makeRoom: SqliteMetadataOptions['makeRoom'];
  readonly #trouble: (facts: object, sentence: string) => void;
  #moments = 0;
  readonly #writer: SqliteWriter;
  readonly #wal: Wal;
  readonly #durable: DurableReads;
  readonly #db: Db;
  readonly #tx: MetadataTx;
  readonly #blobIds: BlobIdBlocks;
  readonly #runs: TransactionRuns;

  /** Opens the file and brings it to the program's schema; throws when it is newer. */
  static async open(options: SqliteMetadataOptions): Promise<OpenSqliteMetadata> {
    const { file, migrations = MIGRATIONS } = options;
    const writeConnection = connect(file);
    try {
      await migrateSqlite(writeConnection, { file, migrations, now: Date.now });
      const readConnection = connect(file);
      const wal = await Wal.open(file, {
        restart: (logFrames) => void engine.#restartLog(logFrames),
        onCheckpointFailure: (fault, error) => engine.#noteCheckpoint(fault, error),
        // NOTE: it may be lost at once, before there is an engine.
        onThreadLost: ({ error, pauseMs }) =>
          options.onTrouble?.(
            { err: error, pauseMs },
            'the checkpoint thread ended; it is begun anew',
          ),
        openLog: options.openLog,
        openThread: options.openThread,
      });
      const accounts = new AccountCache();
      const lookUps = new LookUpCache();
      const engine: SqliteMetadata = new SqliteMetadata(
        { writeConnection, readConnection, wal, accounts, lookUps },
        options,
      );
      const translate = (error: unknown) => engine.#translateRead(error);
      const readDb = kyselyOf(readConnection, translate);
      const moment: Moment = (read) => engine.#readAtOneMoment(read);
      const rows = sqliteReads(readConnection, readDb, { moment, translate });
      const reads = lookUps.over(cachedReads(rows, accounts));
      return Object.assign(engine, reads, blobReads(readDb, moment));
    } catch (error) {
      writeConnection.close();
      throw translateSqliteError(error);
    }
  }

  private constructor(
    parts: {
      readonly writeConnection: DatabaseSync;
      readonly readConnection: DatabaseSync;
      readonly wal: Wal;
      readonly accounts: AccountCache;
      readonly lookUps: LookUpCache;
    },
    options: SqliteMetadataOptions,
  ) {
    const { writeConnection, readConnection, wal, accounts, lookUps } = parts;
    this.#writeConnection = writeConnection;
    this.#readConnection = readConnection;
    this.#wal = wal;
    this.#durable = new DurableReads(readConnection);
    const onFailure = options.onSyncFailure ?? (() => undefined);
    this.#writer = new SqliteWriter(writeConnection, {
      durability: wal,
      accounts,
      lookUps,
      reads: this.#durable,
      onFailure,
      onDamage: options.onDamage,
    });
    this.#trouble = options.onTrouble ?? (() => undefined);
    this.#file = options.file;
    this.#runs = new TransactionRuns(options.onTransaction);
    this.#makeRoom = options.makeRoom;
    this.#db = kyselyOf(writeConnection);
    this.#tx = txOf(writeConnection, this.#db, this.#writer);
    this.#blobIds = new BlobIdBlocks(options.idBlockSize ?? BLOB_ID_BLOCK_SIZE, (count) =>
      this.#reserveBlock(count),
    );
  }

  transact<Input, Answer>(
    transaction: Transaction<Input, Answer>,
    input: NoInfer<Input>,
  ): Promise<Answer> {
    return retryConflicts(
      () => this.#writer.transact(() => this.#runs.run(transaction, this.#tx, input)),
      (error) => error instanceof SerialConflict,
      async () => {},
    );
  }

  publishObject(publication: Publication): Promise<ObjectVersion | undefined> {
    return this.#writer.publishObject(publication);
  }

  deleteObject(deletion: Deletion): Promise<ObjectVersion | undefined> {
    return this.#remove((group) => group.decideDelete(deletion));
  }

  insertUpload: UploadCommits['insertUpload'] = (beginning) =>
    this.#writer.runInGroup((group) => decideUpload(group, beginning));

  savePart: UploadCommits['savePart'] = (publication) =>
    this.#writer.runInGroup((group) => decidePart(group, publication));

  completeUpload: UploadCommits['completeUpload'] = (completion) =>
    this.#writer.runInGroup((group) => decideCompletion(group, completion));

  abortUpload: UploadCommits['abortUpload'] = (abortion) =>
    this.#remove((group) => decideAbort(group, abortion));

  forgetDeadBlobs: BlobRows['forgetDeadBlobs'] = (blobIds) =>
    this.#writer.transact(() => blobWrites(this.#db).forgetDeadBlobs(blobIds));

  moveBlobs: BlobRows['moveBlobs'] = (moves) =>
    this.#writer.transact(() => blobWrites(this.#db).moveBlobs(moves));

  reserveBlobIds(count: number): Promise<BlobId> {
    return this.#blobIds.take(count);
  }

  async check(): Promise<void> {
    this.#writer.check();
    try {
      this.#readConnection.exec('select 1 from blob_ids');
    } catch (error) {
      throw this.#translateRead(error);
    }
  }

  /** What an operator watches of the log, and whether writes are taken. */
  statistics(): LogStatistics & { readonly isWritable: boolean } {
    return { ...this.#wal.statistics(), isWritable: this.#writer.isWritable };
  }

  /** Copies the file as it stands, while it is in use, to `target`, which must not exist. */
  backup(
    target: string,
    onPages: (pages: { readonly done: number; readonly total: number }) => void = () => undefined,
  ): Promise<void> {
    return this.#atOneMoment(() => copySqlite(this.#file, target, onPages));
  }

  /** By a connection of its own, so that its transaction holds up no other read. */
  snapshot<T>(work: (snapshot: MetadataSnapshot) => Promise<T>): Promise<T> {
    return this.#atOneMoment(() => withSqliteSnapshot(this.#file, work));
  }

  /** For reads of several statements that are seldom. */
  async #readAtOneMoment<T>(read: (db: Db) => Promise<T>): Promise<T> {
    if (!this.#readConnection.isOpen) {
      throw new ServiceError('unavailable', 'The metadata engine is closed.');
    }
    return await this.#atOneMoment(() => readAtOneMoment(this.#file, read));
  }

  /**
   * While a moment is read, the log that holds it is not begun anew: that would wait for its end.
   */
  async #atOneMoment<T>(read: () => Promise<T>): Promise<T> {
    this.#moments += 1;
    try {
      await this.#durable.untilReleased();
      return await read();
    } catch (error) {
      throw this.#translateRead(error);
    } finally {
      this.#moments -= 1;
    }
  }

  /** What frees bytes has to work on a full disk. */
  async #remove<T>(decide: (group: CommitGroup) => Decided<T>): Promise<T> {
    try {
      return await this.#writer.runInGroup(decide);
    } catch (error) {
      if (!isServiceError(error, 'storage_full') || this.#makeRoom === undefined) throw error;
      await this.#makeRoom();
      return await this.#writer.runInGroup(decide);
    }
  }

  /** Commits what is queued, then closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#wal.close();
    if (this.#readConnection.isOpen) this.#readConnection.close();
    if (this.#writeConnection.isOpen) this.#writeConnection.close();
  }

  /** A restart that fails only leaves the log longer; the next report asks again. */
  async #restartLog(logFrames: number): Promise<void> {
    if (this.#moments > 0) return;
    try {
      const isDone = await this.#writer.restartLog();
      // A reader in the way now and then is nothing; the log shows whether one always is.
      if (!isDone && logFrames > LOG_FRAMES_WARNED) {
        this.#trouble({ logFrames }, 'the log of the metadata grows: readers keep it');
      }
    } catch (error) {
      this.#trouble({ logFrames, err: error }, 'the log of the metadata cannot be begun anew');
    }
  }

  /** The log stays as it is; what the disk or the file itself has ended stays ended. */
  #noteCheckpoint(fault: SqliteFault, error: unknown): void {
    this.#writer.note(fault, error);
    this.#trouble({ err: error, fault }, 'a checkpoint of the metadata failed');
  }

  /** A read that fails changes nothing, but one that meets damage ends all writing. */
  #translateRead(error: unknown): unknown {
    const fault = sqliteFault(error);
    if (fault === 'damage') this.#writer.note(fault, error);
    return translateSqliteError(error);
  }

  async storeId(): Promise<string> {
    return await storeIdOf(this.#db);
  }

  #reserveBlock(count: number): Promise<number> {
    return this.#writer.transact(async () => {
      const { next_id } = await this.#db
        .updateTable('blob_ids')
        .set({ next_id: nextBlobId(count) })
        .returning('next_id')
        .executeTakeFirstOrThrow();
      return next_id - count;
    });
  }
}

function connect(file: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = new DatabaseSync(file, { timeout: SQLITE_BUSY_TIMEOUT_MS });
    connection.exec('pragma journal_mode = wal');
    // NORMAL syncs at checkpoints only; `Wal.sync` is what every commit waits for (decision 0003).
    connection.exec('pragma synchronous = normal');
    connection.exec(`pragma cache_size = -${SQLITE_CACHE_KIB}`);
    connection.exec('pragma temp_store = memory');
    // The checkpoint thread does it.
    connection.exec('pragma wal_autocheckpoint = 0');
    return connection;
  } catch (error) {
    connection?.close();
    throw translateSqliteError(error);
  }
}

/** Reads outside transactions; those within see what is not committed, and so no cache. */
function cachedReads(reads: MetadataReads, accounts: AccountCache): MetadataReads {
  const kept = async (read: () => Promise<Account | undefined>) => {
    const { generation } = accounts;
    const account = await read();
    if (account !== undefined) accounts.keep(account, generation);
    return account;
  };
  return {
    ...reads,
    findAccount: async (accountId) =>
      accounts.findById(accountId) ?? kept(() => reads.findAccount(accountId)),
    findAccountByAppKey: async (appKeyHash) =>
      accounts.findByAppKey(appKeyHash) ?? kept(() => reads.findAccountByAppKey(appKeyHash)),
  };
}

function txOf(connection: DatabaseSync, db: Db, writer: SqliteWriter): MetadataTx {
  const run = async <T>(decide: (group: CommitGroup) => Decided<T>) => writer.runAlone(decide);
  const objects: ObjectWrites = {
    publishObject: (publication) => run((group) => group.decidePublish(publication)),
    deleteObject: (deletion) => run((group) => group.decideDelete(deletion)),
    moveObject: async (move) => {
      await run((group) => group.decideMove(move));
    },
  };
  return {
    ...sqliteReads(connection, db, { moment: (read) => read(db) }),
    ...accountWrites(db),
    ...accessWrites(db),
    // The one writer is its own lock.
    ...bucketWrites(db, async () => undefined),
    ...fileWrites(db),
    ...trailWrites(db),
    ...contentHashWrites(db),
    ...objects,
    ...uploadWrites(run),
  };
}
