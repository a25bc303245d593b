/**
 * Addresses that put the bucket into the host. They are not served, and read as path-style ones
 * they would mean something else: a listing would be one of buckets, and a key a bucket to be made.
 */
import type { S3Deps } from '../deps.ts';
import type { RequestHead } from '../wire/request-head.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { findBucket } from './bucket-access.ts';
import type { Caller } from './caller.ts';

/**
 * Throws `InvalidRequest` for a host that is a bucket of the caller's own before the public host;
 * by the names of others' buckets nobody can shut a host.
 */
export async function refuseVirtualHost(
  { metadata, settings }: Pick<S3Deps, 'metadata' | 'settings'>,
  { headers }: Pick<RequestHead, 'headers'>,
  { principal }: Caller,
): Promise<void> {
  const name = nameBefore(settings.publicUrl(), headers['host'] ?? '');
  if (name === undefined || principal === undefined) return;
  const bucket = await findBucket(metadata, name);
  if (bucket?.accountId !== principal.accountId) return;
  throw new S3Refusal(
    'InvalidRequest',
    'Virtual-hosted addresses are not served: set your client to path-style ones, with the bucket in the path.',
    { BucketName: name },
  );
}

/** What stands before the host of `url` and a dot in `host`; `undefined` for any other host. */
function nameBefore(url: string, host: string): string | undefined {
  const known = url.slice(url.indexOf('//') + 2);
  if (host === known) return undefined;
  const ending = `.${known.replace(DEFAULT_PORT, '')}`;
  const bare = host.replace(DEFAULT_PORT, '');
  return bare.endsWith(ending) ? bare.slice(0, -ending.length) : undefined;
}

const DEFAULT_PORT = /:(?:80|443)$/;
