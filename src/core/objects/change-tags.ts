/** Changing the tags of an object in place: bytes, ETag and time of writing stay. */
import { isServiceError } from '../errors.ts';
import type { ObjectKey } from '../ids.ts';
import type { Metadata } from '../ports/metadata/metadata.ts';
import type { Bucket } from './bucket.ts';
import type { ObjectVersion } from './object.ts';
import { objectNotFound } from './read-object.ts';

/** Writers of one key that overtake each other so often are a fault. */
const TRIES_MAX = 20;

/** Throws `object_not_found`, `account_disabled`. */
export async function changeTags(
  { metadata }: { readonly metadata: Pick<Metadata, 'findObject' | 'publishObject'> },
  input: {
    readonly bucket: Pick<Bucket, 'bucketId' | 'accountId'>;
    readonly key: ObjectKey;
    readonly tags: ObjectVersion['tags'];
  },
): Promise<void> {
  const { bucket, key, tags } = input;
  for (let tries = 1; ; tries += 1) {
    const found = await metadata.findObject(bucket.bucketId, key);
    if (found === undefined) throw objectNotFound();
    const { content, ...version } = found;
    try {
      await metadata.publishObject({
        accountId: bucket.accountId,
        version: { ...version, tags },
        content,
        areBlobsStanding: true,
        demands: [{ kind: 'enabled' }, { kind: 'unchanged', version }],
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
