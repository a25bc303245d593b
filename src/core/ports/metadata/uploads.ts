/** Multipart uploads and their parts, which own blobs until they are completed or aborted. */
import type { BucketId, TimeMs, UploadId } from '../../ids.ts';
import type {
  CommitDemands,
  PartDemands,
  UploadDemands,
} from '../../objects/commit/commit-demands.ts';
import type {
  MultipartUpload,
  PartList,
  UploadAddress,
  UploadPart,
  UploadResult,
} from '../../objects/multipart/upload.ts';
import type { UsageDelta } from '../../usage.ts';
import type { BlobRef } from '../blob-store.ts';
import type { ListPosition, ListQuery } from './objects.ts';

/** Where a list of uploads goes on; `afterUpload`: after that upload of a key, gone or not. */
export type UploadPosition =
  | ListPosition
  | { readonly kind: 'afterUpload'; readonly key: string; readonly uploadId: string };

export type UploadQuery = Omit<ListQuery, 'after'> & {
  readonly after: UploadPosition | undefined;
};

export type UploadEntry =
  | { readonly kind: 'upload'; readonly upload: MultipartUpload }
  | { readonly kind: 'prefix'; readonly prefix: string };

export type UploadPage = {
  readonly entries: readonly UploadEntry[];
  readonly isTruncated: boolean;
};

export interface UploadReads {
  /** Live or completed; an aborted one is gone. */
  findUpload(uploadId: UploadId): Promise<MultipartUpload | undefined>;
  /**
   * Live uploads in order of their keys' bytes, then of their ids, which is that of their starts.
   * Keys are rolled up as in a listing of objects.
   */
  listUploads(query: UploadQuery): Promise<UploadPage>;
  /** In order of their numbers, those above `after`. */
  listParts(page: {
    readonly uploadId: UploadId;
    readonly after: number;
    readonly limit: number;
  }): Promise<readonly UploadPart[]>;
}

export type UploadBeginning = {
  readonly upload: MultipartUpload;
  /** Judged by `judgeUpload` inside the transaction, before its first write. */
  readonly demands: UploadDemands;
};

export type PartPublication = {
  readonly address: UploadAddress;
  /** Its `createdAt` is also the time of the upload's change. */
  readonly part: UploadPart;
  /** Bytes that nothing else names; `undefined` for an empty part. */
  readonly blob: BlobRef | undefined;
  /** Judged by `judgePart` inside the transaction, before its first write. */
  readonly demands: PartDemands;
  readonly usage: UsageDelta | undefined;
};

/** What the object becomes is for `assembleUpload` to say, on the facts of the transaction. */
export type UploadCompletion = PartList & {
  readonly address: UploadAddress;
  readonly at: TimeMs;
  /** Judged by `judgeCommit` before the parts are looked at. */
  readonly demands: CommitDemands;
  /** How many completed uploads of the account stay; of more the oldest are forgotten. */
  readonly resultsKept: number;
};

/**
 * Changes of uploads, each as a transaction of its own. All throw `upload_not_found` unless a live
 * upload has the whole address; a refused one changes nothing.
 */
export interface UploadCommits {
  /**
   * Begins an upload, which counts against the quota while it is open. Throws what a demand says,
   * and `bucket_not_found`, also for another account's bucket.
   */
  insertUpload(beginning: UploadBeginning): Promise<void>;

  /**
   * Puts a part under its number; one that stood there loses its bytes, and is answered. Stored
   * bytes of the account count it. Throws `object_not_found` for a blob that is dead.
   */
  savePart(publication: PartPublication): Promise<UploadPart | undefined>;

  /**
   * Makes the listed parts the object that readers see under the upload's key, as `publishObject`
   * does; their bytes change owners, parts not listed lose theirs. An upload that was completed
   * already answers its result, and nothing is judged.
   */
  completeUpload(completion: UploadCompletion): Promise<UploadResult>;

  /** Removes an upload with its parts. */
  abortUpload(abortion: { readonly address: UploadAddress; readonly at: TimeMs }): Promise<void>;
}

/** The same within a larger transaction, and what sweeps need. */
export interface UploadWrites extends UploadCommits {
  /** Aborts live uploads of a bucket, at most `limit`; answers how many. */
  abortUploadsOf(uploads: {
    readonly bucketId: BucketId;
    readonly at: TimeMs;
    readonly limit: number;
  }): Promise<number>;
  /** Aborts live uploads unchanged since before, at most `limit`; answers how many. */
  abortIdleUploads(uploads: {
    readonly changedBefore: TimeMs;
    readonly at: TimeMs;
    readonly limit: number;
  }): Promise<number>;
  /** Forgets uploads completed before, at most `limit`; answers how many. */
  forgetUploads(uploads: {
    readonly completedBefore: TimeMs;
    readonly limit: number;
  }): Promise<number>;
}
