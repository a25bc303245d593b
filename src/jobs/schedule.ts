/** Which jobs run, and how often. */
import { sweepIdentity } from '../core/identity/sweep-identity.ts';
import { sweepUploads } from '../core/objects/multipart/sweep-uploads.ts';
import type { BlobStore } from '../core/ports/blob-store.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Digesters } from '../core/ports/digesters.ts';
import type { Metadata } from '../core/ports/metadata/metadata.ts';
import type { Metrics } from '../observe/metrics.ts';
import { ObjectHasher } from './hash-objects.ts';
import type { Job } from './runner.ts';
import type { StoredBytes } from './stored-bytes.ts';
import { sweepDeadBlobs } from './sweep-blobs.ts';
import { sweepOperations } from './sweep-operations.ts';
import type { UsageBuffer } from './usage-buffer.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;

/** Longer than bytes of another process may wait for their row; one's own are leased. */
export const ORPHAN_GRACE_MS = 60 * MINUTE_MS;

export type JobDeps = {
  readonly metadata: Metadata;
  readonly blobs: BlobStore;
  readonly clock: Clock;
  readonly digesters: Digesters;
  /** How long a multipart upload may stand without a new part; `undefined`: for ever. */
  readonly uploadLifeMs: number | undefined;
  readonly usage: UsageBuffer;
  readonly storedBytes: StoredBytes;
  readonly metrics: Metrics;
  readonly reserve: { fill(): Promise<void> };
};

export function jobsOf(deps: JobDeps): readonly Job[] {
  const hasher = new ObjectHasher(deps);
  return [
    { name: 'usage', everyMs: SECOND_MS, run: () => deps.usage.flush() },
    {
      name: 'dead-blobs',
      everyMs: 2 * SECOND_MS,
      run: async (signal) => void (await sweepDeadBlobs(deps, { signal })),
    },
    {
      name: 'stored-bytes',
      everyMs: 15 * SECOND_MS,
      run: async () => {
        await deps.storedBytes.refresh();
        deps.metrics.setStoredBytes(Number(deps.storedBytes.storedBytes()));
      },
    },
    { name: 'disk-reserve', everyMs: 30 * SECOND_MS, run: () => deps.reserve.fill() },
    {
      name: 'operations',
      everyMs: 10 * MINUTE_MS,
      run: (signal) => sweepOperations(deps, { signal }),
    },
    {
      name: 'uploads',
      everyMs: 10 * MINUTE_MS,
      run: async (signal) => void (await sweepUploads(deps, { signal })),
    },
    {
      name: 'content-hashes',
      everyMs: 5 * SECOND_MS,
      run: async (signal) => void (await hasher.run({ signal })),
    },
    {
      name: 'identity',
      everyMs: 10 * MINUTE_MS,
      run: async (signal) => void (await sweepIdentity(deps, { signal })),
    },
    {
      name: 'orphan-blobs',
      everyMs: 60 * MINUTE_MS,
      firstAfterMs: SECOND_MS,
      run: async (signal) => void (await deps.blobs.sweep({ graceMs: ORPHAN_GRACE_MS, signal })),
    },
    {
      name: 'compaction',
      everyMs: 10 * SECOND_MS,
      // It counts first what is alive; what died before the start need not wait.
      firstAfterMs: SECOND_MS,
      run: async (signal) => deps.metrics.countFreed(await deps.blobs.compact({ signal })),
    },
  ];
}
