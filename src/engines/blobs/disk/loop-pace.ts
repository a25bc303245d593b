/**
 * Whether the disk is fast enough to be called on the event loop. Calls into the system's cache
 * are; once one of them was slow (cold pages, a throttled disk) calls go through the thread pool
 * for a while, as long as they are slow there too.
 */

/** Copying 256 KiB takes a tenth of this, also on a busy machine. */
const SLOW_MS = 5;
const AWAY_MS_MIN = 1000;
/** A disk that is slow now and then holds up the loop this seldom at most. */
const AWAY_MS_MAX = 60_000;

export type LoopPaceOptions = {
  /** Called for each slow call that was made on the event loop. */
  readonly onSlow: () => void;
  /** Monotonic. */
  readonly elapsedMs?: () => number;
};

export class LoopPace {
  readonly #onSlow: () => void;
  readonly #elapsedMs: () => number;
  #awayUntil = Number.NEGATIVE_INFINITY;
  /** 0: it was never left. */
  #awayMs = 0;

  constructor({ onSlow, elapsedMs = () => performance.now() }: LoopPaceOptions) {
    this.#onSlow = onSlow;
    this.#elapsedMs = elapsedMs;
  }

  /** Runs `call` on the event loop, or `elsewhere` in the thread pool. */
  run(call: () => number, elsewhere: () => Promise<number>): number | Promise<number> {
    const startedMs = this.#elapsedMs();
    if (startedMs < this.#awayUntil) return this.#runElsewhere(elsewhere, startedMs);
    const answer = call();
    const endedMs = this.#elapsedMs();
    if (endedMs - startedMs >= SLOW_MS) this.#leave(endedMs);
    return answer;
  }

  async #runElsewhere(elsewhere: () => Promise<number>, startedMs: number): Promise<number> {
    const answer = await elsewhere();
    const endedMs = this.#elapsedMs();
    // The wait for a thread counts too: then the loop has other work than to wait for a disk.
    if (endedMs - startedMs >= SLOW_MS) {
      this.#awayUntil = Math.max(this.#awayUntil, endedMs + AWAY_MS_MIN);
    }
    return answer;
  }

  /** Longer each time, unless the disk was fast for long. */
  #leave(atMs: number): void {
    const fastForMs = atMs - this.#awayUntil;
    const isFirst = this.#awayMs === 0 || fastForMs > AWAY_MS_MAX;
    this.#awayMs = isFirst ? AWAY_MS_MIN : Math.min(AWAY_MS_MAX, 2 * this.#awayMs);
    this.#awayUntil = atMs + this.#awayMs;
    this.#onSlow();
  }
}
