/** So many small pieces become one: an object of its own takes a hundred bytes for one. */
const PIECES_MAX = 1024;

/**
 * Bytes gathered piece by piece. What a sender cuts into single bytes takes about as much memory as
 * what it sends whole. The pieces belong to the list.
 */
export class ChunkList {
  #chunks: Uint8Array[] = [];
  /** How many of the chunks, at the beginning, are made of pieces. */
  #joined = 0;
  #sizeBytes = 0;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  push(piece: Uint8Array): void {
    this.#chunks.push(piece);
    this.#sizeBytes += piece.byteLength;
    if (this.#chunks.length - this.#joined < PIECES_MAX) return;
    this.#chunks.push(Buffer.concat(this.#chunks.splice(this.#joined)));
    this.#joined += 1;
  }

  /** Everything that came, in order; the list is then empty. */
  take(): readonly Uint8Array[] {
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#joined = 0;
    this.#sizeBytes = 0;
    return chunks;
  }
}
