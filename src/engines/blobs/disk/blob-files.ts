/** The blobs that have a file of their own (docs/formats/blob-file.md). */
import { dirname, join } from 'node:path';
import type { BlobId, TimeMs } from '../../../core/ids.ts';
import type { BlobReader, BlobRef } from '../../../core/ports/blob-store.ts';
import { isErrno } from '../../errno.ts';
import {
  blobFileName,
  blobFolders,
  FILE_LOCATION,
  parseBlobFileName,
  sizeInBlobFile,
} from './blob-file.ts';
import { BufferPool } from './buffer-pool.ts';
import { blobGone } from './corrupt-blob.ts';
import type { DiskIo } from './disk-io.ts';
import { FileReader, READ_BYTES } from './file-reader.ts';
import { FileWriter } from './file-writer.ts';

/** Enough for 64 downloads at once, 16 MiB in all; more make their own. */
const BUFFERS_KEPT_MAX = 128;

export type BlobFilesOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  /** Throws once a sync has failed: a later one would promise what the system has dropped. */
  readonly assertWritable: () => void;
  readonly failWrite: (error: unknown) => unknown;
  readonly failSync: (error: unknown) => unknown;
};

export type ListedBlob = BlobRef & { readonly changedAt: TimeMs };

export class BlobFiles {
  readonly #options: BlobFilesOptions;
  /** Files whose blobs have no row yet. */
  readonly #leased = new Set<BlobId>();
  readonly #buffers = new BufferPool({ sizeBytes: READ_BYTES, keptMax: BUFFERS_KEPT_MAX });
  readonly #folders = new Map<string, Promise<void>>();
  #count: number | undefined;

  constructor(options: BlobFilesOptions) {
    this.#options = options;
  }

  /** About how many files there are; `undefined` until they were listed once. */
  get count(): number | undefined {
    return this.#count;
  }

  /** Begins a file; it is leased until its writer is released. */
  async create(blobId: BlobId): Promise<FileWriter> {
    const { io, directory, assertWritable, failWrite, failSync } = this.#options;
    this.#leased.add(blobId);
    if (this.#count !== undefined) this.#count += 1;
    try {
      return await FileWriter.create(
        {
          io,
          directory,
          assertWritable,
          failWrite,
          failSync,
          ensureFolder: (path) => this.#ensureFolder(path),
          onRelease: (released) => this.#leased.delete(released),
        },
        blobId,
      );
    } catch (error) {
      this.#leased.delete(blobId);
      throw error;
    }
  }

  /** An open descriptor is the reader's lease: an unlinked file lives until it is closed. */
  async open(blob: BlobRef): Promise<BlobReader> {
    try {
      const file = await this.#options.io.openFile(this.#pathOf(blob.blobId));
      return await FileReader.open(file, blob, this.#buffers);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw blobGone(error);
      throw error;
    }
  }

  async remove(blobId: BlobId): Promise<void> {
    try {
      await this.#options.io.removeFile(this.#pathOf(blobId));
      if (this.#count !== undefined) this.#count -= 1;
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    }
  }

  /** Every file but the leased ones. */
  async *list(signal: AbortSignal | undefined): AsyncGenerator<ListedBlob> {
    const { io, directory } = this.#options;
    let count = 0;
    const isFolder = (name: string) => /^[0-9a-f]{2}$/.test(name);
    for (const outer of await io.listDirectory(directory)) {
      if (!isFolder(outer.name)) continue;
      for (const inner of await io.listDirectory(join(directory, outer.name))) {
        for (const entry of await io.listDirectory(join(directory, outer.name, inner.name))) {
          if (signal?.aborted) return;
          const blobId = parseBlobFileName(entry.name);
          if (blobId !== undefined) count += 1;
          if (blobId === undefined || this.#leased.has(blobId)) continue;
          const found = await this.#describe(blobId);
          if (found !== undefined) yield found;
        }
      }
    }
    this.#count = count;
  }

  /**
   * The parent is synced at the first use by this process, also when the folder stood: a process
   * that was killed may have made it without syncing.
   */
  #ensureFolder(path: string): Promise<void> {
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const { io, failSync } = this.#options;
    const making = (async () => {
      await io.makeDirectory(path);
      try {
        await io.syncDirectory(dirname(path));
      } catch (error) {
        throw failSync(error);
      }
    })();
    this.#folders.set(path, making);
    making.catch(() => this.#folders.delete(path));
    return making;
  }

  #pathOf(blobId: BlobId): string {
    return join(this.#options.directory, ...blobFolders(blobId), blobFileName(blobId));
  }

  /** A file's blob, as far as its length tells; `undefined` when it went meanwhile. */
  async #describe(blobId: BlobId): Promise<ListedBlob | undefined> {
    const { io } = this.#options;
    const path = this.#pathOf(blobId);
    try {
      const file = await io.openFile(path);
      const fileBytes = await file.sizeBytes().finally(() => file.close());
      const changedAt = (await io.changedAt(path)) as TimeMs;
      const sizeBytes = sizeInBlobFile(fileBytes);
      return { blobId, sizeBytes, location: FILE_LOCATION, changedAt };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }
}
