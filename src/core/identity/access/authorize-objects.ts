/** What a principal may do with a bucket and its objects (contracts/s3.md, "Scoped keys"). */
import { ServiceError } from '../../errors.ts';
import type { Bucket } from '../../objects/buckets/bucket.ts';
import type { Principal, S3KeyCredential } from '../../principal.ts';

/**
 * On objects: `read`, `inspect` (what is kept beside the bytes, for no public), `write`, `delete`.
 * On the bucket: `list` it; `bucket.identify`: that it is there and where; `bucket.read` and
 * `bucket.write`: its configuration, and removing it.
 */
export type ObjectAccess =
  | 'read'
  | 'inspect'
  | 'write'
  | 'delete'
  | 'list'
  | 'bucket.identify'
  | 'bucket.read'
  | 'bucket.write';

type BucketFacts = Pick<Bucket, 'bucketId' | 'accountId' | 'publicRead'>;

/**
 * Lets `principal` (`undefined`: nobody in particular) have `access`, or throws `access_denied`.
 * `name` is the object's key, or for `list` the prefix that is asked for. An owner who is disabled
 * is the caller's to find out: anonymous reads name no account.
 */
export function authorizeObjects(
  principal: Principal | undefined,
  access: ObjectAccess,
  bucket: BucketFacts,
  name?: string,
): void {
  if (!isAllowed(principal, access, bucket, name)) throw accessDenied();
}

/** Whether what is kept beside the bytes of `key` is shown, or left out of a copy. */
export function canInspect(
  principal: Principal | undefined,
  bucket: BucketFacts,
  key: string,
): boolean {
  return isAllowed(principal, 'inspect', bucket, key);
}

/** Whether somebody who may list there asks: only they are told that a key does not exist. */
export function isListable(
  principal: Principal | undefined,
  bucket: BucketFacts,
  key: string,
): boolean {
  return isAllowed(principal, 'list', bucket, key);
}

/** Throws `access_denied` unless there may be a key of the bucket to which they have access. */
export function authorizeSomeObjects(
  principal: Principal | undefined,
  access: ObjectAccess,
  bucket: BucketFacts,
): void {
  const isKey = principal?.credential.kind === 's3Key';
  authorizeObjects(principal, access, bucket, isKey ? principal.credential.prefix : undefined);
}

/** Throws `access_denied` unless the principal may make a bucket, which no scope can hold. */
export function authorizeNewBucket({ credential }: Principal): void {
  const isAllowedTo =
    credential.kind === 's3Key'
      ? !credential.isReadOnly && !isScoped(credential)
      : credential.kind !== 'token';
  if (!isAllowedTo) throw accessDenied();
}

function isAllowed(
  principal: Principal | undefined,
  access: ObjectAccess,
  bucket: BucketFacts,
  name: string | undefined,
): boolean {
  if (principal === undefined) return isPublic(access, bucket);
  const { credential } = principal;
  switch (credential.kind) {
    case 'token':
      return false;
    case 'session':
    case 'appKey':
      return principal.accountId === bucket.accountId || isPublic(access, bucket);
    case 's3Key':
      if (!isInScope(credential, access, bucket, name)) return false;
      return principal.accountId === bucket.accountId || isPublic(access, bucket);
  }
}

function isPublic(access: ObjectAccess, { publicRead }: BucketFacts): boolean {
  return access === 'read' && publicRead;
}

function isScoped({ bucketId, prefix }: S3KeyCredential): boolean {
  return bucketId !== undefined || hasPrefix(prefix);
}

function isInScope(
  key: S3KeyCredential,
  access: ObjectAccess,
  bucket: BucketFacts,
  name: string | undefined,
): boolean {
  if (key.bucketId !== undefined && key.bucketId !== bucket.bucketId) return false;
  switch (access) {
    case 'bucket.identify':
      return true;
    case 'bucket.read':
      return !hasPrefix(key.prefix);
    case 'bucket.write':
      return !key.isReadOnly && !hasPrefix(key.prefix);
    case 'read':
    case 'inspect':
    case 'list':
      return isUnder(key.prefix, name);
    case 'write':
    case 'delete':
      return !key.isReadOnly && isUnder(key.prefix, name);
  }
}

function hasPrefix(prefix: string | undefined): prefix is string {
  return prefix !== undefined && prefix !== '';
}

function isUnder(prefix: string | undefined, name: string | undefined): boolean {
  return !hasPrefix(prefix) || (name?.startsWith(prefix) ?? false);
}

function accessDenied(): ServiceError {
  return new ServiceError('access_denied', 'Access denied.');
}
