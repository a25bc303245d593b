/** What a failed request says in the log: a fault at once and whole, a want of room rarely. */
import { type ErrorCode, isServiceError } from '../../core/errors.ts';
import type { Log } from '../../observe/log.ts';
import type { Occasions } from '../../observe/occasions.ts';

/**
 * Refusals that come by the thousand while they last and are nobody's mistake here: what they are
 * about is said once a minute, with how many there were.
 */
const EXPECTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'storage_full',
  'overloaded',
  'read_only',
  'unavailable',
]);

export function reportFailure(
  deps: { readonly log: Pick<Log, 'error'>; readonly occasions: Pick<Occasions, 'warn'> },
  error: unknown,
  facts: { readonly requestId: string; readonly route?: string | undefined },
  sentence: 'request failed' | 'a download was cut' | 'a delete failed' = 'request failed',
): void {
  if (!isServiceError(error) || !EXPECTED.has(error.code)) {
    deps.log.error({ ...facts, err: error }, sentence);
    return;
  }
  const { code, message: reason, cause } = error;
  const caused = cause instanceof Error ? { cause: cause.message } : {};
  deps.occasions.warn({ ...facts, code, reason, ...caused }, 'requests are refused', code);
}
