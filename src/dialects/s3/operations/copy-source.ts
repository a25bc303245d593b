/** `x-amz-copy-source`: which object is copied, and whether the caller may read it. */

import type { ObjectKey } from '../../../core/ids.ts';
import type { Bucket } from '../../../core/objects/buckets/bucket.ts';
import { plusAsSpace } from '../../../kit/sigv4/percent.ts';
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
  const { bucketText, keyTexts } = parseSource(headers['x-amz-copy-source'] ?? '');
  const isSame = bucketText === call.bucket.name;
  const bucket = isSame ? call.bucket : await getBucket(deps, bucketText);
  const keys = await readableKeys(deps, call, { bucket, keys: keyTexts.map(readKey) });
  requireExpectedOwner(headers['x-amz-source-expected-bucket-owner'], bucket);
  return { bucket, key: await firstThere(deps, bucket, keys) };
}

type Keys = readonly [ObjectKey, ...ObjectKey[]];

/** Those of `keys` that the caller may read. Throws the denial of the first if there is none. */
async function readableKeys(
  deps: S3Deps,
  { caller }: Call,
  { bucket, keys }: { readonly bucket: Bucket; readonly keys: readonly ObjectKey[] },
): Promise<Keys> {
  const readable: ObjectKey[] = [];
  let denial: unknown;
  for (const name of keys) {
    try {
      await requireAccess(deps, { caller, bucket, access: 'read', name });
      readable.push(name);
    } catch (error) {
      denial ??= error;
    }
  }
  const [first, ...others] = readable;
  if (first === undefined) throw denial;
  return [first, ...others];
}

/** The first of `keys` under which an object is, or simply the first. */
async function firstThere(deps: S3Deps, bucket: Bucket, keys: Keys): Promise<ObjectKey> {
  const [first, ...others] = keys;
  if (others.length === 0) return first;
  for (const key of keys) {
    if ((await deps.metadata.findObject(bucket.bucketId, key)) !== undefined) return key;
  }
  return first;
}

/**
 * `[/]bucket/key[?versionId=…]`, encoded once; the slash between the two may be too. `+` is a
 * space, as AWS has it (s5cmd and AWS's own Java example send it so); where no such key is, it is
 * a plus, which minio-js sends bare. So a text may mean two keys, the likelier one first.
 */
function parseSource(text: string): {
  readonly bucketText: string;
  readonly keyTexts: readonly string[];
} {
  const at = text.indexOf('?versionId=');
  const path = at < 0 ? text : text.slice(0, at);
  if (at >= 0) {
    const problem = versionProblem(text.slice(at + '?versionId='.length));
    if (problem !== undefined) throw problem;
  }
  const { bucketText, keyText } = splitSource(plusAsSpace(path), text);
  if (!path.includes('+')) return { bucketText, keyTexts: [keyText] };
  return { bucketText, keyTexts: [keyText, splitSource(path, text).keyText] };
}

function splitSource(path: string, text: string) {
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
