/**
 * How long bodies may take, on every listener: at least so many bytes in a minute, and some kinds
 * all of it in so long. Only time in which the server was ready to read counts, so that a slow disk
 * is never held against the sender (files-api.md, "Rate limits").
 */
import { ServiceError } from '../../core/errors.ts';
import type { Clock } from '../../core/ports/clock.ts';

const STEP_MS = 1000;
const WINDOW_MS = 60_000;
/** 1 KiB a second. */
const WINDOW_BYTES_MIN = 60 * 1024;

/** What a kind of body is held to besides its pace. */
export type BodyTerms = {
  /** All of it, or what comes before `isOver`, comes within so long. */
  readonly withinMs?: number;
  readonly isOver?: () => boolean;
};

/** A JSON body is small: who needs longer holds a connection for nothing. */
export const JSON_TERMS: BodyTerms = { withinMs: 30_000 };
/** The fields of a form before its file. */
export const FORM_FIELDS_MS = 60_000;

export type WatchedBody = BodyTerms & {
  /** Whether the server would take bytes at this moment. */
  readonly isReady: () => boolean;
  /** Gets `body_too_slow`, once. */
  readonly fail: (error: ServiceError) => void;
};

/** A body that is being read. */
export type BodyPace = {
  readonly add: (bytes: number) => void;
  /** Nothing more is expected of it; may be called again. */
  readonly end: () => void;
};

type Entry = {
  readonly body: WatchedBody;
  readyMs: number;
  windowMs: number;
  windowBytes: number;
};

/** One for all listeners: it looks at every body under way once a second. */
export class BodyWatch {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #open = new Set<Entry>();
  #isTicking = false;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  begin(body: WatchedBody): BodyPace {
    const entry: Entry = { body, readyMs: 0, windowMs: 0, windowBytes: 0 };
    this.#open.add(entry);
    // It ticks on until nothing is open: a timer for each body would cost more than the body.
    if (!this.#isTicking) this.#tickLater();
    return {
      add: (bytes) => {
        entry.windowBytes += bytes;
      },
      end: () => void this.#open.delete(entry),
    };
  }

  #tickLater(): void {
    this.#isTicking = true;
    this.#clock.after(STEP_MS, () => {
      this.#isTicking = false;
      for (const entry of [...this.#open]) this.#look(entry);
      if (this.#open.size > 0 && !this.#isTicking) this.#tickLater();
    });
  }

  #look(entry: Entry): void {
    const { body } = entry;
    if (!body.isReady()) return;
    entry.readyMs += STEP_MS;
    entry.windowMs += STEP_MS;
    if (isLate(entry) || isSlow(entry)) {
      this.#open.delete(entry);
      body.fail(new ServiceError('body_too_slow', 'The body came too slowly.'));
      return;
    }
    if (entry.windowMs < WINDOW_MS) return;
    entry.windowMs = 0;
    entry.windowBytes = 0;
  }
}

function isLate({ body: { withinMs, isOver }, readyMs }: Entry): boolean {
  return withinMs !== undefined && readyMs >= withinMs && isOver?.() !== true;
}

function isSlow({ windowMs, windowBytes }: Entry): boolean {
  return windowMs >= WINDOW_MS && windowBytes < WINDOW_BYTES_MIN;
}
