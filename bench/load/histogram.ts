/**
 * Latencies in a fixed array: 64 steps to each doubling, so no figure is off by more than 1.6 %.
 */

const STEP_BITS = 6;
const STEPS = 1 << STEP_BITS;
/** Quarters of a microsecond, so that the smallest latencies keep their steps. */
const TICKS_PER_MS = 4000;
const TICKS_MAX = 0x7fff_ffff;
const BUCKETS = (32 - STEP_BITS) * STEPS;

export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #total = 0;
  #maxMs = 0;

  add(ms: number): void {
    this.#total += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
    const ticks = Math.min(TICKS_MAX, ms * TICKS_PER_MS) | 0;
    const index = bucketOf(ticks);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  get maxUs(): number {
    return this.#maxMs * 1000;
  }

  /** The latency in microseconds that `fraction` of all stay within. */
  quantileUs(fraction: number): number {
    let left = Math.ceil(this.#total * fraction);
    for (const [index, count] of this.#counts.entries()) {
      left -= count;
      if (left <= 0 && count > 0) return (ticksOf(index) * 1000) / TICKS_PER_MS;
    }
    return this.maxUs;
  }
}

function bucketOf(ticks: number): number {
  if (ticks < STEPS) return ticks;
  const exponent = 31 - Math.clz32(ticks);
  return (exponent - STEP_BITS) * STEPS + (ticks >>> (exponent - STEP_BITS));
}

/** The middle of a bucket. */
function ticksOf(index: number): number {
  if (index < STEPS) return index + 0.5;
  const shift = Math.floor(index / STEPS) - 1;
  return (index - shift * STEPS + 0.5) * 2 ** shift;
}
