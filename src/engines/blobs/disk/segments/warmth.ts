/**
 * Guesses what of the segments is in the system's page cache: what this process touched of late, up
 * to a share of the memory. A wrong guess costs one slow read on the event loop, a right one saves
 * a turn through the thread pool on every small read.
 */
import { totalmem } from 'node:os';
import type { SegmentNumber } from './segment-format.ts';

const REGION_BYTES = 64 * 1024;
/** More regions than any segment has: the number of a region in all of them. */
const REGIONS_A_SEGMENT = 1 << 16;
/** The rest of the memory is for others, who push our pages out. */
const MEMORY_SHARE = 1 / 8;

export class Warmth {
  readonly #regions = new Set<number>();
  readonly #regionsMax: number;

  constructor(memoryBytes: number = totalmem()) {
    this.#regionsMax = Math.max(1, Math.floor((memoryBytes * MEMORY_SHARE) / REGION_BYTES));
  }

  /** Whether all of the span was touched before; from now on it was. */
  touch(segment: SegmentNumber, offset: number, lengthBytes: number): boolean {
    const first = Math.floor(offset / REGION_BYTES);
    const last = Math.floor((offset + lengthBytes - 1) / REGION_BYTES);
    let isWarm = true;
    for (let region = first; region <= last; region += 1) {
      const number = segment * REGIONS_A_SEGMENT + region;
      if (this.#regions.has(number)) continue;
      isWarm = false;
      this.#add(number);
    }
    return isWarm;
  }

  #add(number: number): void {
    this.#regions.add(number);
    if (this.#regions.size <= this.#regionsMax) return;
    const oldest = this.#regions.values().next();
    if (!oldest.done) this.#regions.delete(oldest.value);
  }
}
