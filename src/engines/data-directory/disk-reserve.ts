/**
 * Room that is given up when the disk is full, so that deleting still works: a delete has to be
 * written down before it can free anything. What else fills the disk heeds no floor of ours.
 */
import { open, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../errno.ts';

/** The log entries of a thousand deletes and more. */
const RESERVE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

export class DiskReserve {
  readonly #file: string;
  readonly #minFreeBytes: number;

  /**
   * `file` is on the disk that the metadata is on; it is made while more than the floor stays free.
   */
  constructor(options: { readonly file: string; readonly minFreeBytes: number }) {
    this.#file = options.file;
    this.#minFreeBytes = options.minFreeBytes;
  }

  /** Makes the reserve when it is not whole and the disk has room; to be called again and again. */
  async fill(): Promise<void> {
    if ((await this.#sizeBytes()) === RESERVE_BYTES) return;
    const { bavail, bsize } = await statfs(dirname(this.#file));
    if (bavail * bsize < this.#minFreeBytes + 2 * RESERVE_BYTES) return;
    await using file = await open(this.#file, 'w', 0o600);
    // Written, not only announced: a hole takes no room that could be given up.
    const chunk = Buffer.alloc(CHUNK_BYTES, 1);
    for (let at = 0; at < RESERVE_BYTES; at += CHUNK_BYTES)
      await file.write(chunk, 0, CHUNK_BYTES, at);
    await file.datasync();
  }

  async giveUp(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  async #sizeBytes(): Promise<number> {
    try {
      return (await stat(this.#file)).size;
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return 0;
      throw error;
    }
  }
}
