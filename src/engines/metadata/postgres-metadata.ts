/**
 * Metadata in PostgreSQL, or in a database that speaks its protocol, for any number of processes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';

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
import type { UploadCommits, UploadWrites } from '../../core/ports/metadata/uploads.ts';
import { BlobIdBlocks } from './blob-id-blocks.ts';
import { retryConflicts } from './conflict.ts';
import { BLOB_ID_BLOCK_SIZE, CONFLICT_PAUSE_MS_MAX } from './metadata-limits.ts';
import type { Migration } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import {
  behindGates,
  lockAccount,
  lockAccountThroughGate,
  type Touched,
} from './postgres/account-gate.ts';
import { objectWrites } from './postgres/postgres-commits.ts';
import { kyselyOfPool, openPool } from './postgres/postgres-dialect.ts';
import { isConflict, unavailable } from './postgres/postgres-errors.ts';
import { listObjects } from './postgres/postgres-listing.ts';
import { migratePostgres } from './postgres/postgres-migrate.ts';
import { uploadWrites } from './postgres/postgres-uploads.ts';
import { accessReads, accessWrites } from './rows/access.ts';
import { accountReads, accountWrites } from './rows/accounts.ts';
import { nextBlobId, storeIdOf } from './rows/blob-ids.ts';
import { blobReads, blobWrites } from './rows/blobs.ts';
import { bucketReads, bucketWrites } from './rows/buckets.ts';
import { contentHashWrites } from './rows/content-hashes.ts';
import { fileReads, fileWrites } from './rows/files.ts';
import type { Moment } from './rows/moment.ts';
import { type JsonFunctions, objectReads } from './rows/objects.ts';
import { rowSnapshot } from './rows/snapshot.ts';
import { trailWrites, usageReads } from './rows/trail.ts';
import { uploadReads } from './rows/uploads.ts';
import type { Db } from './schema.ts';
import { type OnTransaction, TransactionRuns } from './transaction-runs.ts';

const JSON_FUNCTIONS: JsonFunctions = { array: 'json_build_array', gather: 'json_agg' };

export type PostgresMetadataOptions = {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string;
  /** Blob numbers reserved at once, by each process. */
  readonly idBlockSize?: number;
  readonly onTransaction?: OnTransaction | undefined;
  /** Another schema than the program's; for tests of migrations. */
  readonly migrations?: readonly Migration[];
};

type BlobReads = Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'listDeadBlobs'>;

/** An open engine: the class holds the writes, its reads are joined to it by subject. */
export type OpenPostgresMetadata = PostgresMetadata & MetadataReads & BlobReads;

export class PostgresMetadata
  implements
    Transactions,
    ObjectCommits,
    UploadCommits,
    Omit<BlobRows, keyof BlobReads>,
    Snapshots,
    BlobIdSource
{
  readonly #db: Db;
  readonly #blobIds: BlobIdBlocks;
  readonly #runs: TransactionRuns;
  #isClosed = false;

  /** Connects and brings the database to the program's schema; throws when it is newer. */
  static async open(options: PostgresMetadataOptions): Promise<OpenPostgresMetadata> {
    const db = kyselyOfPool(openPool(options.url));
    try {
      await refuseVolatile(db);
      await migratePostgres(db, { migrations: options.migrations ?? MIGRATIONS, now: Date.now });
    } catch (error) {
      await db.destroy();
      throw error;
    }
    return Object.assign(
      new PostgresMetadata(db, options),
      readsOf(db, momentOf(db)),
      blobReads(db, momentOf(db)),
    );
  }

  private constructor(db: Db, options: PostgresMetadataOptions) {
    this.#db = db;
    this.#runs = new TransactionRuns(options.onTransaction);
    this.#blobIds = new BlobIdBlocks(options.idBlockSize ?? BLOB_ID_BLOCK_SIZE, (count) =>
      this.#reserveBlock(count),
    );
  }

  transact<Input, Answer>(
    transaction: Transaction<Input, Answer>,
    input: NoInfer<Input>,
  ): Promise<Answer> {
    const touched: Touched = new Set();
    return this.#retry(() => {
      const attempt = (db: Db) =>
        inSerial(db, (tx) => this.#runs.run(transaction, txOf(tx, touched), input));
      // What the attempt before had touched: it met a conflict there.
      return touched.size === 0 ? attempt(this.#db) : behindGates(this.#db, touched, attempt);
    });
  }

  publishObject(publication: Publication): Promise<ObjectVersion | undefined> {
    return this.#commit((writes) => writes.publishObject(publication));
  }

  deleteObject(deletion: Deletion): Promise<ObjectVersion | undefined> {
    return this.#commit((writes) => writes.deleteObject(deletion));
  }

  insertUpload: UploadCommits['insertUpload'] = (beginning) =>
    this.#commitUpload((writes) => writes.insertUpload(beginning));

  savePart: UploadCommits['savePart'] = (publication) =>
    this.#commitUpload((writes) => writes.savePart(publication));

  completeUpload: UploadCommits['completeUpload'] = (completion) =>
    this.#commitUpload((writes) => writes.completeUpload(completion));

  abortUpload: UploadCommits['abortUpload'] = (abortion) =>
    this.#commitUpload((writes) => writes.abortUpload(abortion));

  forgetDeadBlobs: BlobRows['forgetDeadBlobs'] = (blobIds) =>
    this.#run((db) => blobWrites(db).forgetDeadBlobs(blobIds));

  moveBlobs: BlobRows['moveBlobs'] = (moves) => this.#run((db) => blobWrites(db).moveBlobs(moves));

  async snapshot<T>(work: (snapshot: MetadataSnapshot) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw unavailable();
    return await momentOf(this.#db)(async (db) => {
      // The moment is that of the first query.
      await sql`select 1 from blob_ids`.execute(db);
      return await work(rowSnapshot(db, async () => undefined));
    });
  }

  reserveBlobIds(count: number): Promise<BlobId> {
    return this.#blobIds.take(count);
  }

  async check(): Promise<void> {
    if (this.#isClosed) throw unavailable();
    await sql`select 1 from blob_ids`.execute(this.#db);
  }

  /** Waits for what is under way, then ends all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#db.destroy();
  }

  /** The lock of the account's row makes these serial; no other isolation is needed. */
  #commit<T>(work: (writes: ObjectWrites) => Promise<T>): Promise<T> {
    return this.#run((db) => work(objectWrites(db, lockAccountThroughGate)));
  }

  #commitUpload<T>(work: (writes: UploadWrites) => Promise<T>): Promise<T> {
    return this.#run((db) => work(uploadWrites(db, lockAccountThroughGate)));
  }

  #run<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return this.#retry(() =>
      this.#db.transaction().setIsolationLevel('read committed').execute(work),
    );
  }

  #retry<T>(attempt: () => Promise<T>): Promise<T> {
    return retryConflicts(
      async () => {
        if (this.#isClosed) throw unavailable();
        return attempt();
      },
      isConflict,
      pauseAfter,
    );
  }

  async storeId(): Promise<string> {
    return await this.#run((db) => storeIdOf(db));
  }

  #reserveBlock(count: number): Promise<number> {
    return this.#run(async (db) => {
      const { next_id } = await db
        .updateTable('blob_ids')
        .set({ next_id: nextBlobId(count) })
        .returning('next_id')
        .executeTakeFirstOrThrow();
      return next_id - count;
    });
  }
}

