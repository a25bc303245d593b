/** Any work as a transaction, for tests alone: the program's own have names and stand in a list. */
import { defineTransaction } from '../../../define-transaction.ts';
import type { MetadataTx, Transactions } from '../metadata.ts';

export function inTransaction<T>(
  metadata: Transactions,
  work: (tx: MetadataTx) => Promise<T>,
): Promise<T> {
  return metadata.transact(
    defineTransaction('test', (tx) => work(tx)),
    undefined,
  );
}
