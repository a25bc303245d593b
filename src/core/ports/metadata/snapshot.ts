/**
 * All rows as they stand at one moment, for `verify`: what is written meanwhile is not seen, so
 * counts and what they count fit each other. Each method pages through a table in the engine's
 * own order.
 */
import type {
  AccountId,
  AccountSlug,
  BlobId,
  Branded,
  BucketId,
  BucketName,
  LinkHash,
} from '../../ids.ts';
import type { BlobRef } from '../blob-store.ts';

/** Number of a content list; only `verify` tells lists apart. */
export type ContentListId = Branded<number, 'ContentListId'>;

/** The row of a blob that something names; `undefined` when there is none. */
export type NamedBlob = { readonly sizeBytes: number; readonly isDead: boolean } | undefined;

/** What an owner names: the one blob that is its whole content, a list, or nothing. */
export type OwnedContent =
  | { readonly kind: 'none' }
  | { readonly kind: 'blob'; readonly blobId: BlobId; readonly blob: NamedBlob }
  | {
      readonly kind: 'list';
      readonly listId: ContentListId;
      /** Sum of its parts; `undefined` when it has none. */
      readonly sizeBytes: number | undefined;
    };

/** A row that owns bytes: an object, a former version, a part of an open upload. */
export type OwnerRow = {
  readonly kind: 'object' | 'version' | 'part';
  /** `undefined` for a part whose upload has no row. */
  readonly bucketId: BucketId | undefined;
  readonly key: string;
  readonly sizeBytes: number;
  /** As `describedBytes` has it; 0 of a part. */
  readonly describedBytes: number;
  readonly content: OwnedContent;
};

/** An upload that is open; its parts are owners. */
export type OpenUploadRow = { readonly bucketId: BucketId; readonly describedBytes: number };

export type ListRow = { readonly listId: ContentListId; readonly partCount: number };

export type ListPartRow = {
  readonly listId: ContentListId;
  readonly blobId: BlobId;
  readonly sizeBytes: number;
  readonly blob: NamedBlob;
};

export type BlobRow = BlobRef & { readonly owners: number; readonly isDead: boolean };

export type BucketRow = {
  readonly bucketId: BucketId;
  readonly accountId: AccountId;
  readonly name: BucketName;
};

export type AccountRow = {
  readonly accountId: AccountId;
  readonly slug: AccountSlug;
  readonly defaultBucketId: BucketId;
  readonly storedBytes: bigint;
  readonly countedBytes: bigint;
};

export type LinkRow = {
  readonly hash: LinkHash;
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
};

type Pages<T> = AsyncIterable<readonly T[]>;

export interface MetadataSnapshot {
  accounts(): Pages<AccountRow>;
  buckets(): Pages<BucketRow>;
  /** Every row that owns bytes; what is added to the schema and owns bytes is added here. */
  owners(): Pages<OwnerRow>;
  openUploads(): Pages<OpenUploadRow>;
  lists(): Pages<ListRow>;
  listParts(): Pages<ListPartRow>;
  /** Dead ones too. */
  blobs(): Pages<BlobRow>;
  links(): Pages<LinkRow>;
}

export interface Snapshots {
  /**
   * Runs `work` on the rows of one moment, which includes all that was acknowledged before the
   * call. The engine keeps what is replaced meanwhile, so `work` only reads and waits for nothing
   * else.
   */
  snapshot<T>(work: (snapshot: MetadataSnapshot) => Promise<T>): Promise<T>;
}
