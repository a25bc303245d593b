/** What an account's owner may change of it. */
import { defineTransaction } from '../../define-transaction.ts';
import type { AccountId, TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import { authorize } from '../access/authorize.ts';
import type { DeterministicUrls } from './account.ts';

/** Changes the settings that are given. Throws `missing_scope`, `account_not_found`. */
export async function changeSettings(
  deps: { readonly metadata: Transactions; readonly clock: Clock },
  input: {
    readonly principal: Principal;
    readonly settings: { readonly deterministicUrls?: DeterministicUrls };
  },
): Promise<void> {
  authorize(input.principal, 'account.write');
  const { accountId } = input.principal;
  const { deterministicUrls } = input.settings;
  if (deterministicUrls === undefined) return;
  const at = deps.clock.now();
  await deps.metadata.transact(CHANGE_SETTINGS, { accountId, deterministicUrls, at });
}

type SettingsChange = {
  readonly accountId: AccountId;
  readonly deterministicUrls: DeterministicUrls;
  readonly at: TimeMs;
};

export const CHANGE_SETTINGS = defineTransaction(
  'change_settings',
  async (tx, { accountId, deterministicUrls, at }: SettingsChange) => {
    await tx.updateAccount(accountId, { deterministicUrls });
    await tx.appendAudit({
      at,
      accountId,
      actor: accountId,
      action: 'account.settings_changed',
      subject: `deterministic_urls=${deterministicUrls}`,
    });
  },
);
