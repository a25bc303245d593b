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

  /** `sentence` is a constant; `facts` are those of the newest time. */
  warn(facts: object, sentence: string): void {
    const known = this.#counts.get(sentence);
    if (known !== undefined) {
      known.count += 1;
      known.facts = facts;
      return;
    }
    this.#counts.set(sentence, { count: 0, facts });
    this.#log.warn({ ...facts, count: 1 }, sentence);
    this.#wait(sentence);
  }

  #wait(sentence: string): void {
    this.#after(EVERY_MS, () => {
      const known = this.#counts.get(sentence);
      if (known === undefined || known.count === 0) {
        this.#counts.delete(sentence);
        return;
      }
      this.#log.warn({ ...known.facts, count: known.count }, sentence);
      known.count = 0;
      this.#wait(sentence);
    });
  }
}
