/** Writes one blob into a file of its own. */

import { strict as assert } from 'node:assert';
import { dirname, join } from 'node:path';
import type { BlobId } from '../../../../core/ids.ts';
import type { BlobRef, BlobWriter, WriteEnd } from '../../../../core/ports/blob-store.ts';
import { ChunkList } from '../../../../kit/chunk-list.ts';
import type { DiskFile, DiskIo } from '../disk-io.ts';
import { BlockSums, blobFileName, blobFolders, encodeFooter, FILE_LOCATION } from './blob-file.ts';

/**
 * Chunks are gathered up to this before they are written: a system call per 64 KiB costs a third.
 */
const GATHER_BYTES = 256 * 1024;

export type FileWriterDeps = {
  readonly io: DiskIo;
  readonly directory: string;
  /** Makes a folder whose name is durable once this resolves. */
  readonly ensureFolder: (path: string) => Promise<void>;
  readonly assertWritable: () => void;
  /** Says a failure in the domain's words; a failed sync also closes the engine for writing. */
  readonly failWrite: (error: unknown) => unknown;
  readonly failSync: (error: unknown) => unknown;
  /** Chunks with so many bytes were written and are referred to no longer. */
  readonly onWritten: (bytes: number) => void;
  /** `isKept`: the bytes were committed, so that the file stays. */
  readonly onRelease: (released: { readonly isKept: boolean }) => void;
};

export class FileWriter implements BlobWriter {
  readonly #deps: FileWriterDeps;
  readonly #blobId: BlobId;
  readonly #path: string;
  readonly #file: DiskFile;
  readonly #sums = new BlockSums();
  readonly #gathered = new ChunkList();
  #position = 0;
  #state: 'open' | 'committed' | 'released' = 'open';

  static async create(deps: FileWriterDeps, blobId: BlobId): Promise<FileWriter> {
    try {
      const [outer, inner] = blobFolders(blobId);
      await deps.ensureFolder(join(deps.directory, outer));
      await deps.ensureFolder(join(deps.directory, outer, inner));
      const path = join(deps.directory, outer, inner, blobFileName(blobId));
      return new FileWriter(deps, blobId, path, await deps.io.createFile(path));
    } catch (error) {
      throw deps.failWrite(error);
    }
  }

  private constructor(deps: FileWriterDeps, blobId: BlobId, path: string, file: DiskFile) {
    this.#deps = deps;
    this.#blobId = blobId;
    this.#path = path;
    this.#file = file;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    assert.equal(this.#state, 'open');
    this.#sums.update(chunk);
    this.#gathered.push(chunk);
    return this.#gathered.sizeBytes < GATHER_BYTES ? undefined : this.#flush();
  }

  async commit(): Promise<BlobRef> {
    assert.equal(this.#state, 'open');
    await this.#flush();
    const sizeBytes = this.#position;
    const footer = encodeFooter(this.#blobId, sizeBytes, this.#sums.finish());
    try {
      await this.#file.write([footer], this.#position);
    } catch (error) {
      throw this.#deps.failWrite(error);
    }
    try {
      this.#deps.assertWritable();
      // A crash between these lines leaves a whole file that no row names: the sweeper's.
      await this.#file.syncBytes();
      await this.#deps.io.syncDirectory(dirname(this.#path));
      // A sync of this folder that failed meanwhile may have been of this name too.
      this.#deps.assertWritable();
    } catch (error) {
      throw this.#deps.failSync(error);
    }
    this.#state = 'committed';
    return { blobId: this.#blobId, sizeBytes, location: FILE_LOCATION };
  }

  async release({ isRefused }: WriteEnd = { isRefused: false }): Promise<void> {
    if (this.#state === 'released') return;
    const isKept = this.#state === 'committed' && !isRefused;
    this.#state = 'released';
    this.#gathered.take();
    try {
      await this.#file.close();
      if (!isKept) await this.#deps.io.removeFile(this.#path);
    } catch {
      // What is left behind has no row: the sweeper removes it.
    } finally {
      this.#deps.onRelease({ isKept });
    }
  }

  async #flush(): Promise<void> {
    const chunks = this.#gathered.take();
    try {
      const written = await this.#file.write(chunks, this.#position);
      this.#position += written;
      this.#deps.onWritten(written);
    } catch (error) {
      throw this.#deps.failWrite(error);
    }
  }
}
