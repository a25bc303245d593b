/** Writes sums of usage that were gathered meanwhile. */
import { defineTransaction } from './define-transaction.ts';
import type { UsageDelta } from './usage.ts';

export const APPEND_USAGE = defineTransaction('append_usage', (tx, sums: readonly UsageDelta[]) =>
  tx.appendUsage(sums),
);
