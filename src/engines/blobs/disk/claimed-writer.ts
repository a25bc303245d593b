/** A writer that holds its share of the free space until it is released. */
import type { BlobRef, BlobWriter, WriteEnd } from '../../../core/ports/blob-store.ts';
import type { SpaceClaim } from './free-space.ts';

export class ClaimedWriter implements BlobWriter {
  readonly #writer: BlobWriter;
  readonly #claim: SpaceClaim;

  constructor(writer: BlobWriter, claim: SpaceClaim) {
    this.#writer = writer;
    this.#claim = claim;
  }

  /** Throws `storage_full` for a body that grows beyond what the disk has room for. */
  write(chunk: Uint8Array): Promise<void> | undefined {
    const asked = this.#claim.take(chunk.byteLength);
    return asked === undefined
      ? this.#writeTaken(chunk)
      : asked.then(() => this.#writeTaken(chunk));
  }

  commit(): Promise<BlobRef> {
    return this.#writer.commit();
  }

  release(end?: WriteEnd): Promise<void> {
    this.#claim.end();
    return this.#writer.release(end);
  }

  #writeTaken(chunk: Uint8Array): Promise<void> | undefined {
    // Counted as written a little early: a writer gathers at most a quarter of a mebibyte.
    this.#claim.wrote(chunk.byteLength);
    return this.#writer.write(chunk);
  }
}
