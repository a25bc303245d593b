/** How the sums of an account change, for all engines. */
import { strict as assert } from 'node:assert';

import type { Account } from '../../core/identity/account/account.ts';
import type { Footprint } from '../../core/objects/commit/footprint.ts';

export function withChange(account: Account, change: Footprint): Account {
  const storedBytes = account.storedBytes + BigInt(change.storedBytes);
  const countedBytes = account.countedBytes + BigInt(change.countedBytes);
  assert(storedBytes >= 0n, 'an account stores no less than nothing');
  assert(countedBytes >= storedBytes, 'what is stored is counted');
  return { ...account, storedBytes, countedBytes };
}
