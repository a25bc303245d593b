/** Sums usage in memory and appends the sums every second: a download must not wait for a sync. */
import { APPEND_USAGE } from '../core/append-usage.ts';
import type { Transactions } from '../core/ports/metadata/metadata.ts';
import type { UsageRecorder } from '../core/ports/usage-recorder.ts';
import type { UsageDelta } from '../core/usage.ts';

/** More different sums than this are written at once rather than kept. */
const SUMS_MAX = 10_000;

/**
 * What a killed process had not yet written is lost: at most a second of egress, in the account's
 * favour. A sum that could not be written is kept for the next flush.
 */
export class UsageBuffer implements UsageRecorder {
  readonly #metadata: Transactions;
  #sums = new Map<string, UsageDelta>();
  #flushing: Promise<void> | undefined;

  constructor(metadata: Transactions) {
    this.#metadata = metadata;
  }

  record(delta: UsageDelta): void {
    const key = keyOf(delta);
    const sum = this.#sums.get(key);
    this.#sums.set(key, sum === undefined ? delta : add(sum, delta));
    // A failed write shows in the flush job, which tries again.
    if (this.#sums.size > SUMS_MAX && this.#flushing === undefined) {
      this.flush().catch(() => undefined);
    }
  }

  /** Appends what was recorded so far. Throws what the engine throws, with nothing lost. */
  async flush(): Promise<void> {
    // What came after a flush under way had begun is not in it.
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#sums.size === 0) return;
    const sums = this.#sums;
    this.#sums = new Map();
    this.#flushing = this.#metadata
      .transact(APPEND_USAGE, [...sums.values()])
      .catch((error: unknown) => {
        for (const sum of sums.values()) this.record(sum);
        throw error;
      })
      .finally(() => {
        this.#flushing = undefined;
      });
    await this.#flushing;
  }
}

function add(sum: UsageDelta, delta: UsageDelta): UsageDelta {
  return { ...sum, bytes: sum.bytes + delta.bytes, requests: sum.requests + delta.requests };
}

function keyOf(delta: UsageDelta): string {
  const { accountId, hour, meter, source, bucketId, credential, link } = delta;
  return [accountId, hour, meter, source, bucketId, credential, link ?? ''].join(' ');
}
