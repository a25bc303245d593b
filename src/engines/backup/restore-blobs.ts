/** Copies the bytes of a backup into a store that is being restored, and checks them on the way. */

import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobRef } from '../../core/ports/blob-store.ts';
import type { BlobLoss } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import {
  parsePlace,
  RECORD_HEADER_BYTES,
  segmentFileName,
} from '../blobs/disk/segments/segment-format.ts';
import { isErrno } from '../errno.ts';
import type { CopiedBlobs } from '../metadata/sqlite/copied-blobs.ts';
import { backupPaths, blobPath } from './backup-layout.ts';
import { type CopiedFolders, chunksOf, placeFile, writeAll } from './copied-file.ts';
import { copyBlobFile } from './copy-blob-file.ts';
import { damagedRecords } from './copy-segment.ts';
import { eachOf } from './each-of.ts';
import type { Manifest, ManifestSegment } from './manifest-format.ts';

type Deps = {
  readonly rows: CopiedBlobs;
  readonly folders: CopiedFolders;
  /** Of the store. */
  readonly blobDirectory: string;
};

type Source = { readonly directory: string; readonly manifest: Manifest };

export type RestoredBlobs = {
  readonly blobs: number;
  readonly bytes: number;
  readonly losses: readonly BlobLoss[];
};

export async function restoreBlobs(
  deps: Deps,
  source: Source,
  options: UpkeepOptions,
): Promise<RestoredBlobs> {
  const losses: BlobLoss[] = [];
  const ends = new Map<number, number>();
  let blobs = 0;
  let bytes = 0;
  let fileBytes = 0;
  for await (const page of deps.rows.pages()) {
    const files: BlobRef[] = [];
    for (const blob of page) {
      blobs += 1;
      bytes += blob.sizeBytes;
      const place = parsePlace(blob.location);
      if (place === undefined) files.push(blob);
      else {
        const end = place.offset + RECORD_HEADER_BYTES + blob.sizeBytes;
        ends.set(place.segment, Math.max(end, ends.get(place.segment) ?? 0));
      }
    }
    await eachOf(files, options.signal, async (blob) => {
      const { loss } = await copyBlobFile(deps.folders, blob, {
        from: blobPath(backupPaths(source.directory).blobs, blob.blobId),
        to: blobPath(deps.blobDirectory, blob.blobId),
      });
      if (loss !== undefined) losses.push({ blobId: blob.blobId, reason: loss });
      fileBytes += blob.sizeBytes;
      const total = source.manifest.blob_file_bytes;
      options.onProgress({ step: 'blobs', done: fileBytes, total });
    });
  }
  const lost = await restoreSegments(deps, source, { ...options, ends });
  return { blobs, bytes, losses: [...losses, ...lost] };
}

async function restoreSegments(
  deps: Deps,
  { directory, manifest }: Source,
  options: UpkeepOptions & { readonly ends: ReadonlyMap<number, number> },
): Promise<readonly BlobLoss[]> {
  const entries = new Map(manifest.segments.map((entry) => [entry.segment, entry]));
  const total = manifest.segments.reduce((sum, entry) => sum + entry.size_bytes, 0);
  const losses: BlobLoss[] = [];
  let done = 0;
  await eachOf(
    options.ends,
    options.signal,
    async ([segment, endBytes]) => {
      const named = () => deps.rows.locatedAt(`s1.${segment}.`);
      const entry = entries.get(segment);
      const from = join(backupPaths(directory).segments, entry?.file ?? '');
      const to = join(deps.blobDirectory, 'segments', segmentFileName(segment));
      const isCopied = entry !== undefined && (await copyPart(deps.folders, entry, { from, to }));
      const lost = isCopied ? await damagedRecords(to, entry, { endBytes, named }) : named();
      const reason = isCopied ? 'damaged' : 'missing';
      for (const { blobId } of lost) losses.push({ blobId, reason });
      done += entry?.size_bytes ?? 0;
      options.onProgress({ step: 'segments', done, total });
    },
    { atOnce: 1 },
  );
  return losses;
}

/** Copies what of a segment belongs to the backup; answers whether it was there. */
async function copyPart(
  folders: CopiedFolders,
  entry: ManifestSegment,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  let source: Awaited<ReturnType<typeof open>>;
  try {
    source = await open(from, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    await placeFile(folders, to, async (target) => {
      let at = 0;
      for await (const chunk of chunksOf(source, { start: 0, end: entry.size_bytes })) {
        await writeAll(target, chunk, at);
        at += chunk.length;
      }
    });
  } finally {
    await source.close();
  }
  return true;
}