/** Longer the more often a transaction failed, and by chance, so that rivals do not meet again. */
async function pauseAfter(tries: number): Promise<void> {
  await sleep(Math.random() * Math.min(2 ** tries, CONFLICT_PAUSE_MS_MAX));
}

/** Acknowledged writes must outlive a power cut: a database set otherwise is refused. */
async function refuseVolatile(db: Db): Promise<void> {
  const { rows } = await sql<{ value: string }>`
    select current_setting('synchronous_commit') as value`.execute(db);
  if (rows[0]?.value !== 'off') return;
  throw new Error(
    'PINFOLD_DATABASE_URL names a database with synchronous_commit = off, which loses ' +
      'acknowledged writes: set it to on for this role or database.',
  );
}

/** One round trip more than statements alone; its moment is that of its first statement. */
function momentOf(db: Db): Moment {
  return (read) =>
    db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);
}

function readsOf(db: Db, moment: Moment): MetadataReads {
  return {
    ...accountReads(db),
    ...accessReads(db),
    ...bucketReads(db),
    ...objectReads(db, JSON_FUNCTIONS),
    ...uploadReads(db, moment),
    ...fileReads(db),
    ...usageReads(db),
    listObjects: (query) => listObjects(db, query),
  };
}

function inSerial<T>(db: Db, work: (tx: Db) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel('serializable').execute(work);
}

function txOf(db: Db, touched: Touched): MetadataTx {
  // Commits are READ COMMITTED and so unseen by the server's check of serial transactions.
  const { findObject, findObjectByHash } = objectReads(db, JSON_FUNCTIONS, { hold: 'share' });
  const writes = objectWrites(db, lockAccount);
  const buckets = bucketWrites(db, (accountId) => lockAccount(db, accountId));
  return {
    ...readsOf(db, (read) => read(db)),
    findObjectByHash,
    ...accountWrites(db),
    ...accessWrites(db),
    ...buckets,
    ...fileWrites(db),
    ...trailWrites(db),
    ...contentHashWrites(db),
    ...uploadWrites(db, lockAccount, (bucketId) => touched.add(bucketId)),
    findObject(bucketId, key) {
      touched.add(bucketId);
      return findObject(bucketId, key);
    },
    deleteBucket(bucketId) {
      touched.add(bucketId);
      return buckets.deleteBucket(bucketId);
    },
    publishObject(publication) {
      touched.add(publication.version.bucketId);
      return writes.publishObject(publication);
    },
    deleteObject(deletion) {
      touched.add(deletion.bucketId);
      return writes.deleteObject(deletion);
    },
    moveObject(move) {
      touched.add(move.bucketId);
      return writes.moveObject(move);
    },
  };
}
