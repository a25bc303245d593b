/** Randomness that a test can repeat: SHA-256 in counter mode over the seed. */
import { createHash } from 'node:crypto';
import type { Random } from '../../src/core/ports/random.ts';

/** The same seed gives the same bytes in the same order of calls. */
export function seededRandom(seed: string = 'pinfold'): Random {
  let counter = 0;
  return {
    bytes: (length) => {
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; at += 32) {
        counter += 1;
        const block = createHash('sha256').update(`${seed}/${counter}`).digest();
        bytes.set(block.subarray(0, Math.min(32, length - at)), at);
      }
      return bytes;
    },
  };
}
