/** Who may open an account, and opening one. */
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import { parseBucketName, type WalletAddress } from '../../ids.ts';
import { SLUG_TRIES_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetadataTx, Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import { newAccountId, newAccountSlug } from '../names.ts';
import type { Account, NewAccount } from './account.ts';
import { newAppKey } from './app-key.ts';

/**
 * E-mail addresses in lower case. An allow-list opens no username accounts: those prove nothing.
 */
export type SignUpPolicy =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'allowlist';
      readonly wallets: readonly string[];
      readonly emails: readonly string[];
    };

/** Whether the policy lets this wallet open an account. */
export function mayWalletSignUp(policy: SignUpPolicy, wallet: WalletAddress): boolean {
  if (policy.kind === 'open') return true;
  return policy.kind === 'allowlist' && policy.wallets.includes(wallet);
}

/** Throws `signup_closed` unless anyone may open an account. */
export function checkAnyoneMaySignUp(policy: SignUpPolicy): void {
  if (policy.kind !== 'open') throw signUpClosed();
}

type MintDeps = { readonly clock: Clock; readonly random: Random; readonly keyring: Keyring };

type Owner = {
  readonly username?: string;
  readonly wallet?: WalletAddress;
  /** Who opens it, when that is not its owner. */
  readonly actor?: string;
};

/** An account that may be opened, and its app key in plain text. */
type MintedAccount = {
  readonly account: NewAccount;
  readonly actor: string;
  readonly appKey: string;
};

/** Opens an account with its default bucket. Throws `username_taken`. */
export async function signUp(
  deps: MintDeps & { readonly metadata: Transactions },
  owner: Owner,
): Promise<{ readonly account: Account; readonly appKey: string }> {
  return await tryWithFreshSlugs(async () => {
    const { appKey, ...minted } = mintAccount(deps, owner);
    const account = await deps.metadata.transact(SIGN_UP, minted);
    return account === 'slug_taken' ? account : { account, appKey };
  });
}

export const SIGN_UP = defineTransaction(
  'sign_up',
  async (tx, minted: Omit<MintedAccount, 'appKey'>) =>
    (await isSlugTaken(tx, minted.account)) ? 'slug_taken' : await openAccount(tx, minted),
);

/**
 * A slug is drawn by chance and may stand already: `attempt` then answers so, having changed
 * nothing, and is asked again with another. Throws `unavailable` when that goes on.
 */
export async function tryWithFreshSlugs<T extends object>(
  attempt: () => Promise<T | 'slug_taken'>,
): Promise<T> {
  for (let tries = 0; tries < SLUG_TRIES_MAX; tries += 1) {
    const answer = await attempt();
    if (answer !== 'slug_taken') return answer;
  }
  throw new ServiceError('unavailable', 'Each slug that was drawn for the account is taken.');
}

/** Whether the account's default bucket, which bears its slug, would meet another of that name. */
export async function isSlugTaken(
  tx: Pick<MetadataTx, 'findBucket'>,
  { slug }: Pick<NewAccount, 'slug'>,
): Promise<boolean> {
  return (await tx.findBucket(parseBucketName(slug))) !== undefined;
}

/** Makes the ids, the slug and the app key of an account, which is not opened yet. */
export function mintAccount(deps: MintDeps, owner: Owner): MintedAccount {
  const accountId = newAccountId(deps);
  const { appKey, ...kept } = newAppKey(deps, accountId);
  const account: NewAccount = {
    accountId,
    slug: newAccountSlug(deps.random),
    username: owner.username,
    email: undefined,
    wallet: owner.wallet,
    role: 'user',
    plan: 'free',
    disabledAt: undefined,
    deterministicUrls: 'files',
    entitlements: { storageBytes: undefined, egressBytes: undefined, buckets: undefined },
    passwordHash: undefined,
    ...kept,
    createdAt: deps.clock.now(),
  };
  return { account, actor: owner.actor ?? accountId, appKey };
}

/** Opens an account whose slug is free. Throws `username_taken`. */
export async function openAccount(
  tx: MetadataTx,
  { account, actor }: Omit<MintedAccount, 'appKey'>,
): Promise<Account> {
  const { accountId, createdAt: at } = account;
  const opened = await tx.insertAccount(account);
  await tx.appendAudit({ at, accountId, actor, action: 'account.created', subject: undefined });
  return opened;
}

export function signUpClosed(): ServiceError {
  return new ServiceError('signup_closed', 'New accounts are not open to everyone here.');
}
