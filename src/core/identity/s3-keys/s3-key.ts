/** S3 keys: what is kept of one, and its secret, made, sealed and opened (files-api.md). */
import { type Keyring, openText, SEAL_NONCE_BYTES, sealText } from '../../../kit/keyring.ts';
import { ServiceError } from '../../errors.ts';
import type { AccessKeyId, AccountId, BucketId, TimeMs, TokenId } from '../../ids.ts';
import type { Random } from '../../ports/random.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';

export type S3Key = {
  readonly accessKeyId: AccessKeyId;
  readonly accountId: AccountId;
  readonly name: string | undefined;
  /** The secret under the master key (`v1.<kid>.<nonce>.<ct>`): requests are verified with it. */
  readonly secretCiphertext: string;
  readonly isReadOnly: boolean;
  /** The only bucket that it reaches. */
  readonly bucketId: BucketId | undefined;
  /** What the keys that it reaches begin with. */
  readonly prefix: string | undefined;
  readonly createdAt: TimeMs;
  readonly lastUsedAt: TimeMs | undefined;
  readonly revokedAt: TimeMs | undefined;
  /** The token that made it, with which it ends. */
  readonly tokenId: TokenId | undefined;
  /** When that token expires. */
  readonly expiresAt: TimeMs | undefined;
};

export function isLive(key: Pick<S3Key, 'revokedAt' | 'expiresAt'>, now: TimeMs): boolean {
  return key.revokedAt === undefined && (key.expiresAt === undefined || key.expiresAt > now);
}

const SECRET_LENGTH = 40;
const SECRET_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Bytes from here on would favour the first letters. */
const BYTE_MAX = 256 - (256 % SECRET_LETTERS.length);

/** Forty letters and digits, each as likely as any other. */
export function mintS3Secret(random: Random): string {
  let secret = '';
  while (secret.length < SECRET_LENGTH) {
    for (const byte of random.bytes(SECRET_LENGTH - secret.length)) {
      if (byte < BYTE_MAX) secret += SECRET_LETTERS[byte % SECRET_LETTERS.length];
    }
  }
  return secret;
}

export function sealS3Secret(
  deps: { readonly random: Random; readonly keyring: Keyring },
  accessKeyId: AccessKeyId,
  secret: string,
): string {
  return sealText(deps.keyring, {
    purpose: KEY_PURPOSES.s3Secret,
    place: placeOf(accessKeyId),
    text: secret,
    nonce: deps.random.bytes(SEAL_NONCE_BYTES),
  });
}

/** The secret of a key in plain text; throws `corrupt` when it cannot be opened. */
export function openS3Secret(
  keyring: Keyring,
  key: Pick<S3Key, 'accessKeyId' | 'secretCiphertext'>,
): string {
  const secret = openText(keyring, {
    purpose: KEY_PURPOSES.s3Secret,
    place: placeOf(key.accessKeyId),
    sealed: key.secretCiphertext,
  });
  if (secret === undefined) {
    throw new ServiceError('corrupt', 'An S3 secret does not open under the master keys held.');
  }
  return secret;
}

function placeOf(accessKeyId: AccessKeyId): string {
  return `s3_keys/${accessKeyId}/secret`;
}
