/** Conflicts of serial transactions: the engine runs the transaction again. */
import { ServiceError } from '../../core/errors.ts';
import { TRANSACTION_TRIES_MAX } from './metadata-limits.ts';

/**
 * A transaction met a row that, in a serial order, it would have seen: for one, a slug or wallet
 * that another account took meanwhile. Never leaves the engine.
 */
export class SerialConflict extends Error {
  constructor(subject: string) {
    super(`conflict of transactions over ${subject}`);
    this.name = 'SerialConflict';
  }
}

/**
 * Runs `attempt` again while it fails by a conflict; the one place of an engine where a transaction
 * is repeated. Throws `unavailable` when the conflict stays.
 */
export async function retryConflicts<T>(
  attempt: () => Promise<T>,
  isConflict: (error: unknown) => boolean,
  pause: (attempt: number) => Promise<void>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!isConflict(error)) throw error;
      if (tries >= TRANSACTION_TRIES_MAX) {
        throw new ServiceError('unavailable', 'The transaction met conflicts again and again.', {
          cause: error,
        });
      }
    }
    await pause(tries);
  }
}
