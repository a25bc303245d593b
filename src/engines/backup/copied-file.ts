/**
 * Files of a copy: private, synced before they bear their name, their folders synced in the end.
 */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BackupError } from '../../core/ports/store-backup.ts';
import { makeDirectoryDurably, syncDirectory } from '../data-directory/durable-file.ts';
import { isErrno } from '../errno.ts';
import { UNFINISHED } from './backup-layout.ts';

const COPY_CHUNK_BYTES = 1024 * 1024;

/** Folders whose entries were changed and are not synced yet. */
export class CopiedFolders {
  readonly #made = new Set<string>();
  readonly #changed = new Set<string>();

  async make(folder: string): Promise<void> {
    if (this.#made.has(folder)) return;
    await makeDirectoryDurably(folder);
    this.#made.add(folder);
  }

  change(folder: string): void {
    this.#changed.add(folder);
  }

  async sync(): Promise<void> {
    for (const folder of this.#changed) await syncDirectory(folder);
    this.#changed.clear();
  }
}

/**
 * Writes a file under another name and gives it its own once it is whole and synced; the caller
 * syncs the folder. When `write` throws, `path` is as it was.
 */
export async function placeFile<T>(
  folders: CopiedFolders,
  path: string,
  write: (file: FileHandle) => Promise<T>,
): Promise<T> {
  await folders.make(dirname(path));
  const file = await open(`${path}${UNFINISHED}`, 'w', 0o600);
  let result: T;
  try {
    result = await write(file);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}${UNFINISHED}`, path);
  folders.change(dirname(path));
  return result;
}

/** The disk could not read what it should copy. */
export class SourceUnreadable extends Error {
  constructor(cause: unknown) {
    super('The disk cannot read a file that is to be copied.', { cause });
    this.name = 'SourceUnreadable';
  }
}

/**
 * Reads `[start, end)` in chunks that are only valid until the next; ends early with the file.
 * Throws `SourceUnreadable` for what the disk itself cannot read.
 */
export async function* chunksOf(
  file: FileHandle,
  { start, end }: { readonly start: number; readonly end: number },
): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(1, Math.min(COPY_CHUNK_BYTES, end - start)));
  let at = start;
  while (at < end) {
    const { bytesRead } = await readOrSay(file, buffer.subarray(0, end - at), at);
    if (bytesRead === 0) return;
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function readOrSay(file: FileHandle, buffer: Buffer, position: number) {
  try {
    return await file.read(buffer, 0, buffer.length, position);
  } catch (error) {
    throw isErrno(error, 'EIO') ? new SourceUnreadable(error) : error;
  }
}

/** Writes all of `bytes`; a short write is legal. */
export async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const rest = bytes.subarray(written);
    written += (await file.write(rest, 0, rest.length, position + written)).bytesWritten;
  }
}

/** Says a full disk in words of its own; the disk is that of `directory`. */
export function translateCopyError(error: unknown, directory: string): unknown {
  if (!isErrno(error, 'ENOSPC') && !isErrno(error, 'EDQUOT')) return error;
  return new BackupError('backup_disk_full', {
    message: `The disk of ${directory} is full.`,
    remedy: 'Make room there, or name a directory on another disk, and run it again.',
    cause: error,
  });
}
