/** A URL that carries its own signature, made with one of the account's S3 keys. */
import type { Keyring } from '../../../kit/keyring.ts';
import { encodePath } from '../../../kit/sigv4/percent.ts';
import { presignUrl } from '../../../kit/sigv4/presign-url.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import { type BucketName, type ObjectKey, parseBucketName, parseObjectKey } from '../../ids.ts';
import { PRESIGN_LIFE_SECONDS_DEFAULT } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Principal } from '../../principal.ts';
import { authorize } from '../access/authorize.ts';
import type { S3Site } from './export-s3-key.ts';
import { isLive, openS3Secret, type S3Key } from './s3-key.ts';
import { s3KeyNotFound } from './s3-keys.ts';

export type PresignDeps = {
  readonly metadata: Pick<AccessReads, 'listS3Keys'> & Pick<AccountReads, 'findAccount'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly keyring: Keyring;
  readonly s3Site: () => S3Site;
};

/** Untrusted texts; what is missing has the default that `PresignedRequest` shows. */
export type PresignInput = {
  readonly method: string;
  readonly bucket: string | undefined;
  readonly key: string | undefined;
  readonly query: Readonly<Record<string, string>> | undefined;
  /** 1 to `PRESIGN_LIFE_SECONDS_MAX`. */
  readonly expiresSeconds: number | undefined;
  readonly accessKeyId: string | undefined;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
};

export type PresignedRequest = {
  readonly url: string;
  readonly method: string;
  readonly bucket: BucketName;
  readonly key: ObjectKey | undefined;
  readonly expiresSeconds: number;
  readonly accessKey: S3Key;
  readonly region: string;
};

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'POST', 'DELETE']);

/**
 * Signs without looking at what the URL names: it can do what the key may when it is used. Without
 * `accessKeyId` by the account's newest live key that is not limited in any way. Throws
 * `missing_scope`, `access_denied`, `invalid_field` naming the field, `invalid_key`, `no_s3_key`,
 * `s3_key_not_found`.
 */
export async function presignRequest(
  deps: PresignDeps,
  { principal, input }: { readonly principal: Principal; readonly input: PresignInput },
): Promise<PresignedRequest> {
  authorize(principal, 's3_keys.sign');
  const method = input.method.toUpperCase();
  if (!METHODS.has(method))
    throw invalidField('method', 'Methods are GET, HEAD, PUT, POST, DELETE.');
  const site = deps.s3Site();
  const region = input.region === undefined ? site.region : parseRegion(input.region);
  const origin = input.endpoint === undefined ? site.endpoint : parseEndpoint(input.endpoint);
  const { expiresSeconds = PRESIGN_LIFE_SECONDS_DEFAULT } = input;
  const query = parseQuery(input.query ?? {});
  const key = input.key === undefined ? undefined : parseObjectKey(input.key);
  // A slug is the name of its account's default bucket.
  const bucket = parseBucket(input.bucket ?? principal.slug);
  const accessKey = await findKey(deps, principal, input.accessKeyId);
  const secret = openS3Secret(deps.keyring, accessKey);
  const url = presignUrl(
    { accessKeyId: accessKey.accessKeyId, secret, region, service: 's3' },
    {
      method,
      origin,
      rawPath: key === undefined ? `/${bucket}` : `/${bucket}/${encodePath(key)}`,
      query,
      expiresSeconds,
    },
    { atMs: deps.clock.now() },
  );
  return { url, method, bucket, key, expiresSeconds, accessKey, region };
}

async function findKey(
  { metadata, clock }: PresignDeps,
  principal: Principal,
  accessKeyId: string | undefined,
): Promise<S3Key> {
  const now = clock.now();
  const live = (await metadata.listS3Keys(principal.accountId)).filter((key) => isLive(key, now));
  if (accessKeyId !== undefined) {
    const named = live.find((key) => key.accessKeyId === accessKeyId);
    if (named === undefined) throw s3KeyNotFound();
    return named;
  }
  const newest = live.findLast(
    ({ isReadOnly, bucketId, prefix }) =>
      !isReadOnly && bucketId === undefined && prefix === undefined,
  );
  if (newest !== undefined) return newest;
  throw new ServiceError('no_s3_key', 'The account has no unrestricted S3 key; make one first.');
}

function parseBucket(text: string): BucketName {
  try {
    return parseBucketName(text);
  } catch (cause) {
    if (!isServiceError(cause)) throw cause;
    throw invalidField('bucket', cause.message, cause);
  }
}

function parseRegion(text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw invalidField('region', 'A region has up to 64 letters, digits, - and _.');
}

/** An origin, which signing takes as the host that the URL is used on. */
function parseEndpoint(text: string): string {
  const url = URL.parse(text);
  const isOrigin =
    url !== null &&
    (url.protocol === 'http:' || url.protocol === 'https:') &&
    [url.username, url.password, url.search, url.hash].every((part) => part === '') &&
    url.pathname === '/';
  if (isOrigin) return url.origin;
  throw invalidField('endpoint', 'Write the endpoint like https://s3.example.org, without a path.');
}

/** The parameters of the signature itself are not the caller's. */
function parseQuery(
  query: Readonly<Record<string, string>>,
): readonly (readonly [string, string])[] {
  const entries = Object.entries(query);
  const taken = entries.find(([name]) => SIGNATURE_PARAMETERS.has(name.toLowerCase()));
  if (taken === undefined) return entries;
  throw invalidField('query', `${taken[0].slice(0, 50)} belongs to the signature.`);
}

const SIGNATURE_PARAMETERS: ReadonlySet<string> = new Set([
  'x-amz-algorithm',
  'x-amz-credential',
  'x-amz-date',
  'x-amz-expires',
  'x-amz-signedheaders',
  'x-amz-signature',
]);

function invalidField(field: string, message: string, cause?: unknown): ServiceError {
  return new ServiceError('invalid_field', message, { details: { field }, cause });
}
