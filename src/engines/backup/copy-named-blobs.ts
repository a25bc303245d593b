/** Copies into a backup all bytes that its metadata name and that it does not hold yet. */
import { join } from 'node:path';
import type { BlobRef } from '../../core/ports/blob-store.ts';
import type { BlobLoss } from '../../core/ports/store-backup.ts';
import type { UpkeepOptions } from '../../core/ports/upkeep-progress.ts';
import { FILE_LOCATION } from '../blobs/disk/files/blob-file.ts';
import {
  parsePlace,
  RECORD_HEADER_BYTES,
  segmentFileName,
} from '../blobs/disk/segments/segment-format.ts';
import type { CopiedBlobs } from '../metadata/sqlite/copied-blobs.ts';
import { backupPaths, blobPath } from './backup-layout.ts';
import type { CopiedFolders } from './copied-file.ts';
import { copyBlobFile, hasBlobFile } from './copy-blob-file.ts';
import { copySegment } from './copy-segment.ts';
import { eachOf } from './each-of.ts';
import type { Manifest, ManifestSegment } from './manifest-format.ts';

export type CopiedNamed = {
  readonly blobs: number;
  readonly files: number;
  readonly fileBytes: number;
  readonly blobBytes: number;
  readonly segments: readonly ManifestSegment[];
  readonly copiedBytes: number;
  readonly reusedBytes: number;
  readonly losses: readonly BlobLoss[];
};

type Deps = {
  readonly rows: CopiedBlobs;
  readonly folders: CopiedFolders;
  /** Of the store. */
  readonly blobDirectory: string;
  /** Of the backup. */
  readonly directory: string;
};

type Run = { readonly prior: Manifest | undefined; readonly number: number };

export async function copyNamedBlobs(
  deps: Deps,
  run: Run,
  options: UpkeepOptions,
): Promise<CopiedNamed> {
  const losses: BlobLoss[] = [];
  const sums = { blobs: 0, blobBytes: 0, files: 0, fileBytes: 0, copiedBytes: 0, reusedBytes: 0 };
  const totalBytes = await deps.rows.sizeAt(FILE_LOCATION);
  const lost = new Set(run.prior?.damaged.map(({ blob_id: blobId }) => blobId));
  const ends = new Map<number, number>();
  const retried = new Set<number>();
  for await (const page of deps.rows.pages()) {
    const files: BlobRef[] = [];
    for (const blob of page) {
      sums.blobs += 1;
      sums.blobBytes += blob.sizeBytes;
      const place = parsePlace(blob.location);
      if (place === undefined) files.push(blob);
      else {
        const end = place.offset + RECORD_HEADER_BYTES + blob.sizeBytes;
        ends.set(place.segment, Math.max(end, ends.get(place.segment) ?? 0));
        if (lost.has(blob.blobId)) retried.add(place.segment);
      }
    }
    await eachOf(files, options.signal, async (blob) => {
      const isHeld = !lost.has(blob.blobId);
      const { bytes, loss } = await copyFile(deps, blob, { isHeld });
      sums.files += 1;
      sums.fileBytes += blob.sizeBytes;
      sums.copiedBytes += bytes;
      if (bytes === 0 && loss === undefined) sums.reusedBytes += blob.sizeBytes;
      if (loss !== undefined) losses.push({ blobId: blob.blobId, reason: loss });
      options.onProgress({ step: 'blobs', done: sums.fileBytes, total: totalBytes });
    });
  }
  const copied = await copySegments(deps, { ...run, ends, retried }, options);
  return {
    ...sums,
    segments: copied.entries,
    copiedBytes: sums.copiedBytes + copied.copiedBytes,
    reusedBytes: sums.reusedBytes + copied.reusedBytes,
    losses: [...losses, ...copied.losses],
  };
}

async function copyFile(
  { folders, blobDirectory, directory }: Deps,
  blob: BlobRef,
  { isHeld }: { readonly isHeld: boolean },
) {
  const to = blobPath(backupPaths(directory).blobs, blob.blobId);
  if (isHeld && (await hasBlobFile(to, blob))) return { bytes: 0, loss: undefined };
  return await copyBlobFile(folders, blob, { from: blobPath(blobDirectory, blob.blobId), to });
}

async function copySegments(
  { rows, folders, blobDirectory, directory }: Deps,
  run: Run & {
    /** How far the metadata name each segment. */
    readonly ends: ReadonlyMap<number, number>;
    /** Those of which the last backup lost something. */
    readonly retried: ReadonlySet<number>;
  },
  { signal, onProgress }: UpkeepOptions,
) {
  const { segments: folder } = backupPaths(directory);
  const priors = new Map(run.prior?.segments.map((entry) => [entry.segment, entry]));
  const totalBytes = [...run.ends.values()].reduce((sum, end) => sum + end, 0);
  const entries: ManifestSegment[] = [];
  const losses: BlobLoss[] = [];
  let copiedBytes = 0;
  let done = 0;
  const inOrder = [...run.ends].sort(([one], [other]) => one - other);
  await eachOf(
    inOrder,
    signal,
    async ([segment, endBytes]) => {
      const source = {
        segment,
        path: join(blobDirectory, 'segments', segmentFileName(segment)),
        endBytes,
        prior: priors.get(segment),
        isRetried: run.retried.has(segment),
        named: () => rows.locatedAt(`s1.${segment}.`),
      };
      const copied = await copySegment(folders, source, { folder, number: run.number });
      if (copied.entry !== undefined) entries.push(copied.entry);
      losses.push(...copied.losses);
      copiedBytes += copied.copiedBytes;
      done += endBytes;
      onProgress({ step: 'segments', done, total: totalBytes });
    },
    { atOnce: 1 },
  );
  const heldBytes = entries.reduce((sum, entry) => sum + entry.size_bytes, 0);
  return { entries, losses, copiedBytes, reusedBytes: heldBytes - copiedBytes };
}
