/** Ends uploads that nobody goes on with, and forgets the results of completed ones. */
import { defineTransaction } from '../../define-transaction.ts';
import { timeMs } from '../../identity/names.ts';
import { SWEEP_BATCH_ROWS, SWEEP_BATCHES_MAX, UPLOAD_RESULT_KEPT_MS } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { UploadWrites } from '../../ports/metadata/uploads.ts';

export type SweepUploadsDeps = {
  readonly metadata: Transactions;
  readonly clock: Pick<Clock, 'now'>;
  /** How long an upload may stand without a new part; `undefined`: for ever. */
  readonly uploadLifeMs: number | undefined;
};

/** One upload may have 10,000 parts: a transaction of more would hold up others. */
const ABORTS_A_TRANSACTION = 1;
const ABORTS_A_RUN = 1000;

/** May be run twice or by several at once; stops between transactions when the signal fires. */
export async function sweepUploads(
  { metadata, clock, uploadLifeMs }: SweepUploadsDeps,
  options: { readonly signal?: AbortSignal } = {},
): Promise<{ readonly aborted: number; readonly forgotten: number }> {
  const { signal } = options;
  const at = clock.now();
  const aborted =
    uploadLifeMs === undefined
      ? 0
      : await again({ batches: ABORTS_A_RUN, rows: ABORTS_A_TRANSACTION, signal }, (limit) => {
          const changedBefore = timeMs(at - uploadLifeMs);
          return metadata.transact(ABORT_IDLE_UPLOADS, { changedBefore, at, limit });
        });
  const completedBefore = timeMs(at - UPLOAD_RESULT_KEPT_MS);
  const forgotten = await again(
    { batches: SWEEP_BATCHES_MAX, rows: SWEEP_BATCH_ROWS, signal },
    (limit) => metadata.transact(FORGET_UPLOADS, { completedBefore, limit }),
  );
  return { aborted, forgotten };
}

export const ABORT_IDLE_UPLOADS = defineTransaction(
  'abort_idle_uploads',
  (tx, uploads: Parameters<UploadWrites['abortIdleUploads']>[0]) => tx.abortIdleUploads(uploads),
);

export const FORGET_UPLOADS = defineTransaction(
  'forget_uploads',
  (tx, uploads: Parameters<UploadWrites['forgetUploads']>[0]) => tx.forgetUploads(uploads),
);

async function again(
  options: {
    readonly batches: number;
    readonly rows: number;
    readonly signal: AbortSignal | undefined;
  },
  sweep: (limit: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < options.batches && !options.signal?.aborted; batch += 1) {
    const removed = await sweep(options.rows);
    total += removed;
    if (removed < options.rows) break;
  }
  return total;
}
