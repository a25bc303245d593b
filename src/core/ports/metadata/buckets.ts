/** Buckets beside the default one, which comes and stays with its account. */
import type { AccountId, BucketId, BucketName } from '../../ids.ts';
import type { Bucket, BucketChange, NewBucket } from '../../objects/buckets/bucket.ts';

export interface BucketReads {
  /** Asked for by every S3 request. */
  findBucket(name: BucketName): Promise<Bucket | undefined>;
  findBucketById(bucketId: BucketId): Promise<Bucket | undefined>;
  /** Those of an account in order of name; `prefix` and `after` are in letters of bucket names. */
  listBuckets(page: {
    readonly accountId: AccountId;
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
  }): Promise<readonly Bucket[]>;
  /** The default bucket counts as one. */
  countBuckets(accountId: AccountId): Promise<number>;
}

export interface BucketWrites {
  /** Throws `bucket_exists` when any account has a bucket of that name. */
  insertBucket(bucket: NewBucket): Promise<Bucket>;
  /** Changes the named settings; throws `bucket_not_found`. */
  updateBucket(bucketId: BucketId, change: BucketChange): Promise<void>;
  /**
   * Removes an empty bucket; its number is never given again. The same transaction aborts its open
   * uploads before. Throws `bucket_not_found`, and `bucket_not_empty` while it holds an object or a
   * former version. A publish or a new upload that races with it either comes first or fails with
   * `bucket_not_found`.
   */
  deleteBucket(bucketId: BucketId): Promise<void>;
}
