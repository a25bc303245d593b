/**
 * How much an account may store: its entitlement, or the free quota. What it uses of that are its
 * counted bytes (`objects/commit/footprint.ts`), and so are all numbers here.
 */
import { maxBigint } from '../kit/max-bigint.ts';
import { ServiceError } from './errors.ts';
import type { Account } from './identity/account/account.ts';

/** What the operator configured for every account; bytes. */
export type QuotaPolicy = {
  readonly freeStorageBytes: bigint;
  readonly freeEgressBytes: bigint;
};

/** How many buckets an account may have without an entitlement, its default bucket among them. */
export type BucketPolicy = { readonly freeBuckets: number };

type StorageFacts = Pick<Account, 'entitlements' | 'countedBytes'>;

function storageLimitBytes(policy: QuotaPolicy, account: StorageFacts): bigint {
  return account.entitlements.storageBytes ?? policy.freeStorageBytes;
}

/** What the account may still add when `replacedBytes` of its own go; never negative. */
export function storageLeftBytes(
  policy: QuotaPolicy,
  account: StorageFacts,
  replacedBytes: number,
): bigint {
  const used = account.countedBytes - BigInt(replacedBytes);
  return maxBigint(storageLimitBytes(policy, account) - used, 0n);
}

/**
 * Throws `quota_exceeded` when `addedBytes` more would pass the limit. Nothing that does not grow
 * what is counted is refused: an account over its limit may still shrink.
 */
export function checkStorageQuota(
  policy: QuotaPolicy,
  account: StorageFacts,
  change: { readonly addedBytes: number; readonly replacedBytes: number },
): void {
  const { addedBytes, replacedBytes } = change;
  if (addedBytes <= replacedBytes) return;
  if (BigInt(addedBytes) <= storageLeftBytes(policy, account, replacedBytes)) return;
  throw quotaExceeded(policy, account, addedBytes);
}

export function quotaExceeded(
  policy: QuotaPolicy,
  account: StorageFacts,
  neededBytes: number,
): ServiceError {
  return new ServiceError('quota_exceeded', 'The file does not fit into the storage quota.', {
    details: {
      used_bytes: Number(account.countedBytes),
      allowed_bytes: Number(storageLimitBytes(policy, account)),
      needed_bytes: neededBytes,
    },
  });
}
