/** Warnings of what may come by the thousand: at once the first time, then counted. */
import type { Log } from './log.ts';

/** What came again is told once in so long, with how often it came. */
const EVERY_MS = 60_000;

type After = (ms: number, run: () => void) => () => void;

export class Occasions {
  readonly #log: Pick<Log, 'warn'>;
  readonly #after: After;
  readonly #counts = new Map<string, { count: number; facts: object }>();

  constructor(deps: { readonly log: Pick<Log, 'warn'>; readonly after: After }) {
    this.#log = deps.log;
    this.#after = deps.after;
  }

  /**
   * `sentence` is a constant; `facts` are those of the newest time. `kind`: what is counted apart
   * under one sentence, of a few.
   */
  warn(facts: object, sentence: string, kind = ''): void {
    const key = `${sentence} ${kind}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.count += 1;
      known.facts = facts;
      return;
    }
    this.#counts.set(key, { count: 0, facts });
    this.#log.warn({ ...facts, count: 1 }, sentence);
    this.#wait(key, sentence);
  }

  #wait(key: string, sentence: string): void {
    this.#after(EVERY_MS, () => {
      const known = this.#counts.get(key);
      if (known === undefined || known.count === 0) {
        this.#counts.delete(key);
        return;
      }
      this.#log.warn({ ...known.facts, count: known.count }, sentence);
      known.count = 0;
      this.#wait(key, sentence);
    });
  }
}
