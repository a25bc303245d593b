/**
 * What PostgreSQL's SQLSTATEs and a lost connection mean here; the one place that translates them.
 */
import pg from 'pg';

import { ServiceError } from '../../../core/errors.ts';
import { SerialConflict } from '../conflict.ts';

const CONFLICTS: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '23505', // unique_violation: a racing transaction inserted what ours had looked for
]);

/** Whether the transaction may succeed when it is run again. */
export function isConflict(error: unknown): boolean {
  if (error instanceof SerialConflict) return true;
  return error instanceof pg.DatabaseError && CONFLICTS.has(error.code ?? '');
}

/**
 * Answers the operating error that `error`, thrown by the client, stands for. What the server
 * itself did not say comes from the way to it. Conflicts and faults of the program come back as
 * they are.
 */
export function translatePostgresError(error: unknown): unknown {
  if (error instanceof ServiceError) return error;
  if (!(error instanceof pg.DatabaseError)) return unavailable(error);
  const code = error.code ?? '';
  if (code === '53100') {
    return new ServiceError('storage_full', 'The metadata disk is full.', { cause: error });
  }
  if (code === '25006') {
    return new ServiceError('read_only', 'The metadata database is read-only.', { cause: error });
  }
  if (code.startsWith('XX')) {
    return new ServiceError('corrupt', 'The metadata database is damaged.', { cause: error });
  }
  // 08 connection, 53 resources, 57P operator's intervention, 58 system, 28 sign-in.
  if (/^(08|53|57P|58|28)/.test(code)) return unavailable(error);
  return error;
}

export function unavailable(cause?: unknown): ServiceError {
  return new ServiceError('unavailable', 'The metadata database is out of reach.', { cause });
}
