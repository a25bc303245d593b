/**
 * A gate: lets a few run at once, keeps some waiting, and refuses the rest. Owners have their turns
 * one after the other, however much each of them wants; where all places are taken, whoever waits
 * with most gives one up to who waits with less.
 */

/** Thrown when both the running and the waiting places are taken. */
export class GateFullError extends Error {
  constructor() {
    super('Too many are waiting already.');
    this.name = 'GateFullError';
  }
}

export type GateOptions = {
  readonly signal?: AbortSignal;
  /** Whose work it is; `undefined`: of somebody who has no other. */
  readonly owner?: string | undefined;
};

type Waiting = {
  readonly owner: string | symbol;
  readonly enter: () => void;
  readonly refuse: (reason: unknown) => void;
};

export class Gate {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: Set<Waiting> = new Set();
  #running = 0;
  #turns = 0;
  /** When owners that wait for more had a turn. */
  readonly #lastTurns = new Map<Waiting['owner'], number>();

  constructor(limits: { readonly atOnceMax: number; readonly waitingMax: number }) {
    this.#atOnceMax = limits.atOnceMax;
    this.#waitingMax = limits.waitingMax;
  }

  /**
   * Runs `work` when its turn comes. Throws `GateFullError` when too many wait, also later when its
   * owner waits with most, and the signal's reason when it aborts before the turn; work that has
   * begun is not stopped.
   */
  async run<T>(work: () => Promise<T>, options: GateOptions = {}): Promise<T> {
    options.signal?.throwIfAborted();
    await this.#enter(options);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter({ signal, owner: named }: GateOptions): Promise<void> {
    if (this.#running < this.#atOnceMax) {
      this.#running += 1;
      return;
    }
    const owner = named ?? Symbol('nobody');
    if (this.#waiting.size >= this.#waitingMax) this.#makeRoom(owner);
    await new Promise<void>((resolve, reject) => {
      const giveUp = () => waiting.refuse(signal?.reason);
      const waiting: Waiting = {
        owner,
        enter: () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        },
        refuse: (reason) => {
          signal?.removeEventListener('abort', giveUp);
          this.#waiting.delete(waiting);
          this.#forget(owner);
          reject(reason);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Throws `GateFullError` unless somebody else waits with more than `owner` then would. */
  #makeRoom(owner: Waiting['owner']): void {
    const byOwner = new Map<Waiting['owner'], Waiting[]>();
    for (const waiting of this.#waiting) {
      const list = byOwner.get(waiting.owner);
      if (list === undefined) byOwner.set(waiting.owner, [waiting]);
      else list.push(waiting);
    }
    let largest: readonly Waiting[] = [];
    for (const list of byOwner.values()) if (list.length > largest.length) largest = list;
    const own = (byOwner.get(owner)?.length ?? 0) + 1;
    if (largest.length <= own) throw new GateFullError();
    largest.at(-1)?.refuse(new GateFullError());
  }

  /** Hands the place on at once, so that no late-comer slips in between. */
  #leave(): void {
    const next = this.#next();
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    const { owner } = next;
    this.#waiting.delete(next);
    this.#turns += 1;
    this.#lastTurns.set(owner, this.#turns);
    this.#forget(owner);
    next.enter();
  }

  /** Who waits for nothing more has no turns that count. */
  #forget(owner: Waiting['owner']): void {
    for (const waiting of this.#waiting) if (waiting.owner === owner) return;
    this.#lastTurns.delete(owner);
  }

  /** Of the owner whose turn is longest ago, the one that waits longest. */
  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    let oldest = Number.POSITIVE_INFINITY;
    for (const waiting of this.#waiting) {
      const turn = this.#lastTurns.get(waiting.owner) ?? 0;
      if (turn < oldest) [next, oldest] = [waiting, turn];
    }
    return next;
  }
}
