/** A gate: lets a few run at once, keeps some waiting in order, and refuses the rest. */

/** Thrown when both the running and the waiting places are taken. */
export class GateFullError extends Error {
  constructor() {
    super('Too many are waiting already.');
    this.name = 'GateFullError';
  }
}

export class Gate {
  readonly #atOnceMax: number;
  readonly #waitingMax: number;
  readonly #waiting: Set<() => void> = new Set();
  #running = 0;

  constructor(limits: { readonly atOnceMax: number; readonly waitingMax: number }) {
    this.#atOnceMax = limits.atOnceMax;
    this.#waitingMax = limits.waitingMax;
  }

  /**
   * Runs `work` when its turn comes. Throws `GateFullError` at once when too many wait, and the
   * signal's reason when it aborts before the turn; work that has begun is not stopped.
   */
  async run<T>(
    work: () => Promise<T>,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<T> {
    options.signal?.throwIfAborted();
    await this.#enter(options.signal);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal | undefined): Promise<void> {
    if (this.#running < this.#atOnceMax) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.size >= this.#waitingMax) throw new GateFullError();
    await new Promise<void>((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(enter);
        reject(signal?.reason);
      };
      this.#waiting.add(enter);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  /** Hands the place to the one that waits longest, so that no late-comer slips in between. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#running -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
