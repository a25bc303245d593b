/** Removes spent nonces, sessions and S3 keys that ended, in transactions that are small. */
import { defineTransaction } from '../define-transaction.ts';
import type { TimeMs } from '../ids.ts';
import {
  NONCE_KEPT_MS,
  REFRESH_ABSOLUTE_LIFE_MS,
  REFRESH_IDLE_LIFE_MS,
  S3_KEY_KEPT_MS,
  SESSION_KEPT_MS,
  SWEEP_BATCH_ROWS,
  SWEEP_BATCHES_MAX,
} from '../limits.ts';
import type { Clock } from '../ports/clock.ts';
import type { AccessWrites } from '../ports/metadata/access.ts';
import type { Transactions } from '../ports/metadata/metadata.ts';
import { timeMs } from './names.ts';

/**
 * Removes what ended, up to a bound for one run; what is left waits for the next. May be run twice
 * or by several at once. Stops between two transactions when the signal fires.
 */
export async function sweepIdentity(
  deps: { readonly metadata: Transactions; readonly clock: Clock },
  options: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly nonces: number; readonly sessions: number; readonly s3Keys: number }> {
  const now = deps.clock.now();
  const noncesBefore = timeMs(now - NONCE_KEPT_MS);
  const ended = {
    createdBefore: timeMs(now - REFRESH_ABSOLUTE_LIFE_MS),
    lastUsedBefore: timeMs(now - REFRESH_IDLE_LIFE_MS),
    revokedBefore: timeMs(now - SESSION_KEPT_MS),
    limit: SWEEP_BATCH_ROWS,
  };
  const nonces = await sweepInBatches(options.signal, () =>
    deps.metadata.transact(DELETE_SPENT_NONCES, { before: noncesBefore, limit: SWEEP_BATCH_ROWS }),
  );
  const sessions = await sweepInBatches(options.signal, () =>
    deps.metadata.transact(DELETE_SESSIONS, ended),
  );
  const keysBefore = timeMs(now - S3_KEY_KEPT_MS);
  const s3Keys = await sweepInBatches(options.signal, () =>
    deps.metadata.transact(DELETE_S3_KEYS, { before: keysBefore, limit: SWEEP_BATCH_ROWS }),
  );
  return { nonces, sessions, s3Keys };
}

type Batch = { readonly before: TimeMs; readonly limit: number };

export const DELETE_SPENT_NONCES = defineTransaction(
  'delete_spent_nonces',
  (tx, { before, limit }: Batch) => tx.deleteSpentNonces(before, limit),
);

export const DELETE_SESSIONS = defineTransaction(
  'delete_sessions',
  (tx, ended: Parameters<AccessWrites['deleteSessions']>[0]) => tx.deleteSessions(ended),
);

export const DELETE_S3_KEYS = defineTransaction('delete_s3_keys', (tx, { before, limit }: Batch) =>
  tx.deleteS3Keys(before, limit),
);

async function sweepInBatches(
  signal: AbortSignal | undefined,
  sweep: () => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < SWEEP_BATCHES_MAX && !signal?.aborted; batch += 1) {
    const removed = await sweep();
    total += removed;
    if (removed < SWEEP_BATCH_ROWS) break;
  }
  return total;
}
