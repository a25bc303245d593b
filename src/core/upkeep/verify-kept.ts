/**
 * Looks through what the blob store keeps: for bytes that no row names, and for damaged segments.
 */
import { isServiceError, ServiceError } from '../errors.ts';
import type { BlobId } from '../ids.ts';
import type { BlobRef, BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { BlobRows } from '../ports/metadata/objects.ts';
import type { Snapshots } from '../ports/metadata/snapshot.ts';
import type { UpkeepOptions } from '../ports/upkeep-progress.ts';
import type { Findings } from './finding.ts';

export type VerifyKeptDeps = {
  readonly metadata: Pick<BlobRows, 'findBlobs'> & Snapshots;
  readonly blobs: Pick<BlobStore, 'inspect' | 'open'>;
  readonly clock: Pick<Clock, 'now'>;
};

export type CheckedKept = {
  readonly segments: number;
  readonly segmentBytes: number;
  readonly deadBytes: number;
  /** Bytes without a row, too young to be called an orphan: the sweeper will take them. */
  readonly unpublished: number;
};

const PAGE_BLOBS = 500;

export async function verifyKept(
  deps: VerifyKeptDeps,
  input: { readonly findings: Findings; readonly orphanGraceMs: number },
  { signal, onProgress }: UpkeepOptions,
): Promise<CheckedKept> {
  const oldest = deps.clock.now() - input.orphanGraceMs;
  const segments = { segments: 0, segmentBytes: 0, deadBytes: 0 };
  const unnamed = new Map<BlobId, BlobRef>();
  let page: BlobRef[] = [];
  const keepUnnamed = async () => {
    const rows = await deps.metadata.findBlobs(page.map(({ blobId }) => blobId));
    const named = new Set(rows.map(({ blobId }) => blobId));
    for (const blob of page) if (!named.has(blob.blobId)) unnamed.set(blob.blobId, blob);
    page = [];
  };
  const young = new Set<BlobId>();
  let done = 0;
  for await (const kept of deps.blobs.inspect({ signal })) {
    done += 1;
    onProgress({ step: 'kept', done, total: undefined });
    if (kept.kind === 'segment') {
      segments.segments += 1;
      segments.segmentBytes += kept.sizeBytes;
      segments.deadBytes += kept.deadBytes;
      addDamage(kept, input.findings);
      continue;
    }
    if (kept.changedAt > oldest) young.add(kept.blob.blobId);
    page.push(kept.blob);
    if (page.length === PAGE_BLOBS) await keepUnnamed();
  }
  await keepUnnamed();
  if (signal.aborted) throw new ServiceError('aborted', 'The verification was stopped.');
  const orphans = await withoutRows(deps, unnamed);
  for (const { blobId, sizeBytes, location } of orphans) {
    if (young.has(blobId)) continue;
    const detail = `no row names its ${sizeBytes} bytes (${location})`;
    input.findings.add({ kind: 'orphan', subject: `blob ${blobId}`, detail, blobId });
  }
  const unpublished = orphans.filter(({ blobId }) => young.has(blobId)).length;
  return { ...segments, unpublished };
}

/**
 * Those of `unnamed` that no dead row names either and that are still there. Bytes go before their
 * row is forgotten, so what had a row when it was listed is gone if it has none now.
 */
async function withoutRows(
  deps: VerifyKeptDeps,
  unnamed: ReadonlyMap<BlobId, BlobRef>,
): Promise<readonly BlobRef[]> {
  if (unnamed.size === 0) return [];
  const rest = new Map(unnamed);
  await deps.metadata.snapshot(async (snapshot) => {
    for await (const rows of snapshot.blobs()) {
      for (const { blobId } of rows) rest.delete(blobId);
    }
  });
  const found: BlobRef[] = [];
  for (const blob of rest.values()) if (await isThere(deps, blob)) found.push(blob);
  return found;
}

async function isThere({ blobs }: Pick<VerifyKeptDeps, 'blobs'>, blob: BlobRef): Promise<boolean> {
  try {
    await (await blobs.open(blob)).close();
    return true;
  } catch (error) {
    if (isServiceError(error, 'object_not_found')) return false;
    if (isServiceError(error, 'corrupt')) return true;
    throw error;
  }
}

/** Offsets that one finding names. */
const OFFSETS_SHOWN_MAX = 20;

function addDamage(
  segment: { readonly name: string; readonly damagedAt: readonly number[] },
  findings: Findings,
): void {
  const { name, damagedAt } = segment;
  if (damagedAt.length === 0) return;
  const shown = damagedAt.slice(0, OFFSETS_SHOWN_MAX).join(', ');
  const more = damagedAt.length > OFFSETS_SHOWN_MAX ? ' and more' : '';
  const detail = `no whole record stands at ${shown}${more}`;
  findings.add({ kind: 'segment_damaged', subject: `segment ${name}`, detail });
}
