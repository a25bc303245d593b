/**
 * Deterministic URLs: `/{account}/{hash}` serves any file of an account by the BLAKE3 of its bytes.
 */
import type { Account } from '../identity/account/account.ts';
import { requireEnabled } from '../identity/account/require-enabled.ts';
import { parseAccountId } from '../identity/names.ts';
import type { AccountSlug, ContentHash } from '../ids.ts';
import type { ObjectVersion, StoredObject } from '../objects/object.ts';
import { objectNotFound } from '../objects/read/read-object.ts';
import type { MetadataReads } from '../ports/metadata/metadata.ts';

/** Whether a version of the default bucket has a deterministic URL under the account's setting. */
export function hasDeterministicUrl(
  account: Pick<Account, 'deterministicUrls'>,
  version: Pick<ObjectVersion, 'contentHash' | 'origin'>,
): boolean {
  if (version.contentHash === undefined) return false;
  switch (account.deterministicUrls) {
    case 'all':
      return true;
    case 'files':
      return version.origin === 'files';
    case 'off':
      return false;
  }
}

/** Whose file it is, and how to find it (again, should its bytes move). */
export type SharedFile = {
  readonly account: Account;
  readonly find: () => Promise<StoredObject | undefined>;
};

type FilesByHash = Pick<MetadataReads, 'findAccount' | 'findAccountBySlug' | 'findObjectByHash'>;

/**
 * `account` is a slug or, as published clients build the URL, a user id. Throws `object_not_found`,
 * `account_disabled`. Any text is taken; what names nothing is not found.
 */
export async function resolveDeterministicUrl(
  deps: { readonly metadata: FilesByHash },
  address: { readonly account: string; readonly hash: string },
): Promise<SharedFile> {
  const hash = address.hash.toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(hash)) throw objectNotFound();
  const account = await findAccount(deps.metadata, address.account);
  if (account === undefined || account.deterministicUrls === 'off') throw objectNotFound();
  requireEnabled(account);
  const origin = account.deterministicUrls === 'all' ? undefined : 'files';
  const find = () =>
    deps.metadata.findObjectByHash(account.defaultBucketId, hash as ContentHash, origin);
  return { account, find };
}

async function findAccount(metadata: FilesByHash, name: string): Promise<Account | undefined> {
  if (/^[a-z2-7]{12}$/.test(name)) return await metadata.findAccountBySlug(name as AccountSlug);
  const accountId = parseAccountId(name);
  return accountId && (await metadata.findAccount(accountId));
}
