/** Ends upload operations whose process died, and forgets old ones. */
import { DELETE_OPERATIONS, FAIL_OPERATIONS } from '../core/files/ended-operations.ts';
import type { TimeMs } from '../core/ids.ts';
import { OPERATION_LIFE_MS } from '../core/limits.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Transactions } from '../core/ports/metadata/metadata.ts';

type Deps = { readonly metadata: Transactions; readonly clock: Pick<Clock, 'now'> };

/**
 * A live upload touches its row every five seconds while bytes come; a stalled one is cut at 120 s.
 */
const SILENCE_MS = 10 * 60_000;
const BATCH_ROWS = 1000;

/** At start, when this process is the only one: whatever is under way has lost its process. */
export async function failInterruptedOperations(
  deps: Deps,
  options: { readonly silenceMs?: number } = {},
): Promise<number> {
  const { silenceMs = SILENCE_MS } = options;
  const at = deps.clock.now();
  const updatedBefore = (at - silenceMs) as TimeMs;
  return await deps.metadata.transact(FAIL_OPERATIONS, {
    updatedBefore,
    error: 'interrupted',
    at,
  });
}

export async function sweepOperations(
  deps: Deps,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  await failInterruptedOperations(deps);
  const before = (deps.clock.now() - OPERATION_LIFE_MS) as TimeMs;
  while (!options.signal.aborted) {
    const deleted = await deps.metadata.transact(DELETE_OPERATIONS, { before, limit: BATCH_ROWS });
    if (deleted < BATCH_ROWS) break;
  }
}
