/** The blobs that have a file of their own (docs/formats/blob-file.md). */
import { dirname, join } from 'node:path';
import type { BlobId, TimeMs } from '../../../../core/ids.ts';
import type { BlobReader, BlobRef } from '../../../../core/ports/blob-store.ts';
import { isErrno, translateOpenError } from '../../../errno.ts';
import { BufferPool } from '../buffer-pool.ts';
import { blobGone } from '../corrupt-blob.ts';
import type { DiskIo } from '../disk-io.ts';
import {
  blobFileName,
  blobFolders,
  FILE_LOCATION,
  parseBlobFileName,
  sizeInBlobFile,
} from './blob-file.ts';
import { FileReader, READ_BYTES } from './file-reader.ts';
import { FileWriter } from './file-writer.ts';
import { ParkedReader } from './parked-reader.ts';

/** Enough for 64 downloads at once, 16 MiB in all; more make their own. */
const BUFFERS_KEPT_MAX = 128;

export type BlobFilesOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  /** Throws once a sync has failed: a later one would promise what the system has dropped. */
  readonly assertWritable: () => void;
  readonly failWrite: (error: unknown) => unknown;
  readonly failSync: (error: unknown) => unknown;
  /** Bodies' chunks with so many bytes were written. */
  readonly onWritten: (bytes: number) => void;
  /** Readers beyond these have their files open only while they read. */
  readonly openReadersMax: number;
};

export type ListedBlob = BlobRef & { readonly changedAt: TimeMs };

export class BlobFiles {
  readonly #options: BlobFilesOptions;
  /** Files whose blobs have no row yet. */
  readonly #leased = new Set<BlobId>();
  readonly #buffers = new BufferPool({ sizeBytes: READ_BYTES, keptMax: BUFFERS_KEPT_MAX });
  readonly #folders = new Map<string, Promise<void>>();
  #openReaders = 0;
  /** How many readers without an open file each has: it must not be unlinked under them. */
  readonly #parked = new Map<BlobId, number>();
  /** Those of them that are to be unlinked once the last reader has gone. */
  readonly #doomed = new Set<BlobId>();
  readonly #removing = new Set<BlobId>();
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
    const { io, directory, assertWritable, failWrite, failSync, onWritten } = this.#options;
    this.#leased.add(blobId);
    try {
      const writer = await FileWriter.create(
        {
          io,
          directory,
          assertWritable,
          failWrite,
          failSync,
          onWritten,
          ensureFolder: (path) => this.#ensureFolder(path),
          onRelease: ({ isKept }) => {
            this.#leased.delete(blobId);
            if (!isKept) this.#countUp(-1);
          },
        },
        blobId,
      );
      this.#countUp(1);
      return writer;
    } catch (error) {
      this.#leased.delete(blobId);
      throw error;
    }
  }

  /** An open descriptor is the reader's lease: an unlinked file lives until it is closed. */
  async open(blob: BlobRef): Promise<BlobReader> {
    if (this.#openReaders >= this.#options.openReadersMax) return await this.#park(blob);
    this.#openReaders += 1;
    const onClose = () => {
      this.#openReaders -= 1;
    };
    try {
      return await this.#openFile(blob, onClose);
    } catch (error) {
      onClose();
      throw error;
    }
  }

  async #openFile(blob: BlobRef, onClose: () => void): Promise<FileReader> {
    try {
      const file = await this.#options.io.openFile(this.#pathOf(blob.blobId));
      return await FileReader.open(file, blob, { pool: this.#buffers, onClose });
    } catch (error) {
      if (isErrno(error, 'ENOENT')) throw blobGone(error);
      throw translateOpenError(error);
    }
  }

  /** Looks at the file now, as any reader does, and opens it again to read. */
  async #park(blob: BlobRef): Promise<BlobReader> {
    const { blobId, sizeBytes } = blob;
    if (this.#removing.has(blobId)) throw blobGone();
    this.#parked.set(blobId, (this.#parked.get(blobId) ?? 0) + 1);
    const open = () => this.#openFile(blob, () => undefined);
    const onClose = () => this.#unpark(blobId);
    try {
      const reader = await open();
      await reader.close();
    } catch (error) {
      await onClose();
      throw error;
    }
    return new ParkedReader({ sizeBytes, open, onClose });
  }

  async #unpark(blobId: BlobId): Promise<void> {
    const left = (this.#parked.get(blobId) ?? 0) - 1;
    if (left > 0) {
      this.#parked.set(blobId, left);
      return;
    }
    this.#parked.delete(blobId);
    // What cannot be unlinked now is bytes without a row: the sweeper's.
    if (this.#doomed.delete(blobId)) await this.remove(blobId).catch(() => undefined);
  }

  async remove(blobId: BlobId): Promise<void> {
    if (this.#parked.has(blobId)) {
      this.#doomed.add(blobId);
      return;
    }
    this.#removing.add(blobId);
    try {
      await this.#options.io.removeFile(this.#pathOf(blobId));
      this.#countUp(-1);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
    } finally {
      this.#removing.delete(blobId);
    }
  }

  #countUp(change: number): void {
    if (this.#count !== undefined) this.#count += change;
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
          if (blobId === undefined || this.#isLeased(blobId)) continue;
          const found = await this.#describe(blobId);
          if (found !== undefined) yield found;
        }
      }
    }
    this.#count = count;
  }

  /** Also one whose row is forgotten already, as long as it is read. */
  #isLeased(blobId: BlobId): boolean {
    return this.#leased.has(blobId) || this.#doomed.has(blobId);
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
