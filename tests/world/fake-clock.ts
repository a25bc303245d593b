/** A clock that stands until a test moves it. */
import assert from 'node:assert/strict';
import type { TimeMs } from '../../src/core/ids.ts';
import type { Clock } from '../../src/core/ports/clock.ts';

type Timer = { readonly dueMs: number; readonly order: number; readonly run: () => void };

/** 2026-01-02T03:04:05.678Z: a time in which every part differs. */
const START_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

export class FakeClock implements Clock {
  readonly #timers: Set<Timer> = new Set();
  #nowMs: number;
  #order = 0;

  constructor(startMs: number = START_MS) {
    this.#nowMs = startMs;
  }

  now(): TimeMs {
    return this.#nowMs as TimeMs;
  }

  after(delayMs: number, run: () => void): () => void {
    this.#order += 1;
    const timer = { dueMs: this.#nowMs + delayMs, order: this.#order, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** Moves time on and runs what falls due on the way, in order, each at its own time. */
  advance(durationMs: number): void {
    assert(durationMs >= 0, 'Time does not go back.');
    const endMs = this.#nowMs + durationMs;
    for (let timer = this.#nextDue(endMs); timer; timer = this.#nextDue(endMs)) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.dueMs);
      timer.run();
    }
    this.#nowMs = endMs;
  }

  #nextDue(endMs: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs > endMs) continue;
      const isEarlier =
        next === undefined ||
        timer.dueMs < next.dueMs ||
        (timer.dueMs === next.dueMs && timer.order < next.order);
      if (isEarlier) next = timer;
    }
    return next;
  }
}
