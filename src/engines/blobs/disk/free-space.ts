/**
 * Keeps a floor of free space: a full disk would stop deletes and the database too. What writers
 * have taken in and not yet written counts as taken, and so does some of what they announced, ahead
 * of what arrived: as much as has arrived, so that whoever announces much and sends little takes no
 * room from others.
 */
import { ServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import type { DiskIo } from './disk-io.ts';

/** Asking the system for each write would cost more than the write; a second is fresh enough. */
const FRESH_MS = 1000;
/** A writer of whom nothing arrived yet: no more than a small body. */
const AHEAD_BYTES_MIN = 256 * 1024;
/** The contract's bound; it also keeps few large uploads from taking the disk long before. */
const AHEAD_BYTES_MAX = 64 * 1024 * 1024;

export type FreeSpaceOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly minFreeBytes: number;
  readonly now: () => TimeMs;
};

/** The share of one writer. */
export type SpaceClaim = {
  /**
   * Before bytes are taken in; rejects with `storage_full` when the disk has no room for them. It
   * waits only where there seems to be none, until the system was asked anew.
   */
  readonly take: (bytes: number) => Promise<void> | undefined;
  /** After bytes were written: the disk's own count has them from now on. */
  readonly wrote: (bytes: number) => void;
  /** Gives back what was claimed and not written. */
  readonly end: () => void;
};

export class FreeSpace {
  readonly #options: FreeSpaceOptions;
  /** As the system said last, less what was written since. */
  #freeBytes = 0;
  /** Claimed by writers and not yet written. */
  #pendingBytes = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(options: FreeSpaceOptions) {
    this.#options = options;
  }

  /**
   * Opens the claim of a body of `bytes`, 0 when it is not known; throws `storage_full` when the
   * disk has no room for all of it, or none left for what it begins with.
   */
  claim(bytes: number): SpaceClaim | Promise<SpaceClaim> {
    return this.#isFresh() ? this.#open(bytes) : this.#ask().then(() => this.#open(bytes));
  }

  #open(announcedBytes: number): SpaceClaim {
    // Only looked at: what stays away takes no room from others.
    if (this.#freeBytes - announcedBytes < this.#options.minFreeBytes) throw diskFull();
    let heldBytes = Math.min(announcedBytes, AHEAD_BYTES_MIN);
    let arrivedBytes = 0;
    let writtenBytes = 0;
    this.#reserve(heldBytes);
    const hold = (wantedBytes: number) => {
      if (wantedBytes <= heldBytes) return true;
      if (!this.#hasRoom(wantedBytes - heldBytes)) return false;
      this.#pendingBytes += wantedBytes - heldBytes;
      heldBytes = wantedBytes;
      return true;
    };
    return {
      take: (more) => {
        arrivedBytes += more;
        const neededBytes = arrivedBytes - writtenBytes;
        const aheadBytes = Math.min(Math.max(arrivedBytes, AHEAD_BYTES_MIN), AHEAD_BYTES_MAX);
        const restBytes = Math.max(0, announcedBytes - arrivedBytes);
        // Ahead where there is room; what has arrived must have it.
        if (hold(neededBytes + Math.min(aheadBytes, restBytes)) || hold(neededBytes)) {
          return undefined;
        }
        // What is under way is refused by a fresh answer only: another may have given up meanwhile.
        return this.#ask().then(() => {
          if (!hold(arrivedBytes - writtenBytes)) throw diskFull();
        });
      },
      wrote: (bytes) => {
        const counted = Math.min(bytes, heldBytes);
        writtenBytes += bytes;
        heldBytes -= counted;
        this.#pendingBytes -= counted;
        this.#freeBytes -= bytes;
      },
      end: () => {
        this.#pendingBytes -= heldBytes;
        heldBytes = 0;
      },
    };
  }

  #reserve(bytes: number): void {
    if (!this.#hasRoom(bytes)) throw diskFull();
    this.#pendingBytes += bytes;
  }

  #hasRoom(bytes: number): boolean {
    return this.#freeBytes - this.#pendingBytes - bytes >= this.#options.minFreeBytes;
  }

  #isFresh(): boolean {
    // A clock that was set back makes the answer old, not fresh for as long as it was set back.
    return Math.abs(this.#options.now() - this.#askedAt) <= FRESH_MS;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#askSystem().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #askSystem(): Promise<void> {
    const { io, directory, now } = this.#options;
    this.#freeBytes = await io.freeBytes(directory);
    this.#askedAt = now();
  }
}

function diskFull(): ServiceError {
  return new ServiceError('storage_full', 'The disk has too little free space.');
}
