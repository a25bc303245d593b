/**
 * Buffers of one size, used again: a large download would otherwise leave garbage by the mebibyte.
 */
export class BufferPool {
  readonly #sizeBytes: number;
  readonly #keptMax: number;
  readonly #free: Buffer[] = [];

  constructor(options: { readonly sizeBytes: number; readonly keptMax: number }) {
    this.#sizeBytes = options.sizeBytes;
    this.#keptMax = options.keptMax;
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#sizeBytes);
  }

  /** Takes a buffer back that nobody reads or writes any more. */
  give(buffer: Buffer): void {
    if (this.#free.length < this.#keptMax) this.#free.push(buffer);
  }
}
