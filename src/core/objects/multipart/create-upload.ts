/** Beginning a multipart upload. */
import { type AccountId, type BucketId, type ObjectKey, uploadIdOf } from '../../ids.ts';
import { OPEN_UPLOADS_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { UploadCommits } from '../../ports/metadata/uploads.ts';
import type { Random } from '../../ports/random.ts';
import type { QuotaPolicy } from '../../quota.ts';
import { uploadFootprint } from '../commit/footprint.ts';
import type { ObjectDescription } from '../object.ts';
import type { MultipartUpload, UploadChecksum } from './upload.ts';

export type CreateUploadDeps = {
  readonly metadata: Pick<UploadCommits, 'insertUpload'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly quota: QuotaPolicy;
};

export type NewUpload = {
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly description: ObjectDescription;
  /** As `parseUploadChecksum` allows it. */
  readonly checksum: UploadChecksum | undefined;
};

const RANDOM_BYTES = 16;

/**
 * Begins an upload; any number of them may stand for one key. Throws `bucket_not_found`,
 * `account_disabled`, `quota_exceeded`, `too_many_uploads`.
 */
export async function createUpload(
  { metadata, clock, random, quota }: CreateUploadDeps,
  { accountId, bucketId, key, description, checksum }: NewUpload,
): Promise<MultipartUpload> {
  const now = clock.now();
  const upload: MultipartUpload = {
    accountId,
    bucketId,
    key,
    description,
    checksum,
    uploadId: uploadIdOf(now, random.bytes(RANDOM_BYTES)),
    createdAt: now,
    changedAt: now,
    completion: undefined,
  };
  await metadata.insertUpload({
    upload,
    demands: [
      { kind: 'enabled' },
      { kind: 'open_uploads', max: OPEN_UPLOADS_MAX },
      { kind: 'quota', policy: quota, countedBytes: uploadFootprint(upload).countedBytes },
    ],
  });
  return upload;
}
