/** A public link: lets anyone who knows its hash read the file that bears a name (files-api.md). */
import { ServiceError } from '../errors.ts';
import type { AccountId, BucketId, LinkHash, ObjectKey, TimeMs } from '../ids.ts';

export type PublicLink = {
  readonly hash: LinkHash;
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  /** The name it is bound to; overwriting changes what it serves, rename moves it. */
  readonly key: ObjectKey;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly expiresAt: TimeMs | undefined;
  /** Argon2id in its own text form. */
  readonly passwordHash: string | undefined;
  readonly createdAt: TimeMs;
};

/** Parses a hash as it comes from anyone; what cannot be one names no link: `link_not_found`. */
export function parseLinkHash(text: string): LinkHash {
  if (!/^[\w-]{22}$/.test(text)) throw linkNotFound();
  return text as LinkHash;
}

export function linkNotFound(): ServiceError {
  return new ServiceError('link_not_found', 'There is no such link.');
}
