/** Replaces an account's app key; the old one is dead at once. */
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import type { AccountId, TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from './account.ts';
import { type Actor, actorName, authorizeActor } from './actor.ts';
import { newAppKey } from './app-key.ts';

/** Answers the new key. Throws `missing_scope`, `access_denied`, `account_not_found`. */
export async function rotateAppKey(
  deps: {
    readonly metadata: Transactions;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
  },
  { actor, accountId }: { readonly actor: Actor; readonly accountId: AccountId },
): Promise<{ readonly appKey: string }> {
  authorizeActor(actor, 'app_key.rotate', accountId);
  const { appKey, ...kept } = newAppKey(deps, accountId);
  await deps.metadata.transact(ROTATE_APP_KEY, {
    accountId,
    kept,
    actor: actorName(actor),
    at: deps.clock.now(),
  });
  return { appKey };
}

type AppKeyRotation = {
  readonly accountId: AccountId;
  readonly kept: Pick<Account, 'appKeyHash' | 'appKeyCiphertext'>;
  readonly actor: string;
  readonly at: TimeMs;
};

export const ROTATE_APP_KEY = defineTransaction(
  'rotate_app_key',
  async (tx, { accountId, kept, actor, at }: AppKeyRotation) => {
    await tx.updateAccount(accountId, kept);
    await tx.appendAudit({ at, accountId, actor, action: 'app_key.rotated', subject: undefined });
  },
);
