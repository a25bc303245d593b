/** What is kept of an account, its sessions and tokens. */
import type {
  AccountId,
  AccountSlug,
  BucketId,
  SessionId,
  TimeMs,
  TokenId,
  WalletAddress,
} from '../../ids.ts';
import type { Role, Scope } from '../../principal.ts';

/** Which versions of the default bucket have a deterministic URL. */
export type DeterministicUrls = 'files' | 'all' | 'off';

/** Limits an operator set for one account; `undefined` means the configured default. */
export type Entitlements = {
  readonly storageBytes: bigint | undefined;
  readonly egressBytes: bigint | undefined;
  readonly buckets: number | undefined;
};

export type Account = {
  readonly accountId: AccountId;
  readonly slug: AccountSlug;
  readonly defaultBucketId: BucketId;
  /** As written by its owner; unique when folded to lower case. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  /** The first linked wallet. */
  readonly wallet: WalletAddress | undefined;
  readonly role: Role;
  readonly plan: string;
  readonly disabledAt: TimeMs | undefined;
  readonly deterministicUrls: DeterministicUrls;
  readonly entitlements: Entitlements;
  /** Argon2id in its own text form. */
  readonly passwordHash: string | undefined;
  /** SHA-256 of the app key, hex, for look-up. */
  readonly appKeyHash: string;
  /** The app key under the master key (`v1.<kid>.<nonce>.<ct>`). */
  readonly appKeyCiphertext: string;
  /** Bytes of all current objects, versions and open parts. */
  readonly storedBytes: bigint;
  /** What quotas are judged by: stored bytes, and what rows count (decision 0020). */
  readonly countedBytes: bigint;
  readonly createdAt: TimeMs;
};

/** An account before its default bucket's number is known. */
export type NewAccount = Omit<Account, 'defaultBucketId' | 'storedBytes' | 'countedBytes'>;

/** What an owner or operator may change; a missing field stays, `undefined` is not a value here. */
export type AccountChange = {
  readonly role?: Role;
  readonly disabledAt?: TimeMs | null;
  readonly deterministicUrls?: DeterministicUrls;
  readonly entitlements?: Entitlements;
  readonly passwordHash?: string;
  readonly appKeyHash?: string;
  readonly appKeyCiphertext?: string;
};

/** A session and its family of refresh tokens; tokens themselves are not kept (payments.md 2). */
export type Session = {
  readonly sessionId: SessionId;
  readonly accountId: AccountId;
  /** How many times the refresh token was rotated. */
  readonly counter: number;
  readonly rotatedAt: TimeMs;
  readonly createdAt: TimeMs;
  readonly lastUsedAt: TimeMs;
  readonly revokedAt: TimeMs | undefined;
  /** Where it was started, for its owner's eyes. */
  readonly address: string | undefined;
  readonly agent: string | undefined;
};

export type ApiToken = {
  readonly tokenId: TokenId;
  readonly accountId: AccountId;
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** First eight characters, for people. */
  readonly prefix: string;
  readonly scopes: readonly Scope[];
  /** IPv4/IPv6 addresses and CIDR blocks; empty: any address. */
  readonly ipAllowlist: readonly string[];
  readonly createdAt: TimeMs;
  readonly expiresAt: TimeMs | undefined;
  readonly lastUsedAt: TimeMs | undefined;
};
