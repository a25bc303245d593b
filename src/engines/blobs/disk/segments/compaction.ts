/**
 * Compaction: what is alive in a segment that is over half dead moves to the newest one, and the
 * old file goes. Readers that had it open finish on the unlinked file.
 */

import type { BlobRef } from '../../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../../core/ports/metadata/objects.ts';
import type { Segment } from './segment.ts';
import {
  formatPlace,
  HEAD_BYTES,
  RECORD_HEADER_BYTES,
  type SegmentNumber,
} from './segment-format.ts';
import {
  damageBelow,
  type FoundRecord,
  namedPlaces,
  recoverSegment,
  type SegmentScan,
  scanSegment,
} from './segment-recovery.ts';
import type { SegmentSet } from './segment-set.ts';

export type CompactionDeps = {
  readonly segments: SegmentSet;
  readonly rows: Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'moveBlobs'>;
  readonly onDamage: (segment: SegmentNumber, offsets: readonly number[]) => void;
  /** While it is, every segment stays. */
  readonly isHeld: () => boolean;
};

/** Records moved between two looks at the signal; also the rows of one transaction. */
const BATCH_RECORDS = 64;

/** Compacts every sealed segment that is over half dead. Answers the bytes that were freed. */
export async function compactSegments(
  deps: CompactionDeps,
  options: { readonly signal: AbortSignal },
): Promise<number> {
  let freed = 0;
  for (const segment of deps.segments.sealed) {
    if (options.signal.aborted || deps.isHeld()) break;
    const recordBytes = segment.endBytes - HEAD_BYTES;
    const isHalfDead = segment.liveBytes * 2 < recordBytes || recordBytes === 0;
    if (!isHalfDead || segment.unpublished > 0) continue;
    freed += await compactSegment(deps, segment, options.signal);
  }
  return freed;
}

async function compactSegment(
  deps: CompactionDeps,
  segment: Segment,
  signal: AbortSignal,
): Promise<number> {
  await segment.lease();
  let movedBytes = 0;
  try {
    const scan = await scanSegment(await segment.file(), segment.number);
    const { records } = scan;
    const lost = await lostRecords(deps, segment, scan);
    if (lost.length > 0) {
      // What a row names and cannot be read is reported, never thrown away.
      deps.onDamage(segment.number, lost);
      return 0;
    }
    for (let at = 0; at < records.length; at += BATCH_RECORDS) {
      if (signal.aborted) return 0;
      const batch = records.slice(at, at + BATCH_RECORDS);
      movedBytes += await moveLive(deps, segment, batch);
    }
    // A hold that began meanwhile may go by rows that still name this segment.
    if ((await isNamed(deps, segment, records)) || deps.isHeld()) return 0;
    await deps.segments.remove(segment);
  } finally {
    await segment.release();
  }
  return segment.endBytes - movedBytes;
}

/**
 * Where rows name records that are not there whole. Gaps alone are no loss (a write that failed
 * leaves them); only they make it worth to read every row.
 */
async function lostRecords(
  deps: CompactionDeps,
  segment: Segment,
  scan: SegmentScan,
): Promise<readonly number[]> {
  if (damageBelow(scan.records, segment.endBytes).length === 0) return [];
  return recoverSegment(scan, await namedPlaces(deps.rows, segment.number)).damagedOffsets;
}

/** Appends what rows name, then changes the rows; answers the bytes that moved. */
async function moveLive(
  deps: CompactionDeps,
  segment: Segment,
  batch: readonly FoundRecord[],
): Promise<number> {
  const live = await namedIn(deps, segment, batch);
  const moved = await Promise.allSettled(
    live.map(async ({ blob, offset }) => {
      const bytes = await segment.readRecord(blob, offset);
      return { blob, appended: await deps.segments.append(blob.blobId, bytes) };
    }),
  );
  const copies = moved.flatMap((copy) => (copy.status === 'fulfilled' ? [copy.value] : []));
  try {
    const changed = new Set(
      await deps.rows.moveBlobs(
        copies.map(({ blob, appended }) => ({
          blobId: blob.blobId,
          from: blob.location,
          to: appended.location,
        })),
      ),
    );
    // A lost compare-and-set leaves its copy as dead bytes.
    for (const { blob, appended } of copies) {
      if (changed.has(blob.blobId)) deps.segments.drop(blob);
      else deps.segments.drop({ ...blob, location: appended.location });
    }
  } finally {
    for (const { appended } of copies) appended.segment.unpublished -= 1;
  }
  return copies.reduce((sum, { blob }) => sum + RECORD_HEADER_BYTES + blob.sizeBytes, 0);
}

/** The records of `batch` that rows name at this very place. */
async function namedIn(
  deps: CompactionDeps,
  segment: Segment,
  batch: readonly FoundRecord[],
): Promise<readonly { readonly blob: BlobRef; readonly offset: number }[]> {
  const rows = await deps.rows.findBlobs(batch.map((record) => record.blobId));
  const byId = new Map(rows.map((blob) => [blob.blobId, blob]));
  return batch.flatMap(({ blobId, offset }) => {
    const blob = byId.get(blobId);
    const isHere = blob?.location === formatPlace({ segment: segment.number, offset });
    return blob !== undefined && isHere ? [{ blob, offset }] : [];
  });
}

async function isNamed(
  deps: CompactionDeps,
  segment: Segment,
  records: readonly FoundRecord[],
): Promise<boolean> {
  for (let at = 0; at < records.length; at += BATCH_RECORDS) {
    if ((await namedIn(deps, segment, records.slice(at, at + BATCH_RECORDS))).length > 0)
      return true;
  }
  return false;
}
