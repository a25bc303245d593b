import type { BucketChange } from '../../../core/objects/buckets/bucket.ts';
import { changeBucket } from '../../../core/objects/buckets/buckets.ts';
import type { S3Deps } from '../deps.ts';
import type { Call } from '../wire/exchange.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';

/** Keeps documents with the bucket, or removes them: `null`. Throws as `changeBucket` does. */
export async function changeDocuments(
  deps: S3Deps,
  { caller, bucket }: Call,
  documents: NonNullable<BucketChange['documents']>,
): Promise<void> {
  if (caller.principal === undefined) throw new S3Refusal('AccessDenied');
  await changeBucket(deps, {
    principal: caller.principal,
    name: bucket.name,
    change: { documents },
  });
}
