/** Usage summed before it is written, so that a group of commits writes few rows. */
import type { UsageDelta } from '../../core/usage.ts';

/** Adds deltas of one key up; the sums are in the order in which keys came. */
export class UsageSums {
  readonly #sums = new Map<string, UsageDelta>();

  add(delta: UsageDelta): void {
    const key = usageKeyOf(delta);
    const standing = this.#sums.get(key);
    this.#sums.set(key, standing ? sumOf(standing, delta) : delta);
  }

  sums(): readonly UsageDelta[] {
    return [...this.#sums.values()];
  }
}

function usageKeyOf(delta: UsageDelta): string {
  const { accountId, hour, meter, source, bucketId, credential, link } = delta;
  return JSON.stringify([accountId, hour, meter, source, bucketId, credential, link ?? null]);
}

function sumOf(a: UsageDelta, b: UsageDelta): UsageDelta {
  return { ...a, bytes: a.bytes + b.bytes, requests: a.requests + b.requests };
}
