/** What an account sees of itself. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { AccountId, AccountSlug, TimeMs, WalletAddress } from '../../ids.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Principal } from '../../principal.ts';
import { authorize, isAuthorized } from '../access/authorize.ts';
import type { DeterministicUrls } from './account.ts';
import { openAppKey } from './app-key.ts';
import { getAccount } from './get-account.ts';

export type Self = {
  readonly accountId: AccountId;
  /** Also the name of the default bucket. */
  readonly slug: AccountSlug;
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly wallet: WalletAddress | undefined;
  /** Left out for API tokens, which must not reach beyond their scopes. */
  readonly appKey: string | undefined;
  readonly plan: string;
  readonly deterministicUrls: DeterministicUrls;
  readonly isDisabled: boolean;
  readonly createdAt: TimeMs;
};

/** Describes the account of `principal`; throws `account_not_found`, `corrupt`. */
export async function whoAmI(
  deps: { readonly metadata: AccountReads; readonly keyring: Keyring },
  input: { readonly principal: Principal },
): Promise<Self> {
  authorize(input.principal, 'account.identify');
  const account = await getAccount(deps.metadata, input.principal.accountId);
  const isShown = isAuthorized(input.principal, 'account.secrets');
  return {
    accountId: account.accountId,
    slug: account.slug,
    username: account.username,
    email: account.email,
    wallet: account.wallet,
    appKey: isShown ? openAppKey(deps.keyring, account) : undefined,
    plan: account.plan,
    deterministicUrls: account.deterministicUrls,
    isDisabled: account.disabledAt !== undefined,
    createdAt: account.createdAt,
  };
}
