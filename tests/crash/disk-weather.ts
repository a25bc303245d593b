/**
 * How a disk fails during one simulated life: not at all, by being full, for want of descriptors,
 * or for good.
 */
import type { DiskFaults, DiskOperation } from '../world/simulated-disk.ts';

export type WeatherKind = 'fair' | 'full' | 'short' | 'broken';

/** What needs space. */
const GROWING: readonly DiskOperation[] = ['createFile', 'makeDirectory', 'write'];
const SYNCING: readonly DiskOperation[] = ['syncBytes', 'syncDirectory'];
/** What needs a descriptor, or memory of the system's, on the way of a write. */
const OPENING: readonly DiskOperation[] = ['createFile', 'makeDirectory', 'syncDirectory'];
const FULL_SHARE = 0.2;
const SHORT_SHARE = 0.2;
const BROKEN_WRITE_SHARE = 0.03;
/** Syncs of a life until one fails. */
const SYNCS_MAX = 25;

export class DiskWeather {
  readonly kind: WeatherKind;
  readonly #chance: () => number;
  #syncsLeft: number;

  constructor(chance: () => number) {
    this.#chance = chance;
    const dice = chance();
    this.kind = dice < 0.5 ? 'fair' : dice < 0.7 ? 'full' : dice < 0.8 ? 'short' : 'broken';
    this.#syncsLeft = Math.floor(chance() * SYNCS_MAX);
  }

  readonly failing: DiskFaults['failing'] & {} = (operation) => {
    switch (this.kind) {
      case 'fair':
        return undefined;
      case 'full':
        return GROWING.includes(operation) && this.#chance() < FULL_SHARE ? 'ENOSPC' : undefined;
      case 'short':
        return OPENING.includes(operation) && this.#chance() < SHORT_SHARE ? 'EMFILE' : undefined;
      case 'broken':
        if (GROWING.includes(operation)) {
          return this.#chance() < BROKEN_WRITE_SHARE ? 'EIO' : undefined;
        }
        if (!SYNCING.includes(operation)) return undefined;
        this.#syncsLeft -= 1;
        // Once: that the next sync would seem to work is what makes it dangerous.
        return this.#syncsLeft === 0 ? 'EIO' : undefined;
    }
  };
}
