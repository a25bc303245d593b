/** Changing the tags of an object in place: bytes, ETag and time of writing stay. */
import { isServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import type { QuotaPolicy } from '../../quota.ts';
import type { Bucket } from '../buckets/bucket.ts';
import { versionFootprint } from '../commit/footprint.ts';
import type { ObjectVersion } from '../object.ts';
import { objectNotFound } from '../read/read-object.ts';

/** Writers of one key that overtake each other so often are a fault. */
const TRIES_MAX = 20;

/** Throws `object_not_found`, `account_disabled`, and `quota_exceeded` for more than is left. */
export async function changeTags(
  deps: {
    readonly metadata: Pick<Metadata, 'findObject' | 'publishObject'>;
    readonly quota: QuotaPolicy;
  },
  input: {
    readonly bucket: Pick<Bucket, 'bucketId' | 'accountId'>;
    readonly key: ObjectKey;
    readonly tags: ObjectVersion['tags'];
  },
): Promise<void> {
  const { metadata, quota } = deps;
  const { bucket, key, tags } = input;
  for (let tries = 1; ; tries += 1) {
    const found = await metadata.findObject(bucket.bucketId, key);
    if (found === undefined) throw objectNotFound();
    const { content, ...before } = found;
    const version = { ...before, tags };
    try {
      await metadata.publishObject({
        accountId: bucket.accountId,
        version,
        content,
        areBlobsStanding: true,
        demands: [
          { kind: 'enabled' },
          { kind: 'unchanged', version: before },
          { kind: 'quota', policy: quota, countedBytes: versionFootprint(version).countedBytes },
        ],
        operation: undefined,
        usage: undefined,
      });
      return;
    } catch (error) {
      // Replaced or removed since it was read: look again.
      const isOvertaken =
        isServiceError(error, 'precondition_failed') || isServiceError(error, 'object_not_found');
      if (!isOvertaken || tries >= TRIES_MAX) throw error;
    }
  }
}
