/** How much an account may store: its entitlement, or the free quota. */
import { ServiceError } from './errors.ts';
import type { Account } from './identity/account/account.ts';

/** What the operator configured for every account; bytes. */
export type QuotaPolicy = {
  readonly freeStorageBytes: bigint;
  readonly freeEgressBytes: bigint;
};

/** How many buckets an account may have without an entitlement, its default bucket among them. */
export type BucketPolicy = { readonly freeBuckets: number };

type StorageFacts = Pick<Account, 'entitlements' | 'storedBytes'>;

function storageLimitBytes(policy: QuotaPolicy, account: StorageFacts): bigint {
  return account.entitlements.storageBytes ?? policy.freeStorageBytes;
}

/** Bytes that the account may still add when `replacedBytes` of its own go; never negative. */
export function storageLeftBytes(
  policy: QuotaPolicy,
  account: StorageFacts,
  replacedBytes: number,
): bigint {
  const used = account.storedBytes - BigInt(replacedBytes);
  const left = storageLimitBytes(policy, account) - used;
  return left > 0n ? left : 0n;
}

/**
 * Throws `quota_exceeded` when `sizeBytes` more would pass the limit. Nothing that does not grow
 * what is stored is refused: an account over its limit may still shrink.
 */
export function checkStorageQuota(
  policy: QuotaPolicy,
  account: StorageFacts,
  change: { readonly sizeBytes: number; readonly replacedBytes: number },
): void {
  if (change.sizeBytes <= change.replacedBytes) return;
  if (BigInt(change.sizeBytes) <= storageLeftBytes(policy, account, change.replacedBytes)) return;
  throw quotaExceeded(policy, account, change.sizeBytes);
}

export function quotaExceeded(
  policy: QuotaPolicy,
  account: StorageFacts,
  sizeBytes: number,
): ServiceError {
  return new ServiceError('quota_exceeded', 'The file does not fit into the storage quota.', {
    details: {
      used_bytes: Number(account.storedBytes),
      allowed_bytes: Number(storageLimitBytes(policy, account)),
      needed_bytes: sizeBytes,
    },
  });
}
