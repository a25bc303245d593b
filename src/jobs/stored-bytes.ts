/** Knows how much all accounts store together, from time to time. */
import type { Capacity } from '../core/objects/write/capacity.ts';
import type { AccountReads } from '../core/ports/metadata/accounts.ts';

export class StoredBytes implements Capacity {
  readonly capacityBytes: bigint | undefined;
  readonly #metadata: Pick<AccountReads, 'sumStoredBytes'>;
  #storedBytes = 0n;

  constructor(metadata: Pick<AccountReads, 'sumStoredBytes'>, capacityBytes: bigint | undefined) {
    this.#metadata = metadata;
    this.capacityBytes = capacityBytes;
  }

  readonly storedBytes = (): bigint => this.#storedBytes;

  async refresh(): Promise<void> {
    this.#storedBytes = await this.#metadata.sumStoredBytes();
  }
}
