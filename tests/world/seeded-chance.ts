/** Chance that a test can repeat, and the seeds of a run. */
import { runsOf } from './effort.ts';

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function seededChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** As many seeds as the run is to try, or the one that PINFOLD_TEST_SEED names, to replay it. */
export function seedsOf(runs: {
  readonly short: number;
  readonly long: number;
}): readonly number[] {
  const replayed = process.env['PINFOLD_TEST_SEED'];
  if (replayed !== undefined) return [Number(replayed)];
  return Array.from({ length: runsOf(runs) }, (_, index) => index + 1);
}
