/** `x-amz-copy-source`: which object is copied, and whether the caller may read it. */

import { isServiceError } from '../../../core/errors.ts';
import { authorizeObjects } from '../../../core/identity/authorize-objects.ts';
import { requireEnabled } from '../../../core/identity/start-session.ts';
import { type ObjectKey, parseBucketName } from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/bucket.ts';
import { ownerIdOf } from '../access/owner.ts';
import type { S3Deps } from '../deps.ts';
import type { Call } from '../wire/exchange.ts';
import { decode, readKey } from '../wire/request-head.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { versionProblem } from './version-id.ts';

export type CopySource = { readonly bucket: Bucket; readonly key: ObjectKey };

/** Throws `InvalidArgument`, `NoSuchBucket`, `AccessDenied`, `NoSuchVersion`. */
export async function findCopySource(deps: S3Deps, call: Call): Promise<CopySource> {
  const { headers } = call.head;
  const { bucketText, keyText } = parseSource(headers['x-amz-copy-source'] ?? '');
  const bucket = await findSourceBucket(deps, call.bucket, bucketText);
  const key = readKey(keyText);
  authorizeObjects(call.caller.principal, 'read', bucket, key);
  if (bucket.accountId !== call.bucket.accountId) {
    const owner = await deps.metadata.findAccount(bucket.accountId);
    if (owner !== undefined) requireEnabled(owner);
  }
  const expected = headers['x-amz-source-expected-bucket-owner'];
  if (expected !== undefined && expected !== ownerIdOf(bucket.accountId)) {
    throw new S3Refusal('AccessDenied');
  }
  return { bucket, key };
}

async function findSourceBucket(deps: S3Deps, target: Bucket, text: string): Promise<Bucket> {
  if (text === target.name) return target;
  try {
    const bucket = await deps.metadata.findBucket(parseBucketName(text));
    if (bucket !== undefined) return bucket;
  } catch (error) {
    if (!isServiceError(error, 'invalid_bucket_name')) throw error;
    throw new S3Refusal('InvalidBucketName', undefined, { BucketName: text });
  }
  throw new S3Refusal('NoSuchBucket', undefined, { BucketName: text });
}

/** `[/]bucket/key[?versionId=…]`, encoded once; the slash between the two may be too. */
function parseSource(text: string): { readonly bucketText: string; readonly keyText: string } {
  const at = text.indexOf('?versionId=');
  const path = at < 0 ? text : text.slice(0, at);
  if (at >= 0) {
    const problem = versionProblem(text.slice(at + '?versionId='.length));
    if (problem !== undefined) throw problem;
  }
  const decoded = decodeSource(path, text);
  const bare = decoded.startsWith('/') ? decoded.slice(1) : decoded;
  const slash = bare.indexOf('/');
  if (slash < 1 || slash === bare.length - 1) throw malformed(text);
  return { bucketText: bare.slice(0, slash), keyText: bare.slice(slash + 1) };
}

function decodeSource(path: string, text: string): string {
  try {
    return decode(path);
  } catch (error) {
    if (!(error instanceof S3Refusal)) throw error;
    throw malformed(text);
  }
}

function malformed(text: string): S3Refusal {
  return invalidArgument(
    'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    'x-amz-copy-source',
    text,
  );
}

export function refuseCopyBody({ request, head }: Call): void {
  const hasBody =
    Number(head.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'];
  if (hasBody) throw new S3Refusal('InvalidRequest', 'A copy has no body.');
}
