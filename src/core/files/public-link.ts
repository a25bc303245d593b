/** A public link: lets anyone who knows its hash read the file that bears a name (files-api.md). */
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
