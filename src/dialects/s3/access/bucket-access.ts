/** Buckets that requests name, and what their callers may do there. */
import { isServiceError } from '../../../core/errors.ts';
import {
  authorizeObjects,
  type ObjectAccess,
} from '../../../core/identity/access/authorize-objects.ts';
import { requireEnabled } from '../../../core/identity/account/require-enabled.ts';
import { type BucketName, parseBucketName } from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/buckets/bucket.ts';
import type { S3Deps } from '../deps.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import type { Caller } from './caller.ts';
import { ownerIdOf } from './owner.ts';

/** Throws `InvalidBucketName`, `NoSuchBucket`. */
export async function getBucket({ metadata }: S3Deps, text: string): Promise<Bucket> {
  const bucket = await metadata.findBucket(parseName(text));
  if (bucket !== undefined) return bucket;
  throw new S3Refusal('NoSuchBucket', undefined, { BucketName: text });
}

function parseName(text: string): BucketName {
  try {
    return parseBucketName(text);
  } catch (error) {
    if (!isServiceError(error, 'invalid_bucket_name')) throw error;
    throw new S3Refusal('InvalidBucketName', error.message, { BucketName: text });
  }
}

/** `undefined` also for a name that no bucket could have. */
export async function findBucket(
  metadata: S3Deps['metadata'],
  text: string,
): Promise<Bucket | undefined> {
  try {
    return await metadata.findBucket(parseBucketName(text));
  } catch (error) {
    if (isServiceError(error, 'invalid_bucket_name')) return undefined;
    throw error;
  }
}

/**
 * Throws `access_denied`, and `account_disabled` where the bucket is another account's, whose own
 * requests would be refused too. `name` is a key, or the prefix that is to be listed.
 */
export async function requireAccess(
  { metadata }: S3Deps,
  asked: {
    readonly caller: Caller;
    readonly bucket: Bucket;
    readonly access: ObjectAccess;
    readonly name: string;
  },
): Promise<void> {
  const { caller, bucket, access, name } = asked;
  authorizeObjects(caller.principal, access, bucket, name);
  if (caller.principal?.accountId === bucket.accountId) return;
  const owner = await metadata.findAccount(bucket.accountId);
  if (owner !== undefined) requireEnabled(owner);
}

/** Throws `AccessDenied` when the bucket is not of whom the caller thinks. */
export function requireExpectedOwner(expected: string | undefined, bucket: Bucket): void {
  if (expected === undefined || expected === ownerIdOf(bucket.accountId)) return;
  throw new S3Refusal('AccessDenied');
}
