/**
 * What a row adds to the two sums of its account: `storedBytes`, which is shown and billed, and
 * `countedBytes`, by which quotas are judged (decision 0020). Pure: engines keep the sums by these
 * functions, `verify` recounts by them, and a row without bytes is not free of charge in either.
 */
import type { ObjectKey } from '../../ids.ts';
import type { MultipartUpload, UploadPart } from '../multipart/upload.ts';
import type { ObjectDescription, ObjectVersion } from '../object.ts';

export type Footprint = { readonly storedBytes: number; readonly countedBytes: number };

/** What a row, with its places in indexes, counts at least. */
const ROW_BYTES_COUNTED = 1024;

/**
 * `describedBytes`: what name, content type, headers, metadata and tags take in the row. They are
 * within what every row counts, as far as they fit there.
 */
export function footprint(sizeBytes: number, describedBytes: number): Footprint {
  const rowBytes = Math.max(ROW_BYTES_COUNTED, describedBytes);
  return { storedBytes: sizeBytes, countedBytes: sizeBytes + rowBytes };
}

type DescribedVersion = Pick<ObjectVersion, 'key' | 'sizeBytes'> & Description;

export function versionFootprint(version: DescribedVersion): Footprint {
  return footprint(version.sizeBytes, describedBytes(version.key, version));
}

/** Of an open upload without its parts; a completed or aborted one has none. */
export function uploadFootprint(
  upload: Pick<MultipartUpload, 'key'> & { readonly description: Description },
): Footprint {
  return footprint(0, describedBytes(upload.key, upload.description));
}

export function partFootprint({ sizeBytes }: Pick<UploadPart, 'sizeBytes'>): Footprint {
  return footprint(sizeBytes, 0);
}

/** What an account's sums change by when rows come and go. */
export function footprintChange(rows: {
  readonly added: readonly Footprint[];
  readonly removed: readonly (Footprint | undefined)[];
}): Footprint {
  let storedBytes = 0;
  let countedBytes = 0;
  for (const each of rows.added) {
    storedBytes += each.storedBytes;
    countedBytes += each.countedBytes;
  }
  for (const each of rows.removed) {
    if (each === undefined) continue;
    storedBytes -= each.storedBytes;
    countedBytes -= each.countedBytes;
  }
  return { storedBytes, countedBytes };
}

type Description = Pick<ObjectDescription, 'contentType' | 'headers' | 'userMetadata' | 'tags'>;

/** The octets of the row's columns; `MetadataSnapshot` answers the same sum. */
export function describedBytes(key: ObjectKey, description: Description): number {
  return (
    Buffer.byteLength(key) +
    Buffer.byteLength(description.contentType) +
    recordBytes(description.headers) +
    recordBytes(description.userMetadata) +
    recordBytes(description.tags)
  );
}

/** A record is kept as JSON, an empty one not at all (docs/formats/schema.md). */
function recordBytes(record: Readonly<Record<string, string>>): number {
  for (const _name in record) return Buffer.byteLength(JSON.stringify(record));
  return 0;
}
