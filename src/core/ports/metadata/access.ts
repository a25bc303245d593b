/** Credentials: spent sign-in nonces, sessions with their refresh families, API tokens, S3 keys. */
import type { ApiToken, Session } from '../../identity/account/account.ts';
import type { S3Key } from '../../identity/s3-keys/s3-key.ts';
import type { AccessKeyId, AccountId, BucketId, SessionId, TimeMs, TokenId } from '../../ids.ts';

/** S3 keys are kept once revoked, until a sweep, so that their owners see what became of them. */
export interface S3KeyReads {
  /** Revoked ones too. Asked for by every S3 request. */
  findS3Key(accessKeyId: AccessKeyId): Promise<S3Key | undefined>;
  /** Revoked ones too, oldest first. */
  listS3Keys(accountId: AccountId): Promise<readonly S3Key[]>;
  /** How many of an account's keys are live at `now`, and how many have ended. */
  countS3Keys(
    accountId: AccountId,
    now: TimeMs,
  ): Promise<{ readonly live: number; readonly ended: number }>;
}

export interface S3KeyWrites {
  insertS3Key(key: S3Key): Promise<void>;
  /** Revokes a key of an account; answers whether it was live. */
  revokeS3Key(accountId: AccountId, accessKeyId: AccessKeyId, at: TimeMs): Promise<boolean>;
  /** Revokes the live keys that are limited to a bucket. */
  revokeS3KeysOf(bucketId: BucketId, at: TimeMs): Promise<void>;
  /** Revokes the live keys that a token made. */
  revokeS3KeysMadeBy(tokenId: TokenId, at: TimeMs): Promise<void>;
  touchS3Key(accessKeyId: AccessKeyId, at: TimeMs): Promise<void>;
  /** Removes an account's oldest keys of those that have ended at `now`, at most `limit`. */
  deleteEndedS3Keys(accountId: AccountId, now: TimeMs, limit: number): Promise<void>;
  /** Removes keys that ended before `before`, at most `limit`; answers how many. */
  deleteS3Keys(before: TimeMs, limit: number): Promise<number>;
}

export interface AccessReads extends S3KeyReads {
  isNonceSpent(nonce: string): Promise<boolean>;
  findSession(sessionId: SessionId): Promise<Session | undefined>;
  /** Sessions of an account that were not revoked, newest first, at most `limit`. */
  listSessions(accountId: AccountId, limit: number): Promise<readonly Session[]>;
  findTokenByHash(hash: string): Promise<ApiToken | undefined>;
  /** Tokens of an account that were not removed, expired ones too, oldest first. */
  listTokens(accountId: AccountId): Promise<readonly ApiToken[]>;
}

export interface AccessWrites extends S3KeyWrites {
  /** Keeps a nonce as spent; answers whether this call did it (false: it was spent already). */
  spendNonce(nonce: string, expiresAt: TimeMs): Promise<boolean>;
  /** Removes spent nonces that expired before `before`, at most `limit`; answers how many. */
  deleteSpentNonces(before: TimeMs, limit: number): Promise<number>;

  insertSession(session: Session): Promise<void>;
  /**
   * Sets counter + 1, `rotatedAt` and `lastUsedAt` if the counter still is `counter` and the
   * session is not revoked; answers whether it did.
   */
  rotateSession(sessionId: SessionId, counter: number, at: TimeMs): Promise<boolean>;
  touchSession(sessionId: SessionId, at: TimeMs): Promise<void>;
  /** Revokes one session; answers whether it was live. */
  revokeSession(sessionId: SessionId, at: TimeMs): Promise<boolean>;
  /** Revokes all live sessions of an account but `except`. */
  revokeSessions(accountId: AccountId, at: TimeMs, except: SessionId | undefined): Promise<void>;
  /** Removes sessions that ended (revoked, idle or too old) before the times, at most `limit`. */
  deleteSessions(ended: {
    readonly createdBefore: TimeMs;
    readonly lastUsedBefore: TimeMs;
    readonly revokedBefore: TimeMs;
    readonly limit: number;
  }): Promise<number>;

  /** Throws `token_name_taken` when the account has a token of that name, expired or not. */
  insertToken(token: ApiToken): Promise<void>;
  /** Removes a token by name; answers its id if it stood. */
  deleteToken(accountId: AccountId, name: string): Promise<TokenId | undefined>;
  touchToken(tokenId: TokenId, at: TimeMs): Promise<void>;
}
