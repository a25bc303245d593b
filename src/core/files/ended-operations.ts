/** What becomes of upload operations that nobody goes on with. */
import { defineTransaction } from '../define-transaction.ts';
import type { TimeMs } from '../ids.ts';
import type { FileWrites } from '../ports/metadata/files.ts';

export const FAIL_OPERATIONS = defineTransaction(
  'fail_operations',
  (tx, stale: Parameters<FileWrites['failOperations']>[0]) => tx.failOperations(stale),
);

export const DELETE_OPERATIONS = defineTransaction(
  'delete_operations',
  (tx, { before, limit }: { readonly before: TimeMs; readonly limit: number }) =>
    tx.deleteOperations(before, limit),
);
