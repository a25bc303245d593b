/** Content hashes that are made after the object: of those that came in parts. */
import type { BucketId, ContentHash, ObjectKey, TimeMs } from '../../ids.ts';
import type { ObjectVersion, StoredObject } from '../../objects/object.ts';

export type UnhashedPosition = {
  readonly createdAt: TimeMs;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
};

export interface ContentHashReads {
  /** Objects without a content hash, oldest first, then by bucket and key, after the position. */
  listUnhashed(page: {
    readonly after: UnhashedPosition | undefined;
    readonly limit: number;
  }): Promise<readonly StoredObject[]>;
}

export interface ContentHashWrites {
  /**
   * Gives a version its content hash if it still is the one under its key, told by time and ETag,
   * and has none; answers whether it did.
   */
  setContentHash(
    version: Pick<ObjectVersion, 'bucketId' | 'key' | 'createdAt' | 'etag'>,
    contentHash: ContentHash,
  ): Promise<boolean>;
}
