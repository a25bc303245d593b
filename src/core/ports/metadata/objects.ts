/** Objects, listings, and the rows of the blobs that objects name. */

import type { UploadOperation } from '../../files/operation.ts';
import type {
  AccountId,
  BlobId,
  BlobLocation,
  BucketId,
  ContentHash,
  LinkHash,
  ObjectKey,
  TimeMs,
} from '../../ids.ts';
import type { CommitDemands } from '../../objects/commit/commit-demands.ts';
import type { ContentPart, ObjectVersion, Origin, StoredObject } from '../../objects/object.ts';
import type { UsageDelta } from '../../usage.ts';
import type { BlobRef } from '../blob-store.ts';

/** Where a listing goes on: after a key, or after every key that begins with a common prefix. */
export type ListPosition =
  | { readonly kind: 'afterKey'; readonly key: string }
  | { readonly kind: 'afterPrefix'; readonly prefix: string };

export type ListQuery = {
  readonly bucketId: BucketId;
  /** Only keys that begin with it; may be empty. */
  readonly prefix: string;
  /** Keys that hold it after the prefix are rolled up; empty: none are. */
  readonly delimiter: string;
  readonly after: ListPosition | undefined;
  /** Objects and common prefixes together, 1 to 1000. */
  readonly limit: number;
};

export type ListEntry =
  | { readonly kind: 'object'; readonly object: ObjectVersion }
  | { readonly kind: 'prefix'; readonly prefix: string };

/** `entries` in order of bytes; `isTruncated` says that at least one more follows. */
export type ListPage = { readonly entries: readonly ListEntry[]; readonly isTruncated: boolean };

export interface ObjectReads {
  findObject(bucketId: BucketId, key: ObjectKey): Promise<StoredObject | undefined>;
  /** The oldest live object of a bucket with these bytes, written by `origin` if one is given. */
  findObjectByHash(
    bucketId: BucketId,
    contentHash: ContentHash,
    origin: Origin | undefined,
  ): Promise<StoredObject | undefined>;
  /**
   * The object under the name that a link has at this moment: never another file that took the name
   * while the link moved on with its own.
   */
  findLinkedObject(hash: LinkHash): Promise<StoredObject | undefined>;
  /** A position that is equal to or inside a common prefix skips that whole prefix. */
  listObjects(query: ListQuery): Promise<ListPage>;
}

export type Publication = {
  readonly accountId: AccountId;
  /** With `createdAt` as its time of modification. */
  readonly version: ObjectVersion;
  /** Blobs that are new get a row with one owner; those that stand get one owner more. */
  readonly content: readonly ContentPart[];
  /** True for a copy, whose blobs are none of them new: one without a row went with its bytes. */
  readonly areBlobsStanding?: boolean;
  /** Judged by `judgeCommit` inside the transaction, before its first write. */
  readonly demands: CommitDemands;
  /** Written with the object; replaces an earlier row of the same id. */
  readonly operation: UploadOperation | undefined;
  readonly usage: UsageDelta | undefined;
};

export type Deletion = {
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly at: TimeMs;
  readonly demands: CommitDemands;
};

/**
 * Publishes and deletes, each as a transaction of its own. Engines may put several into one
 * transaction: a refused member fails alone; a failed commit fails all of its group.
 */
export interface ObjectCommits {
  /**
   * Makes `version` the object that readers see under its key: judges, replaces the row, drops the
   * references of the row it replaces, and keeps the account's stored bytes. Resolves with the
   * version that was replaced. Throws what a demand says; `bucket_not_found`, also for another
   * account's bucket; `account_not_found`; `object_not_found` when it names a dead blob, or
   * one that should stand and is forgotten, as a copy may whose source went meanwhile.
   */
  publishObject(publication: Publication): Promise<ObjectVersion | undefined>;

  /**
   * Removes an object and ends the public links bound to its name. Resolves with the version that
   * was removed, or `undefined` when there was none (the demands are judged then too).
   */
  deleteObject(deletion: Deletion): Promise<ObjectVersion | undefined>;
}

/** The same within a larger transaction. */
export interface ObjectWrites extends ObjectCommits {
  /**
   * Gives an object another key in its bucket; nothing else of it changes. An object that stands
   * there is removed first and its links end, so that what moves in never stands under a link that
   * was made for another. Links of the moved one follow it. Throws `object_not_found`.
   */
  moveObject(move: {
    readonly bucketId: BucketId;
    readonly from: ObjectKey;
    readonly to: ObjectKey;
    readonly at: TimeMs;
  }): Promise<void>;
}

/** A blob that lost its last owner; its bytes wait to be removed (an outbox, invariant 4). */
export type DeadBlob = BlobRef & { readonly diedAt: TimeMs };

/** The blob rows, for sweeping, compaction, backup and `verify`. */
export interface BlobRows {
  /** Those that live, in order of id. */
  findBlobs(blobIds: readonly BlobId[]): Promise<readonly BlobRef[]>;
  /** Those that live where locations begin with `prefix`, in order of id; it reads every row. */
  listBlobsAt(prefix: string): Promise<readonly BlobRef[]>;
  /** Those that live, in order of id, after `after`. */
  listBlobs(page: {
    readonly after: BlobId | undefined;
    readonly limit: number;
  }): Promise<readonly (BlobRef & { readonly owners: number })[]>;
  /** Oldest first. */
  listDeadBlobs(page: {
    readonly diedBefore: TimeMs;
    readonly limit: number;
  }): Promise<readonly DeadBlob[]>;
  /** Forgets dead blobs whose bytes are removed. */
  forgetDeadBlobs(blobIds: readonly BlobId[]): Promise<void>;
  /**
   * Changes where blobs are, each only if it still is at `from`; answers the ids that changed.
   * Dead blobs move too.
   */
  moveBlobs(
    moves: readonly {
      readonly blobId: BlobId;
      readonly from: BlobLocation;
      readonly to: BlobLocation;
    }[],
  ): Promise<readonly BlobId[]>;
}
