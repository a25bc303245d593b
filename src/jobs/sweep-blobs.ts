/** Removes the bytes of dead blobs: the handler of their outbox rows (invariant 4). */
import type { TimeMs } from '../core/ids.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { BlobRows } from '../core/ports/metadata/objects.ts';

type SweepDeps = {
  readonly metadata: Pick<BlobRows, 'listDeadBlobs' | 'forgetDeadBlobs'>;
  readonly blobs: Pick<BlobStore, 'remove'>;
  readonly clock: Pick<Clock, 'now'>;
};

const BATCH_BLOBS = 500;

/**
 * Removes the bytes of dead blobs, then forgets them: a crash in between makes the next run remove
 * what is gone, which is no fault. Answers how many were removed.
 */
export async function sweepDeadBlobs(
  deps: SweepDeps,
  options: { readonly signal: AbortSignal },
): Promise<number> {
  let removed = 0;
  while (!options.signal.aborted) {
    const dead = await deps.metadata.listDeadBlobs({
      diedBefore: (deps.clock.now() + 1) as TimeMs,
      limit: BATCH_BLOBS,
    });
    if (dead.length === 0) break;
    // While a backup holds the bytes, the rows wait with them.
    if (!(await deps.blobs.remove(dead))) break;
    await deps.metadata.forgetDeadBlobs(dead.map((blob) => blob.blobId));
    removed += dead.length;
  }
  return removed;
}
