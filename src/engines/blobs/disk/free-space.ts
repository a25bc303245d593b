/**
 * Keeps a floor of free space: a full disk would stop deletes and the database too. What writers
 * have announced and not yet written counts as taken, so that many large uploads at once cannot all
 * be let in by the same free bytes.
 */
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

/** The share of one writer. */
export type SpaceClaim = {
  /** Before bytes are taken in; throws `storage_full` when they are more than was announced and the
   * disk has no room for them. */
  readonly take: (bytes: number) => void;
  /** After bytes were written: the disk's own count has them from now on. */
  readonly wrote: (bytes: number) => void;
  /** Gives back what was announced and not written. */
  readonly end: () => void;
};

export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  /** As the system said last, less what was written since. */
  #freeBytes = 0;
  /** Announced by writers and not yet written. */
  #pendingBytes = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
  }

  /** Opens a claim on `bytes`; throws `storage_full` when less than the floor would be left. */
  claim(bytes: number): SpaceClaim | Promise<SpaceClaim> {
    // A clock that was set back makes the answer old, not fresh for as long as it was set back.
    if (Math.abs(this.#options.now() - this.#askedAt) <= FRESH_MS) return this.#open(bytes);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking.then(() => this.#open(bytes));
  }

  #open(bytes: number): SpaceClaim {
    this.#reserve(bytes);
    let restBytes = bytes;
    let takenBytes = 0;
    return {
      take: (more) => {
        takenBytes += more;
        const missing = takenBytes - restBytes;
        if (missing <= 0) return;
        this.#reserve(missing);
        restBytes += missing;
      },
      wrote: (written) => {
        const counted = Math.min(written, restBytes);
        restBytes -= counted;
        takenBytes = Math.max(0, takenBytes - counted);
        this.#pendingBytes -= counted;
        this.#freeBytes -= written;
      },
      end: () => {
        this.#pendingBytes -= restBytes;
        restBytes = 0;
      },
    };
  }

  #reserve(bytes: number): void {
    const left = this.#freeBytes - this.#pendingBytes - bytes;
    if (left < this.#options.minFreeBytes) {
      throw new ServiceError('storage_full', 'The disk has too little free space.');
    }
    this.#pendingBytes += bytes;
  }

  async #ask(): Promise<void> {
    const { io, directory, now } = this.#options;
    this.#freeBytes = await io.freeBytes(directory);
    this.#askedAt = now();
  }
}
