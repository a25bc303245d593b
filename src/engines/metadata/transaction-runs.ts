/** Runs the core's transactions, and says how long each held its writer. */
import type { MetadataTx, Transaction } from '../../core/ports/metadata/metadata.ts';

/** Told of every try, also of one that throws: what its reads and writes took, not the commit. */
export type OnTransaction = (name: string, seconds: number) => void;

export class TransactionRuns {
  readonly #onTransaction: OnTransaction;

  constructor(onTransaction: OnTransaction = () => undefined) {
    this.#onTransaction = onTransaction;
  }

  async run<Input, Answer>(
    { name, run }: Transaction<Input, Answer>,
    tx: MetadataTx,
    input: Input,
  ): Promise<Answer> {
    const begunAt = performance.now();
    try {
      return await run(tx, input);
    } finally {
      this.#onTransaction(name, (performance.now() - begunAt) / 1000);
    }
  }
}
