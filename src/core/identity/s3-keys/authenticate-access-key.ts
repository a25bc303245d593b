/**
 * The account behind an access key id, with the secret that its requests are signed with. The
 * dialect checks the signature; until then nothing is proved.
 */
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import { type AccessKeyId, parseAccessKeyId, type TimeMs } from '../../ids.ts';
import { LAST_USED_STEP_MS } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import { requireEnabled } from '../account/require-enabled.ts';
import type { AccessKeyMemory } from './access-key-memory.ts';
import { isLive, openS3Secret } from './s3-key.ts';

export type AccessKeyDeps = {
  readonly metadata: Pick<AccessReads, 'findS3Key'> &
    Pick<AccountReads, 'findAccount'> &
    Transactions;
  readonly clock: Pick<Clock, 'now'>;
  readonly keyring: Keyring;
  readonly accessKeys: AccessKeyMemory;
};

export type FoundAccessKey = {
  readonly principal: Principal;
  readonly accessKeyId: AccessKeyId;
  readonly secret: string;
  readonly lastUsedAt: TimeMs | undefined;
};

/**
 * Throws `credential_invalid`, in the same words for an unknown and an ended key, and
 * `account_disabled`.
 */
export async function findAccessKey(
  deps: AccessKeyDeps,
  accessKeyIdText: string,
): Promise<FoundAccessKey> {
  const accessKeyId = parseAccessKeyId(accessKeyIdText);
  if (accessKeyId === undefined) throw keyInvalid();
  const key = await deps.metadata.findS3Key(accessKeyId);
  if (key === undefined || !isLive(key, deps.clock.now())) throw keyInvalid();
  const account = await deps.metadata.findAccount(key.accountId);
  if (account === undefined) throw keyInvalid();
  requireEnabled(account);
  const { accountId, slug, defaultBucketId, role } = account;
  const { isReadOnly, bucketId, prefix, secretCiphertext, lastUsedAt } = key;
  return {
    principal: {
      accountId,
      slug,
      defaultBucketId,
      role,
      credential: { kind: 's3Key', accessKeyId, isReadOnly, bucketId, prefix },
    },
    accessKeyId,
    secret: deps.accessKeys.secretOf(secretCiphertext, () => openS3Secret(deps.keyring, key)),
    lastUsedAt,
  };
}

/**
 * Notes that a request proved the key, at most once a minute; called after its signature was
 * checked. A full or read-only disk does not keep anybody from reading: the note is worth less.
 */
export async function noteAccessKeyUse(
  { metadata, clock, accessKeys }: Omit<AccessKeyDeps, 'keyring'>,
  { accessKeyId, lastUsedAt }: Pick<FoundAccessKey, 'accessKeyId' | 'lastUsedAt'>,
): Promise<void> {
  const now = clock.now();
  const since = now - LAST_USED_STEP_MS;
  if (lastUsedAt !== undefined && lastUsedAt > since) return;
  if (!accessKeys.takeNote(accessKeyId, now, since)) return;
  try {
    await metadata.transact(TOUCH_S3_KEY, { accessKeyId, at: now });
  } catch (error) {
    if (!isServiceError(error)) throw error;
  }
}

export const TOUCH_S3_KEY = defineTransaction(
  'touch_s3_key',
  (tx, { accessKeyId, at }: { readonly accessKeyId: AccessKeyId; readonly at: TimeMs }) =>
    tx.touchS3Key(accessKeyId, at),
);

function keyInvalid(): ServiceError {
  return new ServiceError('credential_invalid', 'There is no such access key.');
}
