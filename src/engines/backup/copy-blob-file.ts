/** Copies one blob file, and checks each of its blocks on the way. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { BlobRef } from '../../core/ports/blob-store.ts';
import type { BlobLoss } from '../../core/ports/store-backup.ts';
import { BlockSums, blobFileBytes, decodeFooter } from '../blobs/disk/files/blob-file.ts';
import { isErrno } from '../errno.ts';
import {
  type CopiedFolders,
  chunksOf,
  placeFile,
  SourceUnreadable,
  writeAll,
} from './copied-file.ts';

export type CopiedBlob = {
  readonly bytes: number;
  readonly loss: BlobLoss['reason'] | undefined;
};

/** Whether the blob's file stands at `path` with its length: names appear only when it is whole. */
export async function hasBlobFile(path: string, blob: BlobRef): Promise<boolean> {
  try {
    return (await stat(path)).size === blobFileBytes(blob.sizeBytes);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** What is damaged is copied as it is, for what can still be read of it. */
export async function copyBlobFile(
  folders: CopiedFolders,
  blob: BlobRef,
  paths: { readonly from: string; readonly to: string },
): Promise<CopiedBlob> {
  const source = await openSource(paths.from);
  if (source === undefined) return { bytes: 0, loss: 'missing' };
  try {
    return await placeFile(folders, paths.to, (target) => copyChecked(source, target, blob));
  } catch (error) {
    // Not where the copy cannot be written or synced: that ends the backup.
    if (error instanceof SourceUnreadable) return { bytes: 0, loss: 'damaged' };
    throw error;
  } finally {
    await source.close();
  }
}

async function openSource(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function copyChecked(
  source: FileHandle,
  target: FileHandle,
  blob: BlobRef,
): Promise<CopiedBlob> {
  const expectedBytes = blobFileBytes(blob.sizeBytes);
  const footer = Buffer.alloc(expectedBytes - blob.sizeBytes);
  const sums = new BlockSums();
  let at = 0;
  for await (const chunk of chunksOf(source, { start: 0, end: expectedBytes })) {
    const ofBlob = Math.max(0, Math.min(chunk.length, blob.sizeBytes - at));
    sums.update(chunk.subarray(0, ofBlob));
    chunk.copy(footer, Math.max(0, at - blob.sizeBytes), ofBlob);
    await writeAll(target, chunk, at);
    at += chunk.length;
  }
  const expected = at === expectedBytes ? decodeFooter(footer, blob) : undefined;
  const found = sums.finish();
  const isWhole =
    expected !== undefined &&
    expected.length === found.length &&
    found.every((sum, index) => sum === expected[index]);
  return { bytes: at, loss: isWhole ? undefined : 'damaged' };
}
