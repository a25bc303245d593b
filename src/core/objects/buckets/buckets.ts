/** Buckets: made, listed, changed and removed, by whichever dialect. */
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import { authorize } from '../../identity/access/authorize.ts';
import { authorizeNewBucket, authorizeObjects } from '../../identity/access/authorize-objects.ts';
import { actorName } from '../../identity/account/actor.ts';
import {
  type AccountId,
  type BucketId,
  type BucketName,
  parseBucketName,
  type TimeMs,
} from '../../ids.ts';
import { BUCKETS_LISTED_MAX, UPLOADS_ABORTED_AT_ONCE_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { BucketReads } from '../../ports/metadata/buckets.ts';
import type { MetadataTx, Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import type { BucketPolicy } from '../../quota.ts';
import type { Bucket, BucketChange, NewBucket } from './bucket.ts';
import { parseNewBucketName } from './bucket-names.ts';

export type BucketDeps = {
  readonly metadata: Transactions & BucketReads;
  readonly clock: Pick<Clock, 'now'>;
};

/** Letters of bucket names; a prefix or position with others fits none. */
const NAME_LETTERS = /^[a-z0-9.-]{0,63}$/;

/**
 * Makes a bucket for the principal's account. Throws `invalid_bucket_name`, `missing_scope`,
 * `access_denied`, `bucket_owned` (by the account itself), `bucket_exists` (another's),
 * `too_many_buckets`.
 */
export async function createBucket(
  deps: BucketDeps & { readonly quota: BucketPolicy },
  input: {
    readonly principal: Principal;
    readonly name: string;
    readonly settings?: BucketChange;
  },
): Promise<Bucket> {
  const { principal, settings = {} } = input;
  requireBucketScope(principal);
  authorizeNewBucket(principal);
  const name = parseNewBucketName(input.name);
  return await deps.metadata.transact(CREATE_BUCKET, {
    bucket: {
      accountId: principal.accountId,
      name,
      publicRead: settings.publicRead ?? false,
      documents: {
        cors: settings.documents?.cors ?? undefined,
        policy: settings.documents?.policy ?? undefined,
        lifecycle: settings.documents?.lifecycle ?? undefined,
        tagging: settings.documents?.tagging ?? undefined,
      },
      createdAt: deps.clock.now(),
    },
    freeBuckets: deps.quota.freeBuckets,
    actor: actorName(principal),
  });
}

type BucketCreation = BucketPolicy & { readonly bucket: NewBucket; readonly actor: string };

export const CREATE_BUCKET = defineTransaction(
  'create_bucket',
  async (tx, { bucket, actor, ...policy }: BucketCreation) => {
    const { accountId, name, publicRead, createdAt: at } = bucket;
    await refuseStanding(tx, accountId, name);
    await checkEntitlement(tx, policy, accountId);
    const made = await tx.insertBucket(bucket);
    const subject = `${name}${publicRead ? ' public_read=true' : ''}`;
    await tx.appendAudit({ at, accountId, actor, action: 'bucket.created', subject });
    return made;
  },
);

/**
 * Removes an empty bucket with its open uploads and the S3 keys that are limited to it. Throws
 * `bucket_not_found`, `missing_scope`, `access_denied`, `default_bucket`, `bucket_not_empty`.
 */
export async function deleteBucket(
  deps: Pick<BucketDeps, 'clock'> & { readonly metadata: Transactions },
  input: { readonly principal: Principal; readonly name: BucketName },
): Promise<void> {
  const { principal, name } = input;
  const at = deps.clock.now();
  // Most buckets go at once; one with very many open uploads takes several short transactions.
  while (!(await deps.metadata.transact(DELETE_BUCKET, { principal, name, at })));
}

type BucketOperation = {
  readonly principal: Principal;
  readonly name: BucketName;
  readonly at: TimeMs;
};

/** Answers whether the bucket is gone; if not, some of its uploads are. */
export const DELETE_BUCKET = defineTransaction(
  'delete_bucket',
  async (tx, removal: BucketOperation) => {
    const { principal, name, at } = removal;
    const bucket = await getBucket({ metadata: tx }, { principal, name, access: 'bucket.write' });
    const { bucketId, accountId, isDefault } = bucket;
    if (isDefault) {
      throw new ServiceError('default_bucket', 'The default bucket stays with its account.');
    }
    await requireEmpty(tx, bucketId);
    const limit = UPLOADS_ABORTED_AT_ONCE_MAX;
    if ((await tx.abortUploadsOf({ bucketId, at, limit })) === limit) return false;
    await tx.deleteBucket(bucketId);
    await tx.revokeS3KeysOf(bucketId, at);
    await tx.appendAudit({
      at,
      accountId,
      actor: actorName(principal),
      action: 'bucket.deleted',
      subject: name,
    });
    return true;
  },
);

/** Before uploads are aborted: a bucket that stays keeps them. */
async function requireEmpty(tx: MetadataTx, bucketId: BucketId): Promise<void> {
  const all = { bucketId, prefix: '', delimiter: '', after: undefined, limit: 1 };
  const { entries } = await tx.listObjects(all);
  if (entries.length === 0) return;
  throw new ServiceError('bucket_not_empty', 'The bucket holds objects.');
}

/**
 * Changes the settings of a bucket and answers how it then stands. Throws `bucket_not_found`,
 * `missing_scope`, `access_denied`.
 */
export async function changeBucket(
  deps: Pick<BucketDeps, 'clock'> & { readonly metadata: Transactions },
  input: {
    readonly principal: Principal;
    readonly name: BucketName;
    readonly change: BucketChange;
  },
): Promise<Bucket> {
  const { principal, name, change } = input;
  const at = deps.clock.now();
  return await deps.metadata.transact(CHANGE_BUCKET, { principal, name, change, at });
}

export const CHANGE_BUCKET = defineTransaction(
  'change_bucket',
  async (tx, input: BucketOperation & { readonly change: BucketChange }) => {
    const { principal, name, change, at } = input;
    const before = await getBucket({ metadata: tx }, { principal, name, access: 'bucket.write' });
    await tx.updateBucket(before.bucketId, change);
    await tx.appendAudit({
      at,
      accountId: before.accountId,
      actor: actorName(principal),
      action: 'bucket.changed',
      subject: `${name} ${changeText(change)}`,
    });
    return await getBucket({ metadata: tx }, { principal, name, access: 'bucket.write' });
  },
);

/** A bucket by name. Throws `bucket_not_found`, `missing_scope`, `access_denied`. */
export async function getBucket(
  deps: { readonly metadata: Pick<BucketReads, 'findBucket'> },
  input: {
    readonly principal: Principal;
    readonly name: BucketName;
    readonly access: 'bucket.identify' | 'bucket.read' | 'bucket.write';
  },
): Promise<Bucket> {
  const { principal, name, access } = input;
  requireBucketScope(principal);
  const bucket = await deps.metadata.findBucket(name);
  if (bucket === undefined || isHidden(principal, bucket)) throw bucketNotFound();
  authorizeObjects(principal, access, bucket);
  return bucket;
}

/** Over REST what is another's is not there; S3 says that it is denied. */
function isHidden({ credential, accountId }: Principal, bucket: Bucket): boolean {
  return credential.kind !== 's3Key' && bucket.accountId !== accountId;
}

/** A bucket by the text of its name, which is no one's when it is malformed. */
export function parseStandingBucketName(text: string): BucketName {
  try {
    return parseBucketName(text);
  } catch (cause) {
    throw bucketNotFound(cause);
  }
}

export type BucketPage = {
  readonly buckets: readonly Bucket[];
  /** The name to go on after; `undefined` when nothing follows. */
  readonly next: BucketName | undefined;
};

/**
 * The buckets of the principal's account in order of name; of a key that is limited to one, that
 * one. Throws `missing_scope`, `access_denied`, and `invalid_cursor` for a position that is none.
 */
export async function listBuckets(
  { metadata }: { readonly metadata: Pick<BucketReads, 'listBuckets' | 'findBucketById'> },
  input: {
    readonly principal: Principal;
    readonly prefix: string;
    readonly after: string | undefined;
    readonly limit: number;
  },
): Promise<BucketPage> {
  const { principal, prefix, after } = input;
  requireBucketScope(principal);
  if (after !== undefined && !NAME_LETTERS.test(after)) {
    throw new ServiceError('invalid_cursor', 'This is no position in a list of buckets.');
  }
  if (!NAME_LETTERS.test(prefix)) return { buckets: [], next: undefined };
  const { credential, accountId } = principal;
  if (credential.kind === 's3Key' && credential.bucketId !== undefined) {
    const only = await metadata.findBucketById(credential.bucketId);
    if (only === undefined || !only.name.startsWith(prefix) || only.name <= (after ?? '')) {
      return { buckets: [], next: undefined };
    }
    return { buckets: [only], next: undefined };
  }
  const limit = Math.min(input.limit, BUCKETS_LISTED_MAX);
  const found = await metadata.listBuckets({ accountId, prefix, after, limit: limit + 1 });
  const buckets = found.slice(0, limit);
  return { buckets, next: found.length > limit ? buckets.at(-1)?.name : undefined };
}

/** API tokens do not reach buckets; `authorizeObjects` would say so in other words. */
function requireBucketScope(principal: Principal): void {
  if (principal.credential.kind !== 's3Key') authorize(principal, 'buckets.manage');
}

async function refuseStanding(
  tx: MetadataTx,
  accountId: AccountId,
  name: BucketName,
): Promise<void> {
  const standing = await tx.findBucket(name);
  if (standing === undefined) return;
  throw standing.accountId === accountId
    ? new ServiceError('bucket_owned', 'You have a bucket of that name already.')
    : new ServiceError('bucket_exists', 'The bucket name is taken.');
}

async function checkEntitlement(
  tx: MetadataTx,
  { freeBuckets }: BucketPolicy,
  accountId: AccountId,
): Promise<void> {
  const account = await tx.findAccount(accountId);
  if (account === undefined) throw new ServiceError('account_not_found', 'No such account.');
  const allowed = account.entitlements.buckets ?? freeBuckets;
  if ((await tx.countBuckets(accountId)) < allowed) return;
  const words = allowed === 1 ? 'its default bucket only' : `${allowed} buckets and no more`;
  throw new ServiceError(
    'too_many_buckets',
    `The account may have ${words}; who operates the server can allow more.`,
    { details: { allowed } },
  );
}

function changeText({ publicRead, documents = {} }: BucketChange): string {
  const named = Object.entries(documents).filter(([, text]) => text !== undefined);
  return [
    ...(publicRead === undefined ? [] : [`public_read=${publicRead}`]),
    ...named.map(([document, text]) => `${document}=${text === null ? 'none' : 'set'}`),
  ].join(' ');
}

function bucketNotFound(cause?: unknown): ServiceError {
  return new ServiceError('bucket_not_found', 'There is no such bucket.', { cause });
}
