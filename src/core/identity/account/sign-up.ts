/** Who may open an account, and opening one. */
import type { Keyring } from '../../../kit/keyring.ts';
import { ServiceError } from '../../errors.ts';
import type { WalletAddress } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetadataTx } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import { newAccountId, newAccountSlug } from '../names.ts';
import type { Account } from './account.ts';
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

/** Throws `signup_closed` unless the policy lets this wallet in. */
export function checkWalletMaySignUp(policy: SignUpPolicy, wallet: WalletAddress): void {
  if (policy.kind === 'open') return;
  if (policy.kind === 'allowlist' && policy.wallets.includes(wallet)) return;
  throw signUpClosed();
}

/** Throws `signup_closed` unless anyone may open an account. */
export function checkAnyoneMaySignUp(policy: SignUpPolicy): void {
  if (policy.kind !== 'open') throw signUpClosed();
}

/**
 * Opens an account with its default bucket. Ids and slug are made inside the transaction, so that
 * running it again after a conflict tries others. Throws `username_taken`.
 */
export async function signUp(
  deps: { readonly clock: Clock; readonly random: Random; readonly keyring: Keyring },
  tx: MetadataTx,
  owner: {
    readonly username?: string;
    readonly wallet?: WalletAddress;
    /** Who opens it, when that is not its owner. */
    readonly actor?: string;
  },
): Promise<{ readonly account: Account; readonly appKey: string }> {
  const at = deps.clock.now();
  const accountId = newAccountId(deps);
  const { appKey, ...kept } = newAppKey(deps, accountId);
  const account = await tx.insertAccount({
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
    createdAt: at,
  });
  const actor = owner.actor ?? accountId;
  await tx.appendAudit({ at, accountId, actor, action: 'account.created', subject: undefined });
  return { account, appKey };
}

function signUpClosed(): ServiceError {
  return new ServiceError('signup_closed', 'New accounts are not open to everyone here.');
}
