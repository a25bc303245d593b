/**
 * Blobs on one machine's disk: one durable file a blob (docs/formats/blob-file.md).
 *
 * An open file descriptor is a reader's lease: an unlinked file lives until it is closed.
 */
import { dirname, join } from 'node:path';
import { ServiceError } from '../../../core/errors.ts';
import type { BlobId, TimeMs } from '../../../core/ids.ts';
import type {
  BlobIdSource,
  BlobReader,
  BlobRef,
  BlobStore,
  BlobWriter,
} from '../../../core/ports/blob-store.ts';
import { isErrno, translateWriteError } from '../../errno.ts';
import {
  blobFileBytes,
  blobFileName,
  blobFolders,
  FILE_LOCATION,
  parseBlobFileName,
  TAIL_BYTES,
} from './blob-file.ts';
import type { DiskIo } from './disk-io.ts';
import { corruptBlob, FileReader } from './file-reader.ts';
import { FileWriter, type FileWriterDeps } from './file-writer.ts';
import { FreeSpace } from './free-space.ts';

/** Ids reserved at once: a restart wastes at most so many of 2^53. */
const ID_BLOCK = 1024;

export type DiskBlobStoreOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly ids: BlobIdSource;
  /** Writes that would leave less than this are refused. */
  readonly minFreeBytes: number;
  readonly now: () => TimeMs;
  /** Called once when a sync has failed: nothing can be promised any more. */
  readonly onSyncFailure: (error: Error) => void;
};

export class DiskBlobStore implements BlobStore {
  readonly #options: DiskBlobStoreOptions;
  readonly #writerDeps: FileWriterDeps;
  readonly #freeSpace: FreeSpace;
  readonly #staged = new Set<BlobId>();
  readonly #folders = new Map<string, Promise<void>>();
  #nextId = 0;
  #idsEnd = 0;
  #reserving: Promise<void> | undefined;
  #failedSync: Error | undefined;

  static async open(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
    if (await options.io.makeDirectory(options.directory)) {
      await options.io.syncDirectory(join(options.directory, '..'));
    }
    return new DiskBlobStore(options);
  }

  private constructor(options: DiskBlobStoreOptions) {
    this.#options = options;
    this.#freeSpace = new FreeSpace(options);
    this.#writerDeps = {
      io: options.io,
      directory: options.directory,
      ensureFolder: (path) => this.#ensureFolder(path),
      failWrite: translateWriteError,
      failSync: (error) => this.#failSync(error),
      onRelease: (blobId) => this.#staged.delete(blobId),
    };
  }

  async stage(options: { readonly sizeBytes: number | undefined }): Promise<BlobWriter> {
    this.#assertWritable();
    await this.#freeSpace.claim(options.sizeBytes ?? 0);
    const blobId = await this.#takeId();
    this.#staged.add(blobId);
    try {
      return await FileWriter.create(this.#writerDeps, blobId);
    } catch (error) {
      this.#staged.delete(blobId);
      throw error;
    }
  }

  async open(blob: BlobRef): Promise<BlobReader> {
    if (blob.location !== FILE_LOCATION) {
      throw corruptBlob(blob, `its location ${blob.location} is not known to this engine`);
    }
    try {
      return await FileReader.open(
        await this.#options.io.openFile(this.#pathOf(blob.blobId)),
        blob,
      );
    } catch (error) {
      if (isErrno(error, 'ENOENT')) {
        throw new ServiceError('object_not_found', 'The bytes are gone.', { cause: error });
      }
      throw error;
    }
  }

  async remove(blobs: readonly BlobRef[]): Promise<void> {
    for (const { blobId } of blobs) {
      try {
        await this.#options.io.removeFile(this.#pathOf(blobId));
      } catch (error) {
        if (!isErrno(error, 'ENOENT')) throw error;
      }
    }
  }

  async *list(
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<BlobRef & { readonly changedAt: TimeMs }> {
    const { io, directory } = this.#options;
    for (const outer of await io.listDirectory(directory)) {
      for (const inner of await io.listDirectory(join(directory, outer.name))) {
        for (const entry of await io.listDirectory(join(directory, outer.name, inner.name))) {
          if (options.signal?.aborted) return;
          const blobId = parseBlobFileName(entry.name);
          if (blobId === undefined || this.#staged.has(blobId)) continue;
          const found = await this.#describe(blobId);
          if (found !== undefined) yield found;
        }
      }
    }
  }

  async check(): Promise<void> {
    this.#assertWritable();
    await this.#options.io.freeBytes(this.#options.directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reserving;
  }

  /**
   * The parent is synced at the first use by this process, also when the folder stood: a process
   * that was killed may have made it without syncing.
   */
  #ensureFolder(path: string): Promise<void> {
    const { io } = this.#options;
    const known = this.#folders.get(path);
    if (known !== undefined) return known;
    const making = (async () => {
      await io.makeDirectory(path);
      await io.syncDirectory(dirname(path));
    })();
    this.#folders.set(path, making);
    making.catch(() => this.#folders.delete(path));
    return making;
  }

  #pathOf(blobId: BlobId): string {
    return join(this.#options.directory, ...blobFolders(blobId), blobFileName(blobId));
  }

  /** A file's blob, as far as its length tells; `undefined` when it went meanwhile. */
  async #describe(blobId: BlobId): Promise<(BlobRef & { changedAt: TimeMs }) | undefined> {
    const path = this.#pathOf(blobId);
    try {
      const file = await this.#options.io.openFile(path);
      const fileBytes = await file.sizeBytes().finally(() => file.close());
      const changedAt = (await this.#options.io.changedAt(path)) as TimeMs;
      return { blobId, sizeBytes: sizeInFile(fileBytes), location: FILE_LOCATION, changedAt };
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  async #takeId(): Promise<BlobId> {
    while (this.#nextId >= this.#idsEnd) {
      this.#reserving ??= this.#reserveIds().finally(() => {
        this.#reserving = undefined;
      });
      await this.#reserving;
    }
    const blobId = this.#nextId as BlobId;
    this.#nextId += 1;
    return blobId;
  }

  async #reserveIds(): Promise<void> {
    const first = await this.#options.ids.reserveBlobIds(ID_BLOCK);
    this.#nextId = first;
    this.#idsEnd = first + ID_BLOCK;
  }

  #assertWritable(): void {
    if (this.#failedSync !== undefined) {
      throw new ServiceError('read_only', 'A sync to disk has failed; nothing more is written.', {
        cause: this.#failedSync,
      });
    }
  }

  /**
   * A failed sync is never tried again: the system may have dropped the dirty pages, and a second
   * `fdatasync` would then promise what is not there.
   */
  #failSync(error: unknown): ServiceError {
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.#failedSync === undefined) {
      this.#failedSync = failure;
      this.#options.onSyncFailure(failure);
    }
    return new ServiceError('read_only', 'A sync to disk has failed.', { cause: failure });
  }
}

/** Bytes of data in a whole blob file of `fileBytes`; 0 for a torn one. */
function sizeInFile(fileBytes: number): number {
  const rest = fileBytes - TAIL_BYTES;
  if (rest <= 0) return 0;
  const blocks = Math.ceil(rest / (65_536 + 4));
  const sizeBytes = rest - 4 * blocks;
  return sizeBytes >= 0 && blobFileBytes(sizeBytes) === fileBytes ? sizeBytes : 0;
}
