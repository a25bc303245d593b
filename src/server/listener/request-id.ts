import type { Random } from '../../core/ports/random.ts';

/** Names a request in its answer and in the logs. */
export function newRequestId(random: Random): string {
  return Buffer.from(random.bytes(8)).toString('hex').toUpperCase();
}
