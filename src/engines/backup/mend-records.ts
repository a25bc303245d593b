/** Puts records that an older copy of a segment holds whole in the place of damaged ones. */
import { type FileHandle, open } from 'node:fs/promises';
import { isServiceError } from '../../core/errors.ts';
import type { BlobRef } from '../../core/ports/blob-store.ts';
import { checkRecord } from '../blobs/disk/segments/segment.ts';
import { parsePlace, RECORD_HEADER_BYTES } from '../blobs/disk/segments/segment-format.ts';
import { writeAll } from './copied-file.ts';

/** Answers those that are whole now, durably. */
export async function mendRecords(
  paths: { readonly path: string; readonly former: string },
  damaged: readonly BlobRef[],
): Promise<readonly BlobRef[]> {
  const former = await open(paths.former, 'r');
  try {
    const target = await open(paths.path, 'r+');
    try {
      const mended: BlobRef[] = [];
      for (const blob of damaged) if (await mend(former, target, blob)) mended.push(blob);
      await target.sync();
      return mended;
    } finally {
      await target.close();
    }
  } finally {
    await former.close();
  }
}

async function mend(former: FileHandle, target: FileHandle, blob: BlobRef): Promise<boolean> {
  const place = parsePlace(blob.location);
  if (place === undefined) return false;
  const record = Buffer.alloc(RECORD_HEADER_BYTES + blob.sizeBytes);
  const { bytesRead } = await former.read(record, 0, record.length, place.offset);
  try {
    checkRecord(blob, record, bytesRead);
  } catch (error) {
    if (!isServiceError(error, 'corrupt')) throw error;
    return false;
  }
  await writeAll(target, record, place.offset);
  return true;
}
