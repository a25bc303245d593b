/** S3 keys of an account: made, listed, revoked. */
import { bytesOfUtf8, isWellFormedText } from '../../../kit/text.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import {
  type AccessKeyId,
  type AccountId,
  type BucketId,
  type BucketName,
  parseAccessKeyId,
  parseBucketName,
  type TimeMs,
  type TokenId,
} from '../../ids.ts';
import { KEY_BYTES_MAX, S3_KEY_NAME_LENGTH_MAX, S3_KEYS_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { BucketReads } from '../../ports/metadata/buckets.ts';
import type { MetadataTx, Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import { type Actor, actorName, authorizeActor } from '../account/actor.ts';
import { newAccessKeyId } from '../names.ts';
import { mintS3Secret, type S3Key, sealS3Secret } from './s3-key.ts';

type SealDeps = {
  readonly clock: Pick<Clock, 'now'>;
  readonly random: Random;
  readonly keyring: Parameters<typeof sealS3Secret>[0]['keyring'];
};

/** Untrusted texts; `undefined`: no name, no limit. */
export type S3KeyRequest = {
  readonly name: string | undefined;
  readonly isReadOnly: boolean;
  readonly bucket: string | undefined;
  /** Without a bucket it limits the key to the default bucket. */
  readonly prefix: string | undefined;
};

/** A key with the name of the bucket that it is limited to, while there is one. */
export type NamedS3Key = { readonly key: S3Key; readonly bucket: BucketName | undefined };

/**
 * Makes a key; its secret is answered this once. One that a token makes ends with the token, and is
 * read-only unless the token may write and delete files. Throws `missing_scope`, `access_denied`,
 * `account_not_found`, `bucket_not_found`, `quota_exceeded`, `invalid_field` naming the field.
 */
export async function createS3Key(
  deps: SealDeps & { readonly metadata: Transactions },
  input: { readonly actor: Actor; readonly accountId: AccountId; readonly request: S3KeyRequest },
): Promise<NamedS3Key & { readonly secret: string; readonly account: Account }> {
  const { actor, accountId, request } = input;
  authorizeActor(actor, 's3_keys.manage', accountId);
  const name = request.name === undefined ? undefined : parseKeyName(request.name);
  const prefix = request.prefix ? parsePrefix(request.prefix) : undefined;
  const accessKeyId = newAccessKeyId(deps.random);
  const secret = mintS3Secret(deps.random);
  const secretCiphertext = sealS3Secret(deps, accessKeyId, secret);
  const made = await deps.metadata.transact(CREATE_S3_KEY, {
    key: {
      accessKeyId,
      accountId,
      name,
      secretCiphertext,
      isReadOnly: request.isReadOnly || !mayHandOnWrites(actor),
      prefix,
      createdAt: deps.clock.now(),
      lastUsedAt: undefined,
      revokedAt: undefined,
      tokenId: tokenOf(actor)?.tokenId,
    },
    bucket: request.bucket,
    actor: actorName(actor),
  });
  return { ...made, secret };
}

type NewS3Key = {
  readonly key: Omit<S3Key, 'bucketId' | 'expiresAt'>;
  /** The untrusted name of the bucket that it is limited to. */
  readonly bucket: string | undefined;
  readonly actor: string;
};

export const CREATE_S3_KEY = defineTransaction('create_s3_key', async (tx, input: NewS3Key) => {
  const { accountId, accessKeyId, prefix, createdAt, tokenId } = input.key;
  const account = await tx.findAccount(accountId);
  if (account === undefined) throw new ServiceError('account_not_found', 'No such account.');
  await refuseTooMany(tx, accountId, createdAt);
  const expiresAt = tokenId === undefined ? undefined : await endOfToken(tx, accountId, tokenId);
  const bucket = await limitOf(tx, account, { bucket: input.bucket, prefix });
  const key: S3Key = { ...input.key, bucketId: bucket?.bucketId, expiresAt };
  await tx.insertS3Key(key);
  await tx.appendAudit({
    at: createdAt,
    accountId,
    actor: input.actor,
    action: 's3_key.created',
    subject: accessKeyId,
  });
  return { key, bucket: bucket?.name, account };
});

/** The keys of an account, revoked ones too, oldest first. Throws as `authorize` does. */
export async function listS3Keys(
  { metadata }: { readonly metadata: AccessReads & BucketReads },
  input: { readonly actor: Actor; readonly accountId: AccountId },
): Promise<readonly NamedS3Key[]> {
  authorizeActor(input.actor, 's3_keys.manage', input.accountId);
  const keys = await metadata.listS3Keys(input.accountId);
  const names = new Map<BucketId, BucketName | undefined>();
  for (const bucketId of new Set(keys.map((key) => key.bucketId))) {
    if (bucketId === undefined) continue;
    names.set(bucketId, (await metadata.findBucketById(bucketId))?.name);
  }
  return keys.map((key) => ({
    key,
    bucket: key.bucketId === undefined ? undefined : names.get(key.bucketId),
  }));
}

/**
 * Revokes a key, whoever's it is when the machine's operator asks; its next request is refused. A
 * key that was revoked before stays so. Throws `missing_scope`, `access_denied`,
 * `s3_key_not_found`.
 */
export async function revokeS3Key(
  deps: { readonly metadata: Transactions; readonly clock: Pick<Clock, 'now'> },
  input: { readonly actor: Actor; readonly accessKeyId: string },
): Promise<void> {
  const { actor } = input;
  authorizeActor(actor, 's3_keys.manage');
  const accessKeyId = parseAccessKeyId(input.accessKeyId);
  if (accessKeyId === undefined) throw s3KeyNotFound();
  await deps.metadata.transact(REVOKE_S3_KEY, {
    accessKeyId,
    owner: actor === 'admin' ? undefined : actor.accountId,
    actor: actorName(actor),
    at: deps.clock.now(),
  });
}

type S3KeyRevocation = {
  readonly accessKeyId: AccessKeyId;
  /** Whose the key must be; `undefined`: anyone's. */
  readonly owner: AccountId | undefined;
  readonly actor: string;
  readonly at: TimeMs;
};

export const REVOKE_S3_KEY = defineTransaction(
  'revoke_s3_key',
  async (tx, { accessKeyId, owner, actor, at }: S3KeyRevocation) => {
    const key = await tx.findS3Key(accessKeyId);
    if (key === undefined) throw s3KeyNotFound();
    if (owner !== undefined && owner !== key.accountId) throw s3KeyNotFound();
    if (!(await tx.revokeS3Key(key.accountId, accessKeyId, at))) return;
    await tx.appendAudit({
      at,
      accountId: key.accountId,
      actor,
      action: 's3_key.revoked',
      subject: accessKeyId,
    });
  },
);

export function s3KeyNotFound(): ServiceError {
  return new ServiceError('s3_key_not_found', 'There is no such S3 key.');
}

function tokenOf(actor: Actor) {
  return actor !== 'admin' && actor.credential.kind === 'token' ? actor.credential : undefined;
}

/** S3 has one right to write, which deletes too. */
function mayHandOnWrites(actor: Actor): boolean {
  const token = tokenOf(actor);
  if (token === undefined) return true;
  return token.scopes.has('files:write') && token.scopes.has('files:delete');
}

/**
 * When the keys that a token makes end. Throws `credential_invalid` when it was revoked meanwhile,
 * and `access_denied` when it is bound to addresses: an S3 key could not be.
 */
async function endOfToken(
  tx: MetadataTx,
  accountId: AccountId,
  tokenId: TokenId,
): Promise<TimeMs | undefined> {
  const token = (await tx.listTokens(accountId)).find((one) => one.tokenId === tokenId);
  if (token === undefined) {
    throw new ServiceError('credential_invalid', 'The key or token is not valid.');
  }
  if (token.ipAllowlist.length > 0) {
    throw new ServiceError(
      'access_denied',
      'A token that is bound to addresses makes no S3 keys, which are not.',
    );
  }
  return token.expiresAt;
}

/** Of those that have ended only so many are kept, so that who makes and revokes fills nothing. */
async function refuseTooMany(tx: MetadataTx, accountId: AccountId, now: TimeMs): Promise<void> {
  const { live, ended } = await tx.countS3Keys(accountId, now);
  if (ended >= 2 * S3_KEYS_MAX) await tx.deleteEndedS3Keys(accountId, now, S3_KEYS_MAX);
  if (live < S3_KEYS_MAX) return;
  throw new ServiceError('quota_exceeded', 'The account has too many S3 keys.', {
    details: { allowed: S3_KEYS_MAX },
  });
}

/** The one bucket that a key of these limits reaches, or `undefined` for all. */
async function limitOf(
  tx: MetadataTx,
  account: Account,
  { bucket: text, prefix }: Pick<S3KeyRequest, 'bucket' | 'prefix'>,
): Promise<{ readonly bucketId: BucketId; readonly name: BucketName } | undefined> {
  if (text === undefined && prefix === undefined) return undefined;
  const bucket =
    text === undefined
      ? await tx.findBucketById(account.defaultBucketId)
      : await tx.findBucket(parseBucketName(text));
  if (bucket?.accountId === account.accountId) return bucket;
  throw new ServiceError('bucket_not_found', 'The account has no such bucket.');
}

function parseKeyName(text: string): string {
  const isGood =
    text.length > 0 &&
    text.length <= S3_KEY_NAME_LENGTH_MAX &&
    text.trim() === text &&
    isWellFormedText(text) &&
    !/\p{Cc}/u.test(text);
  if (isGood) return text;
  throw invalidField(
    'name',
    `A key's name has 1 to ${S3_KEY_NAME_LENGTH_MAX} characters, no blanks around it and no controls.`,
  );
}

function parsePrefix(text: string): string {
  const isGood =
    isWellFormedText(text) && !text.includes('\0') && bytesOfUtf8(text) <= KEY_BYTES_MAX;
  if (isGood) return text;
  throw invalidField('prefix', `A prefix has at most ${KEY_BYTES_MAX} bytes of UTF-8 and no NUL.`);
}

function invalidField(field: string, message: string): ServiceError {
  return new ServiceError('invalid_field', message, { details: { field } });
}
