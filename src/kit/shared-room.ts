export type RoomOptions = {
  /** What each may take without asking. */
  readonly ownBytes: number;
  /** What all together may take beyond that. */
  readonly sharedBytes: number;
  /** What one owner may take of that, however many shares it opens. */
  readonly ownerBytes: number;
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
 * much, and long, is in the way of nobody but others who take much; and no owner takes all of it.
 */
export class SharedRoom {
  readonly #options: RoomOptions;
  /** By owner, beyond what is everyone's own. */
  readonly #taken = new Map<string, number>();
  #takenBytes = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /** Taken beyond what is everyone's own. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  open(owner: string): RoomShare {
    let ownLeft = this.#options.ownBytes;
    let taken = 0;
    return {
      take: (bytes) => {
        const own = Math.min(bytes, ownLeft);
        const shared = bytes - own;
        if (shared > 0 && !this.#take(owner, shared)) return false;
        ownLeft -= own;
        taken += shared;
        return true;
      },
      end: () => {
        if (taken > 0) this.#giveBack(owner, taken);
        taken = 0;
      },
    };
  }

  #take(owner: string, bytes: number): boolean {
    const { sharedBytes, ownerBytes } = this.#options;
    const ofOwner = (this.#taken.get(owner) ?? 0) + bytes;
    if (ofOwner > ownerBytes || this.#takenBytes + bytes > sharedBytes) return false;
    this.#taken.set(owner, ofOwner);
    this.#takenBytes += bytes;
    return true;
  }

  #giveBack(owner: string, bytes: number): void {
    const rest = (this.#taken.get(owner) ?? 0) - bytes;
    if (rest > 0) this.#taken.set(owner, rest);
    else this.#taken.delete(owner);
    this.#takenBytes -= bytes;
  }
}
