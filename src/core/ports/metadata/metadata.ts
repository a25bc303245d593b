/**
 * Metadata: every fact about accounts, buckets, objects and links, and which blobs they name.
 *
 * One schema, three engines (memory, SQLite, PostgreSQL) that answer alike; `metadata-contract.ts`
 * beside this file is run against each. Promises of every engine:
 * - A promise that resolved is durable: it survives a killed process and a power cut.
 * - Transactions are serial in effect. Reads outside one see all that was acknowledged before.
 * - Text keys compare as the bytes of their UTF-8, never by locale.
 * - Methods throw `unavailable` when the engine is out of reach, `storage_full` when its disk is
 *   full, `read_only` once it can no longer promise durability; nothing was changed then.
 */
import type { BlobIdSource } from '../blob-store.ts';
import type { AccessReads, AccessWrites } from './access.ts';
import type { AccountReads, AccountWrites } from './accounts.ts';
import type { BucketReads, BucketWrites } from './buckets.ts';
import type { ContentHashReads, ContentHashWrites } from './content-hashes.ts';
import type { FileReads, FileWrites } from './files.ts';
import type { BlobRows, ObjectCommits, ObjectReads, ObjectWrites } from './objects.ts';
import type { Snapshots } from './snapshot.ts';
import type { TrailWrites, UsageReads } from './trail.ts';
import type { UploadCommits, UploadReads, UploadWrites } from './uploads.ts';

export type MetadataReads = AccountReads &
  AccessReads &
  BucketReads &
  ObjectReads &
  UploadReads &
  ContentHashReads &
  FileReads &
  UsageReads;

export type MetadataTx = MetadataReads &
  AccountWrites &
  AccessWrites &
  BucketWrites &
  ObjectWrites &
  UploadWrites &
  ContentHashWrites &
  FileWrites &
  TrailWrites;

/**
 * Several reads and writes of the core that happen as one, under a name that no other bears. Made
 * by `defineTransaction`.
 */
export type Transaction<Input, Answer> = {
  readonly name: string;
  /**
   * Awaits nothing but `tx` (invariant 3) and has no other effects: after a conflict it is run
   * again with the same input. Time and chance are therefore part of the input.
   */
  readonly run: (tx: MetadataTx, input: Input) => Promise<Answer>;
};

/** Runs several reads and writes as one; the narrow part of `Metadata` that most use cases need. */
export interface Transactions {
  /**
   * Runs `transaction` and commits when it resolves; when it throws, nothing has changed. Input and
   * answer are data (decision 0016): whatever `structuredClone` copies, and no function.
   */
  transact<Input, Answer>(
    transaction: Transaction<Input, Answer>,
    input: NoInfer<Input>,
  ): Promise<Answer>;
}

export interface Metadata
  extends MetadataReads,
    ObjectCommits,
    UploadCommits,
    BlobRows,
    Transactions,
    Snapshots,
    BlobIdSource,
    AsyncDisposable {
  /** Throws when the engine cannot serve now; cheap enough for a readiness probe. */
  check(): Promise<void>;
}
