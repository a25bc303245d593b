/** Reads every segment from end to end and says what is dead in it and what is damaged. */
import type { KeptBytes } from '../../../../core/ports/blob-store.ts';
import { isErrno } from '../../../errno.ts';
import type { Segment } from './segment.ts';
import { HEAD_BYTES, segmentFileName } from './segment-format.ts';
import { damageBelow, scanSegment } from './segment-recovery.ts';
import type { SegmentSet } from './segment-set.ts';

export async function* inspectSegments(
  segments: SegmentSet,
  signal: AbortSignal,
): AsyncGenerator<KeptBytes> {
  await segments.recount(signal);
  for (const segment of segments.all) {
    if (signal.aborted) return;
    const found = await inspectSegment(segment);
    if (found !== undefined) yield found;
    // Its file is gone. Compaction takes a segment out of the set before it unlinks it.
    else if (segments.all.includes(segment)) yield { ...factsOf(segment), damagedAt: [0] };
  }
}

/** `undefined` when its file is gone. */
async function inspectSegment(segment: Segment): Promise<KeptBytes | undefined> {
  try {
    await segment.lease();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return undefined;
  }
  try {
    // What is written from now on is behind this end, and may be half there.
    const { endBytes } = segment;
    const scan = await scanSegment(await segment.file(), segment.number);
    const damaged = damageBelow(scan.records, endBytes);
    return { ...factsOf(segment), damagedAt: scan.hasHead ? damaged : [0, ...damaged] };
  } finally {
    await segment.release();
  }
}

function factsOf(segment: Segment) {
  return {
    kind: 'segment' as const,
    name: segmentFileName(segment.number),
    sizeBytes: segment.endBytes,
    deadBytes: Math.max(0, segment.endBytes - HEAD_BYTES - segment.liveBytes),
  };
}
