/** Randomness of the operating system. */
import type { Random } from '../../core/ports/random.ts';

/** Asking the system costs 3 us whatever the length; a request takes a few bytes at a time. */
const POOL_BYTES = 4096;
/** Longer requests are for keys, which do not share a pool with anything. */
const POOLED_BYTES_MAX = 16;

export const systemRandom: Random = createRandom();

function createRandom(): Random {
  const pool = new Uint8Array(POOL_BYTES);
  let at = POOL_BYTES;
  return {
    bytes: (length) => {
      if (length > POOLED_BYTES_MAX) return crypto.getRandomValues(new Uint8Array(length));
      if (at + length > POOL_BYTES) {
        crypto.getRandomValues(pool);
        at = 0;
      }
      const taken = pool.slice(at, at + length);
      // What was given out is kept nowhere else.
      pool.fill(0, at, at + length);
      at += length;
      return taken;
    },
  };
}
