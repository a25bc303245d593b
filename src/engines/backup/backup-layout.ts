/** Where everything is in a backup's directory (docs/formats/backup.md). */
import { join } from 'node:path';
import type { BlobId } from '../../core/ids.ts';
import { blobFileName, blobFolders } from '../blobs/disk/files/blob-file.ts';
import { segmentFileName } from '../blobs/disk/segments/segment-format.ts';

/** What is being written bears this at its end; nothing ever names it. */
export const UNFINISHED = '.new';

export function backupPaths(directory: string) {
  return {
    identity: join(directory, 'PINFOLD-BACKUP'),
    manifest: join(directory, 'MANIFEST.json'),
    blobs: join(directory, 'blobs'),
    segments: join(directory, 'segments'),
    keys: join(directory, 'keys'),
    masterKey: join(directory, 'keys', 'master.key'),
  };
}

export function metadataName(number: number): string {
  return `metadata-${number}.db`;
}

export function segmentName(segment: number, number: number): string {
  return `${segmentFileName(segment)}-${number}`;
}

/** The file of a blob below a folder of blobs, in a backup as in a store. */
export function blobPath(blobs: string, blobId: BlobId): string {
  return join(blobs, ...blobFolders(blobId), blobFileName(blobId));
}
