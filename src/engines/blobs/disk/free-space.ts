/** Keeps a floor of free space: a full disk would stop deletes and the database too. */
import { ServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import type { DiskIo } from './disk-io.ts';

/** Asking the system for each write would cost more than the write; a second is fresh enough. */
const FRESH_MS = 1000;

export type FreeSpaceOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly minFreeBytes: number;
  readonly now: () => TimeMs;
};

export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  #freeBytes = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
  }

  /**
   * Takes `bytes` off what is known to be free; throws `storage_full` when less than the floor
   * would be left. What was claimed and not written comes back with the next look at the disk.
   */
  claim(bytes: number): Promise<void> | undefined {
    if (this.#options.now() - this.#askedAt <= FRESH_MS) {
      this.#take(bytes);
      return undefined;
    }
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking.then(() => this.#take(bytes));
  }

  #take(bytes: number): void {
    const { minFreeBytes } = this.#options;
    if (this.#freeBytes - bytes < minFreeBytes) {
      throw new ServiceError('storage_full', 'The disk has too little free space.');
    }
    this.#freeBytes -= bytes;
  }

  async #ask(): Promise<void> {
    const { io, directory, now } = this.#options;
    this.#freeBytes = await io.freeBytes(directory);
    this.#askedAt = now();
  }
}
