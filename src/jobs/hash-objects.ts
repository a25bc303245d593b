/** Gives objects that came in parts their content hashes, one after another. */
import { isServiceError } from '../core/errors.ts';
import { type HashDeps, hashObject } from '../core/objects/write/hash-object.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { ContentHashReads, UnhashedPosition } from '../core/ports/metadata/content-hashes.ts';

export type ObjectHasherDeps = HashDeps & {
  readonly metadata: ContentHashReads;
  readonly clock: Pick<Clock, 'now'>;
};

const PAGE_OBJECTS = 100;
/** What could not be read is tried again so often; also what a move carried behind the position. */
const START_ANEW_EVERY_MS = 3_600_000;

export class ObjectHasher {
  readonly #deps: ObjectHasherDeps;
  #after: UnhashedPosition | undefined;
  #startedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ObjectHasherDeps) {
    this.#deps = deps;
  }

  /**
   * Hashes what came since the run before. One that fails does not hold up the others: its error is
   * thrown at the end. Answers how many got their hash.
   */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<number> {
    const now = this.#deps.clock.now();
    if (now - this.#startedAt >= START_ANEW_EVERY_MS) {
      this.#startedAt = now;
      this.#after = undefined;
    }
    const failures: unknown[] = [];
    let hashed = 0;
    while (!signal.aborted) {
      const page = { after: this.#after, limit: PAGE_OBJECTS };
      const objects = await this.#deps.metadata.listUnhashed(page);
      if (objects.length === 0) break;
      for (const object of objects) {
        try {
          if (await hashObject(this.#deps, object, { signal })) hashed += 1;
        } catch (error) {
          if (signal.aborted || isServiceError(error, 'aborted')) return hashed;
          failures.push(error);
        }
        this.#after = object;
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'some objects cannot be hashed');
    return hashed;
  }
}
