/** `x-amz-copy-source`: which object is copied, and whether the caller may read it. */

import type { ObjectKey } from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/bucket.ts';
import { getBucket, requireAccess, requireExpectedOwner } from '../access/bucket-access.ts';
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
  const isSame = bucketText === call.bucket.name;
  const bucket = isSame ? call.bucket : await getBucket(deps, bucketText);
  const key = readKey(keyText);
  await requireAccess(deps, { caller: call.caller, bucket, access: 'read', name: key });
  requireExpectedOwner(headers['x-amz-source-expected-bucket-owner'], bucket);
  return { bucket, key };
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
