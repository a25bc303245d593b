/** How the core names what it does in one transaction (decision 0016). */
import type { Transaction } from './ports/metadata/metadata.ts';

/**
 * A transaction as a value. `run` gets what it reads and writes through, and its input: no clock,
 * no chance, no dependencies. Each stands in `transactions.ts`, under a name of its own.
 */
export function defineTransaction<Input, Answer>(
  name: string,
  run: Transaction<Input, Answer>['run'],
): Transaction<Input, Answer> {
  return Object.freeze({ name, run });
}
