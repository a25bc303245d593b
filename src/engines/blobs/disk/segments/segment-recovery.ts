/**
 * What stands in the newest segment after a start: whole records, a tail that no row names (cut),
 * and damage below it (reported, never cut).
 */
import { crc32 } from '@node-rs/crc32';
import type { BlobRef } from '../../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../../core/ports/metadata/objects.ts';
import type { DiskFile } from '../disk-io.ts';
import {
  decodeRecordHeader,
  HEAD_BYTES,
  isHeadOf,
  parsePlace,
  placePrefix,
  RECORD_HEADER_BYTES,
  RECORD_MAGIC_BYTES,
  type RecordHeader,
  type SegmentNumber,
} from './segment-format.ts';

/** A record that was found, whole or not. */
export type FoundRecord = RecordHeader & { readonly offset: number; readonly isWhole: boolean };

export type SegmentScan = {
  readonly hasHead: boolean;
  readonly records: readonly FoundRecord[];
  /** Bytes of the file. */
  readonly sizeBytes: number;
};

/** Memory taken by a scan; the longest record fits into it several times. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Reads a segment from end to end and finds every record header that is whole, also behind damage.
 */
export async function scanSegment(file: DiskFile, segment: SegmentNumber): Promise<SegmentScan> {
  const sizeBytes = await file.sizeBytes();
  const head = Buffer.alloc(HEAD_BYTES);
  const hasHead = (await file.read(head, 0)) === HEAD_BYTES && isHeadOf(head, segment);
  const records: FoundRecord[] = [];
  const window = Buffer.allocUnsafe(Math.min(WINDOW_BYTES, Math.max(1, sizeBytes)));
  let offset = HEAD_BYTES;
  let windowStart = -1;
  let filled = 0;
  while (offset + RECORD_HEADER_BYTES <= sizeBytes) {
    const isInside = windowStart >= 0 && offset >= windowStart;
    if (
      !isInside ||
      !holdsRecord(window, offset - windowStart, filled, windowStart + filled === sizeBytes)
    ) {
      windowStart = offset;
      filled = await file.read(window, offset);
      if (filled < RECORD_HEADER_BYTES) break;
    }
    const at = offset - windowStart;
    const header = decodeRecordHeader(window.subarray(0, filled), at);
    if (header === undefined) {
      // Damage or a torn tail: whatever comes next begins with the magic.
      const next = window.subarray(0, filled).indexOf(RECORD_MAGIC_BYTES, at + 1);
      offset = next >= 0 ? windowStart + next : windowStart + Math.max(at + 1, filled - 3);
      continue;
    }
    const start = at + RECORD_HEADER_BYTES;
    const bytes = window.subarray(start, Math.min(filled, start + header.sizeBytes));
    const isWhole = bytes.length === header.sizeBytes && crc32(bytes) === header.crc;
    records.push({ ...header, offset, isWhole });
    offset += isWhole ? RECORD_HEADER_BYTES + header.sizeBytes : RECORD_HEADER_BYTES;
  }
  return { hasHead, records, sizeBytes };
}

/** Whether the record at `at` stands in the window with all its bytes, or can stand no further. */
function holdsRecord(window: Buffer, at: number, filled: number, isAtEnd: boolean): boolean {
  if (isAtEnd) return true;
  if (at + RECORD_HEADER_BYTES > filled) return false;
  const header = decodeRecordHeader(window.subarray(0, filled), at);
  return header === undefined || at + RECORD_HEADER_BYTES + header.sizeBytes <= filled;
}

export type RecoveredSegment = {
  /** Where the next record goes; whatever is behind it is to be cut. */
  readonly endBytes: number;
  readonly liveBytes: number;
  /** Places below the end where no whole record stands: corruption. */
  readonly damagedOffsets: readonly number[];
};

/** A record as its row names it. */
export type NamedPlace = { readonly blob: BlobRef; readonly offset: number };

/** What rows say stands in a segment; it reads every row. */
export async function namedPlaces(
  rows: Pick<BlobRows, 'listBlobsAt'>,
  segment: SegmentNumber,
): Promise<readonly NamedPlace[]> {
  const blobs = await rows.listBlobsAt(placePrefix(segment));
  return blobs.flatMap((blob) => {
    const place = parsePlace(blob.location);
    return place === undefined ? [] : [{ blob, offset: place.offset }];
  });
}

/**
 * Decides where a segment ends: behind the last record that a row names, whatever stands there. A
 * place that a row names and that holds no whole record of that blob is damage.
 */
export function recoverSegment(scan: SegmentScan, named: readonly NamedPlace[]): RecoveredSegment {
  const found = new Map(scan.records.map((record) => [record.offset, record]));
  const damagedOffsets: number[] = scan.hasHead || named.length === 0 ? [] : [0];
  let endBytes = HEAD_BYTES;
  let liveBytes = 0;
  for (const { blob, offset } of named) {
    const bytes = RECORD_HEADER_BYTES + blob.sizeBytes;
    const record = found.get(offset);
    const isThere =
      record?.isWhole === true &&
      record.blobId === blob.blobId &&
      record.sizeBytes === blob.sizeBytes;
    if (!isThere) damagedOffsets.push(offset);
    liveBytes += bytes;
    endBytes = Math.max(endBytes, offset + bytes);
  }
  return { endBytes, liveBytes, damagedOffsets: damagedOffsets.sort((one, other) => one - other) };
}

/** Gaps between whole records, below `endBytes`. */
export function damageBelow(records: readonly FoundRecord[], endBytes: number): readonly number[] {
  const damaged: number[] = [];
  let expected = HEAD_BYTES;
  for (const record of records) {
    if (record.offset >= endBytes) break;
    if (record.offset !== expected) damaged.push(expected);
    else if (!record.isWhole) damaged.push(record.offset);
    expected = record.offset + RECORD_HEADER_BYTES + record.sizeBytes;
  }
  return damaged;
}
