/** Hands out blob numbers from blocks that were reserved durably before. */
import { strict as assert } from 'node:assert';

import type { BlobId } from '../../core/ids.ts';
import { Mutex } from './mutex.ts';

/** Numbers left in a block when the process ends are never given: gaps are harmless. */
export class BlobIdBlocks {
  readonly #blockSize: number;
  /** Makes a reservation durable and answers its first number. */
  readonly #reserve: (count: number) => Promise<number>;
  readonly #mutex = new Mutex();
  #next = 0;
  #end = 0;

  constructor(blockSize: number, reserve: (count: number) => Promise<number>) {
    assert(Number.isSafeInteger(blockSize) && blockSize >= 1, 'a block holds at least one number');
    this.#blockSize = blockSize;
    this.#reserve = reserve;
  }

  async take(count: number): Promise<BlobId> {
    assert(Number.isSafeInteger(count) && count >= 1, 'at least one number is taken');
    return this.#mutex.run(async () => {
      if (this.#end - this.#next < count) {
        const size = Math.max(count, this.#blockSize);
        this.#next = await this.#reserve(size);
        this.#end = this.#next + size;
      }
      const first = this.#next;
      this.#next += count;
      return first as BlobId;
    });
  }
}
