import type { TimeMs } from '../ids.ts';

/** The one source of time and timers, so that tests can move it. */
export interface Clock {
  /** Milliseconds since the epoch, UTC. Never goes back by more than the machine's clock does. */
  now(): TimeMs;

  /**
   * Calls `run` once after `delayMs`, not before. The returned function takes the call back and may
   * be called at any time, any number of times. A pending call does not keep the process alive.
   */
  after(delayMs: number, run: () => void): () => void;
}
