import type { ObjectKey } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import type { Bucket } from '../buckets/bucket.ts';
import type { DeleteConditions } from '../commit/condition.ts';
import type { ObjectVersion } from '../object.ts';

/**
 * Removes the object and ends its public links; answers what was removed, or `undefined` when there
 * was nothing. Throws `precondition_failed`, `object_not_found` for a condition on nothing,
 * `account_disabled`.
 */
export async function deleteObject(
  deps: {
    readonly metadata: Pick<Metadata, 'deleteObject'>;
    readonly clock: Pick<Clock, 'now'>;
  },
  input: {
    readonly bucket: Pick<Bucket, 'bucketId' | 'accountId'>;
    readonly key: ObjectKey;
    readonly conditions: DeleteConditions;
  },
): Promise<ObjectVersion | undefined> {
  const { bucket, key, conditions } = input;
  return await deps.metadata.deleteObject({
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    key,
    at: deps.clock.now(),
    demands: [{ kind: 'enabled' }, { kind: 'delete_conditions', conditions }],
  });
}
