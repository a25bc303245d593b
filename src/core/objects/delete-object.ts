import type { ObjectKey } from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Metadata } from '../ports/metadata/metadata.ts';
import type { Bucket } from './bucket.ts';
import type { WriteConditions } from './condition.ts';
import type { ObjectVersion } from './object.ts';

/**
 * Removes the object and ends its public links; answers what was removed, or `undefined` when there
 * was nothing, which no condition minds. Throws `precondition_failed`, `account_disabled`.
 */
export async function deleteObject(
  deps: {
    readonly metadata: Pick<Metadata, 'deleteObject'>;
    readonly clock: Pick<Clock, 'now'>;
  },
  input: {
    readonly bucket: Pick<Bucket, 'bucketId' | 'accountId'>;
    readonly key: ObjectKey;
    readonly conditions: Pick<WriteConditions, 'ifMatch'>;
  },
): Promise<ObjectVersion | undefined> {
  const { bucket, key, conditions } = input;
  return await deps.metadata.deleteObject({
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    key,
    at: deps.clock.now(),
    demands: [{ kind: 'enabled' }, { kind: 'conditions_unless_absent', conditions }],
  });
}
