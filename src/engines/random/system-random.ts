/** Randomness of the operating system. */
import type { Random } from '../../core/ports/random.ts';

export const systemRandom: Random = {
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};
