/** Removes bytes that no row names: dead blobs by their outbox rows, orphans by looking. */
import type { BlobId, TimeMs } from '../core/ids.ts';
import type { BlobRef, BlobStore } from '../core/ports/blob-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { BlobRows } from '../core/ports/metadata/objects.ts';

type SweepDeps = {
  readonly metadata: Pick<BlobRows, 'listDeadBlobs' | 'forgetDeadBlobs' | 'findBlobs'>;
  readonly blobs: Pick<BlobStore, 'remove' | 'list'>;
  readonly clock: Pick<Clock, 'now'>;
};

const BATCH_BLOBS = 500;
/** Longer than any upload may hold bytes without a row; the engine leases those of this process. */
const ORPHAN_GRACE_MS = 3_600_000;

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
    await deps.blobs.remove(dead);
    await deps.metadata.forgetDeadBlobs(dead.map((blob) => blob.blobId));
    removed += dead.length;
  }
  return removed;
}

/** Removes what a crash left: bytes older than the grace with neither row nor lease. */
export async function sweepOrphanBlobs(
  deps: SweepDeps,
  options: { readonly signal: AbortSignal; readonly graceMs?: number },
): Promise<number> {
  const { signal, graceMs = ORPHAN_GRACE_MS } = options;
  let removed = 0;
  let batch: BlobRef[] = [];
  const flush = async () => {
    const known = new Set<BlobId>(
      (await deps.metadata.findBlobs(batch.map((blob) => blob.blobId))).map((blob) => blob.blobId),
    );
    const orphans = batch.filter((blob) => !known.has(blob.blobId));
    batch = [];
    await deps.blobs.remove(orphans);
    removed += orphans.length;
  };
  for await (const blob of deps.blobs.list({ signal })) {
    if (blob.changedAt > deps.clock.now() - graceMs) continue;
    batch.push(blob);
    if (batch.length === BATCH_BLOBS) await flush();
  }
  if (batch.length > 0) await flush();
  return removed;
}
