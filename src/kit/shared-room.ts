export type RoomOptions = {
  /** What each may take without asking. */
  readonly ownBytes: number;
  /** What all together may take beyond that. */
  readonly sharedBytes: number;
};

/** What one has taken of the room. */
export type RoomShare = {
  /** Takes so many bytes more; answers whether there was room for them. */
  readonly take: (bytes: number) => boolean;
  /** Gives all of it back; may be called again. */
  readonly end: () => void;
};

/**
 * Memory in which many gather what they need whole. Little is always let in, so that whoever takes
 * much, and long, is in the way of nobody but others who take much.
 */
export class SharedRoom {
  readonly #options: RoomOptions;
  #takenBytes = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Taken beyond what is everyone's own. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  open(): RoomShare {
    const { ownBytes, sharedBytes } = this.#options;
    let ownLeft = ownBytes;
    let taken = 0;
    return {
      take: (bytes) => {
        const own = Math.min(bytes, ownLeft);
        const shared = bytes - own;
        if (this.#takenBytes + shared > sharedBytes) return false;
        ownLeft -= own;
        taken += shared;
        this.#takenBytes += shared;
        return true;
      },
      end: () => {
        this.#takenBytes -= taken;
        taken = 0;
      },
    };
  }
}
