/** Takes a blob that may be small: into a segment if it stays so, into a file of its own if not. */
import { strict as assert } from 'node:assert';
import type { BlobId } from '../../../../core/ids.ts';
import type { BlobRef, BlobWriter, WriteEnd } from '../../../../core/ports/blob-store.ts';
import { ChunkList } from '../../../../kit/chunk-list.ts';
import { SEGMENT_BLOB_BYTES_MAX } from './segment-format.ts';
import type { Appended } from './segment-writer.ts';

export type SmallWriterDeps = {
  readonly takeId: () => BlobId | Promise<BlobId>;
  readonly append: (blobId: BlobId, bytes: Uint8Array) => Promise<Appended>;
  /** Counts what was appended as dead. */
  readonly drop: (blob: BlobRef) => void;
  /** Begins a file for a blob that has grown too large. */
  readonly createFile: () => Promise<BlobWriter>;
};

export class SmallWriter implements BlobWriter {
  readonly #deps: SmallWriterDeps;
  readonly #gathered = new ChunkList();
  #bytes = 0;
  #file: BlobWriter | undefined;
  #spilling: Promise<void> | undefined;
  #kept: { readonly appended: Appended; readonly blob: BlobRef } | undefined;
  #state: 'open' | 'committed' | 'released' = 'open';

  constructor(deps: SmallWriterDeps) {
    this.#deps = deps;
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    assert.equal(this.#state, 'open');
    if (this.#file !== undefined) return this.#file.write(chunk);
    this.#gathered.push(chunk);
    this.#bytes += chunk.byteLength;
    if (this.#bytes <= SEGMENT_BLOB_BYTES_MAX) return undefined;
    this.#spilling = this.#spill();
    return this.#spilling;
  }

  async commit(): Promise<BlobRef> {
    assert.equal(this.#state, 'open');
    this.#state = 'committed';
    if (this.#file !== undefined) return await this.#file.commit();
    const chunks = this.#gathered.take();
    const [first] = chunks;
    const bytes = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
    const taken = this.#deps.takeId();
    const blobId = typeof taken === 'number' ? taken : await taken;
    const appended = await this.#deps.append(blobId, bytes);
    const blob = { blobId, sizeBytes: this.#bytes, location: appended.location };
    this.#kept = { appended, blob };
    return blob;
  }

  async release(end?: WriteEnd): Promise<void> {
    if (this.#state === 'released') return;
    this.#state = 'released';
    this.#gathered.take();
    if (this.#kept !== undefined) {
      this.#kept.appended.segment.unpublished -= 1;
      if (end?.isRefused) this.#deps.drop(this.#kept.blob);
    }
    // A sender may leave while its file is being made: the file is there only after that.
    await this.#spilling?.catch(() => undefined);
    await this.#file?.release(end);
  }

  async #spill(): Promise<void> {
    const chunks = this.#gathered.take();
    this.#file = await this.#deps.createFile();
    for (const chunk of chunks) await this.#file.write(chunk);
  }
}
