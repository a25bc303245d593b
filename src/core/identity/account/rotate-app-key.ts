/** Replaces an account's app key; the old one is dead at once. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { AccountId } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
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
  const at = deps.clock.now();
  await deps.metadata.transact(async (tx) => {
    await tx.updateAccount(accountId, kept);
    await tx.appendAudit({
      at,
      accountId,
      actor: actorName(actor),
      action: 'app_key.rotated',
      subject: undefined,
    });
  });
  return { appKey };
}
