/** A bucket: a flat space of keys that one account owns. */
import type { AccountId, BucketId, BucketName, TimeMs } from '../../ids.ts';

/** Settings kept as documents; each dialect that serves one owns its grammar. */
export type BucketDocuments = {
  readonly cors: string | undefined;
  readonly policy: string | undefined;
  readonly lifecycle: string | undefined;
  readonly tagging: string | undefined;
};

/** What its owner may change; a missing field stays, `null` removes a document. */
export type BucketChange = {
  readonly publicRead?: boolean;
  readonly documents?: { readonly [Name in keyof BucketDocuments]?: string | null };
};

/** A bucket before the engine has numbered it. */
export type NewBucket = Omit<Bucket, 'bucketId' | 'isDefault'>;

export type Bucket = {
  readonly bucketId: BucketId;
  readonly accountId: AccountId;
  readonly name: BucketName;
  readonly isDefault: boolean;
  /** Whether anyone may GET and HEAD its objects (never list). */
  readonly publicRead: boolean;
  readonly documents: BucketDocuments;
  readonly createdAt: TimeMs;
};
