/**
 * Copies the beginning of a segment. What was copied before is continued when the segment still
 * begins with it; a store that was started anew may have cut it and written other records behind.
 */
import { type FileHandle, open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from '@node-rs/crc32';
import type { BlobRef } from '../../core/ports/blob-store.ts';
import type { BlobLoss } from '../../core/ports/store-backup.ts';
import { realDisk } from '../blobs/disk/real-disk.ts';
import { parsePlace, RECORD_HEADER_BYTES } from '../blobs/disk/segments/segment-format.ts';
import {
  damageBelow,
  type FoundRecord,
  scanSegment,
} from '../blobs/disk/segments/segment-recovery.ts';
import { isErrno } from '../errno.ts';
import { segmentName } from './backup-layout.ts';
import { type CopiedFolders, chunksOf, writeAll } from './copied-file.ts';
import type { ManifestSegment } from './manifest-format.ts';
import { mendRecords } from './mend-records.ts';

export type SegmentSource = {
  readonly segment: number;
  /** The segment's file in the store. */
  readonly path: string;
  /** The end of the last record that the metadata name. */
  readonly endBytes: number;
  /** What the last backup has of it. */
  readonly prior: ManifestSegment | undefined;
  /** Whether that is known to lack something, so that nothing of it is taken as it is. */
  readonly isRetried: boolean;
  /** The records that the metadata name; asked for only when something is damaged. */
  readonly named: () => readonly BlobRef[];
};

export type CopiedSegment = {
  /** `undefined` when there is nothing to copy. */
  readonly entry: ManifestSegment | undefined;
  readonly copiedBytes: number;
  readonly losses: readonly BlobLoss[];
};

export async function copySegment(
  folders: CopiedFolders,
  source: SegmentSource,
  to: { readonly folder: string; readonly number: number },
): Promise<CopiedSegment> {
  let file: FileHandle;
  try {
    file = await open(source.path, 'r');
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return { entry: undefined, copiedBytes: 0, losses: lossesOf(source.named(), 'missing') };
  }
  try {
    return await copyOpen(folders, { ...source, file }, to);
  } finally {
    await file.close();
  }
}

async function copyOpen(
  folders: CopiedFolders,
  source: SegmentSource & { readonly file: FileHandle },
  to: { readonly folder: string; readonly number: number },
): Promise<CopiedSegment> {
  const { size, mtimeMs } = await source.file.stat();
  const facts = { source_bytes: size, source_changed_at: mtimeMs };
  const prior = await standing(to.folder, source.prior);
  const isAsItWas =
    !source.isRetried &&
    prior?.source_bytes === size &&
    prior.source_changed_at === mtimeMs &&
    prior.size_bytes >= source.endBytes;
  if (isAsItWas) return { entry: prior, copiedBytes: 0, losses: [] };
  const isContinued =
    !source.isRetried && prior !== undefined && (await beginsWith(source.file, prior));
  const base = isContinued ? prior : undefined;
  const entry: ManifestSegment = {
    segment: source.segment,
    file: base?.file ?? segmentName(source.segment, to.number),
    ...facts,
    ...(await append(folders, source, { folder: to.folder, number: to.number, base })),
  };
  const copiedBytes = entry.size_bytes - (base?.size_bytes ?? 0);
  if (copiedBytes === 0) return { entry, copiedBytes, losses: [] };
  const path = join(to.folder, entry.file);
  const damaged = await damagedRecords(path, entry, source);
  if (damaged.length === 0) return { entry, copiedBytes, losses: [] };
  // Damage since the last backup: what that still holds whole is put in its place.
  const former =
    base === undefined && prior !== undefined ? join(to.folder, prior.file) : undefined;
  const mended = former === undefined ? [] : await mendRecords({ path, former }, damaged);
  const crc = mended.length === 0 ? entry.crc32 : await crcOf(path, entry.size_bytes);
  const lost = damaged.filter((blob) => !mended.includes(blob));
  return { entry: { ...entry, crc32: crc }, copiedBytes, losses: lossesOf(lost, 'damaged') };
}

/** What the last backup has, if it still has it. */
async function standing(
  folder: string,
  prior: ManifestSegment | undefined,
): Promise<ManifestSegment | undefined> {
  if (prior === undefined) return undefined;
  try {
    const { size } = await stat(join(folder, prior.file));
    return size >= prior.size_bytes ? prior : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function beginsWith(file: FileHandle, prior: ManifestSegment): Promise<boolean> {
  let crc = 0;
  let bytes = 0;
  for await (const chunk of chunksOf(file, { start: 0, end: prior.size_bytes })) {
    crc = crc32(chunk, crc);
    bytes += chunk.length;
  }
  return bytes === prior.size_bytes && crc === prior.crc32;
}

/**
 * Writes only behind what the last manifest names, so that it stays true until there is another.
 */
async function append(
  folders: CopiedFolders,
  source: SegmentSource & { readonly file: FileHandle },
  to: {
    readonly folder: string;
    readonly number: number;
    readonly base: ManifestSegment | undefined;
  },
): Promise<Pick<ManifestSegment, 'size_bytes' | 'crc32'>> {
  let at = to.base?.size_bytes ?? 0;
  let crc = to.base?.crc32 ?? 0;
  await folders.make(to.folder);
  const path = join(to.folder, to.base?.file ?? segmentName(source.segment, to.number));
  const target = await open(path, to.base === undefined ? 'w' : 'r+', 0o600);
  try {
    for await (const chunk of chunksOf(source.file, { start: at, end: source.endBytes })) {
      await writeAll(target, chunk, at);
      crc = crc32(chunk, crc);
      at += chunk.length;
    }
    await target.sync();
  } finally {
    await target.close();
  }
  folders.change(dirname(path));
  return { size_bytes: at, crc32: crc };
}

/** The named records that are not whole in a copy. */
export async function damagedRecords(
  path: string,
  entry: Pick<ManifestSegment, 'segment' | 'size_bytes'>,
  source: Pick<SegmentSource, 'endBytes' | 'named'>,
): Promise<readonly BlobRef[]> {
  const file = await realDisk.openFile(path);
  try {
    const sizeBytes = async () => Math.min(entry.size_bytes, await file.sizeBytes());
    const { records } = await scanSegment({ ...file, sizeBytes }, entry.segment);
    const last = records.at(-1);
    const end = last === undefined ? 0 : last.offset + RECORD_HEADER_BYTES + last.sizeBytes;
    const isWhole = end >= source.endBytes && damageBelow(records, source.endBytes).length === 0;
    return isWhole ? [] : brokenOf(records, source.named());
  } finally {
    await file.close();
  }
}

function brokenOf(records: readonly FoundRecord[], named: readonly BlobRef[]): readonly BlobRef[] {
  const byOffset = new Map(records.map((record) => [record.offset, record]));
  return named.filter(({ blobId, location }) => {
    const offset = parsePlace(location)?.offset;
    const record = offset === undefined ? undefined : byOffset.get(offset);
    return record === undefined || !record.isWhole || record.blobId !== blobId;
  });
}

async function crcOf(path: string, sizeBytes: number): Promise<number> {
  const file = await open(path, 'r');
  try {
    let crc = 0;
    for await (const chunk of chunksOf(file, { start: 0, end: sizeBytes })) {
      crc = crc32(chunk, crc);
    }
    return crc;
  } finally {
    await file.close();
  }
}

function lossesOf(blobs: readonly BlobRef[], reason: BlobLoss['reason']): readonly BlobLoss[] {
  return blobs.map(({ blobId }) => ({ blobId, reason }));
}
