/** By which a restore knows the master keys that a backup needs, without holding them. */
import { createHmac } from 'node:crypto';
import { keyringOf, type MasterKey } from '../../kit/keyring.ts';

/** What the check's key is derived for; part of the format. */
const PURPOSE = 'backup-check';

export type KeyCheck = { readonly kid: string; readonly check: string };

export function keyChecksOf(masterKeys: readonly MasterKey[], store: string): KeyCheck[] {
  const keyring = keyringOf(masterKeys);
  return masterKeys.map(({ kid }) => {
    const key = keyring.find(PURPOSE, kid)?.key ?? '';
    return { kid, check: createHmac('sha256', key).update(store).digest('base64url') };
  });
}

/** The ids of the keys that `held` lacks, or has with another secret. */
export function missingKeys(
  held: readonly MasterKey[],
  needed: { readonly store: string; readonly checks: readonly KeyCheck[] },
): readonly string[] {
  const checks = new Map(
    keyChecksOf(held, needed.store).map(({ kid, check }) => [kid, check] as const),
  );
  return needed.checks.filter(({ kid, check }) => checks.get(kid) !== check).map(({ kid }) => kid);
}
