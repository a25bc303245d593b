/** Small files that are there whole or not at all, also after a power cut. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../errno.ts';

/**
 * Puts `text` in place of `file`, readable by its owner only. A crash leaves the old file, or none,
 * and perhaps a `.new` file that the next write replaces.
 */
export async function writeFileDurably(file: string, text: string): Promise<void> {
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', 0o600);
  try {
    // NOTE: a `.new` file left by a crash keeps its own mode when it is opened again.
    await handle.chmod(0o600);
    await handle.writeFile(text, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(fresh, file);
  await syncDirectory(dirname(file));
}

/**
 * Makes `directory` and its missing parents for their owner only, and their entries durable.
 * NOTE: Node's own recursive call never returns where the system refuses with ENOENT (below /proc).
 */
export async function makeDirectoryDurably(directory: string): Promise<void> {
  try {
    await makeOneDirectory(directory);
  } catch (error) {
    const parent = dirname(directory);
    if (!isErrno(error, 'ENOENT') || parent === directory) throw error;
    await makeDirectoryDurably(parent);
    await makeOneDirectory(directory);
  }
}

/** Leaves what stands there already, be it a directory or not. */
async function makeOneDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { mode: 0o700 });
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return;
    throw error;
  }
  await syncDirectory(dirname(directory));
}

/**
 * A folder could not be opened to be synced, for want of descriptors for one: nothing is durable,
 * and nothing is lost. Any other failure of a sync is the system's answer to the sync itself.
 */
export class SyncUnreached extends Error {
  constructor(path: string, cause: unknown) {
    super(`${path} could not be opened to be synced.`, { cause });
    this.name = 'SyncUnreached';
  }
}

/**
 * Makes the entries of `directory` durable. Throws `SyncUnreached` when it did not come to that.
 */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows opens no directories; its file systems log such changes in order.
  if (process.platform === 'win32') return;
  const handle = await openFolder(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function openFolder(directory: string): Promise<FileHandle> {
  try {
    return await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw new SyncUnreached(directory, error);
  }
}
