/** Values for the contract suites and for tests that need a filled store. */

import type { Account, NewAccount } from '../../../identity/account/account.ts';
import type {
  AccountId,
  AccountSlug,
  BlobId,
  BlobLocation,
  BucketId,
  ContentHash,
  Etag,
  ObjectKey,
  TimeMs,
} from '../../../ids.ts';
import type { AccountDemand, CommitDemands } from '../../../objects/commit/commit-demands.ts';
import type { ContentPart, ObjectVersion } from '../../../objects/object.ts';
import type { Metadata } from '../metadata.ts';
import type { Deletion, Publication } from '../objects.ts';
import { inTransaction } from './in-transaction.ts';

export const NOW = 1_790_000_000_000 as TimeMs;
export const HOUR = (NOW - (NOW % 3_600_000)) as TimeMs;

export function timeAt(offsetMs: number): TimeMs {
  return (NOW + offsetMs) as TimeMs;
}

export function keyOf(text: string): ObjectKey {
  return text as ObjectKey;
}

/** An account that differs from others by `number` in everything that must be unique. */
export function sampleAccount(number: number, change: Partial<NewAccount> = {}): NewAccount {
  return {
    accountId: `0198a000-0000-7000-8000-${String(number).padStart(12, '0')}` as AccountId,
    slug: `slug${String.fromCharCode(97 + (number % 26))}${'a'.repeat(6)}${(number % 6) + 2}` as AccountSlug,
    username: undefined,
    email: undefined,
    wallet: undefined,
    role: 'user',
    plan: 'free',
    disabledAt: undefined,
    deterministicUrls: 'files',
    entitlements: { storageBytes: undefined, egressBytes: undefined, buckets: undefined },
    passwordHash: undefined,
    appKeyHash: `app-key-hash-${number}`,
    appKeyCiphertext: `v1.kid.nonce.${number}`,
    createdAt: timeAt(number),
    ...change,
  };
}

export function insertAccount(metadata: Metadata, account: NewAccount): Promise<Account> {
  return inTransaction(metadata, (tx) => tx.insertAccount(account));
}

export function samplePart(blobId: number, sizeBytes = 10): ContentPart {
  const location = `file:${blobId}` as BlobLocation;
  return { blob: { blobId: blobId as BlobId, sizeBytes, location }, sizeBytes };
}

export function sampleVersion(
  bucketId: BucketId,
  key: string,
  change: Partial<ObjectVersion> = {},
): ObjectVersion {
  return {
    bucketId,
    key: keyOf(key),
    versionId: 'null',
    sizeBytes: 10,
    etag: 'd41d8cd98f00b204e9800998ecf8427e' as Etag,
    contentHash: 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262' as ContentHash,
    checksum: undefined,
    contentType: 'text/plain',
    headers: {},
    userMetadata: {},
    tags: {},
    storageClass: 'STANDARD',
    tier: 'normal',
    origin: 'files',
    createdAt: NOW,
    ...change,
  };
}

/** The publication of `key` whose bytes are blob `blobId`, of `sizeBytes`. */
export function samplePublication(
  account: Account,
  sample: {
    readonly key: string;
    readonly blobId: number;
    readonly sizeBytes?: number;
    readonly version?: Partial<ObjectVersion>;
  },
  change: Partial<Publication> = {},
): Publication {
  const { key, blobId, sizeBytes = 10, version } = sample;
  return {
    accountId: account.accountId,
    version: sampleVersion(account.defaultBucketId, key, { sizeBytes, ...version }),
    content: [samplePart(blobId, sizeBytes)],
    demands: [],
    operation: undefined,
    usage: undefined,
    ...change,
  };
}

export function sampleDeletion(
  account: Account,
  key: string,
  change: Partial<Deletion> = {},
): Deletion {
  return {
    accountId: account.accountId,
    bucketId: account.defaultBucketId,
    key: keyOf(key),
    at: NOW,
    demands: [],
    ...change,
  };
}

/** Owners of each live blob, and the time of death of each dead one. */
export async function blobsOf(metadata: Metadata) {
  const live = await metadata.listBlobs({ after: undefined, limit: 1000 });
  const dead = await metadata.listDeadBlobs({ diedBefore: timeAt(10 ** 9), limit: 1000 });
  return {
    live: live.map(({ blobId, owners }) => [Number(blobId), owners]),
    dead: dead.map(({ blobId, diedAt }) => [Number(blobId), Number(diedAt)]),
  };
}

/** What the account's row says that it stores. */
export async function storedBytes(
  metadata: Metadata,
  account: Account,
): Promise<bigint | undefined> {
  return (await metadata.findAccount(account.accountId))?.storedBytes;
}

/** As `If-None-Match: *` asks. */
export const mustNotExist: CommitDemands = [
  { kind: 'conditions', conditions: { ifNoneMatch: '*' } },
];

/** What the account's row says that its quota is judged by. */
export async function countedBytes(
  metadata: Metadata,
  account: Account,
): Promise<bigint | undefined> {
  return (await metadata.findAccount(account.accountId))?.countedBytes;
}

/** That `added` more counted bytes fit below `limit` of the account's. */
export function fitsBelow(limit: number, added: number): AccountDemand {
  const policy = { freeStorageBytes: BigInt(limit), freeEgressBytes: 0n };
  return { kind: 'quota', policy, countedBytes: added };
}
