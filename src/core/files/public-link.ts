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

/** Hex, so that none begins with `-`, which command lines take for an option; older ones may. */
const LINK_HASH = /^(?:[0-9a-f]{32}|[\w-]{22})$/;

/** Parses a hash as it comes from anyone; what cannot be one names no link: `link_not_found`. */
export function parseLinkHash(text: string): LinkHash {
  if (!isLinkHash(text)) throw linkNotFound();
  return text;
}

export function isLinkHash(text: string): text is LinkHash {
  return LINK_HASH.test(text);
}

export function linkNotFound(): ServiceError {
  return new ServiceError('link_not_found', 'There is no such link.');
}
