/** A thread that digests: blocks of shared memory come in order, digests go back at the end. */
import { parentPort } from 'node:worker_threads';
import { prepareChecksums } from '../../kit/checksums/open-checksum.ts';
import { type Digests, type DigestWishes, digestBytes, StreamDigester } from '../../kit/digests.ts';

/** What the thread is told; `stream` tells bodies apart, and its first order begins one. */
export type DigestOrder =
  | {
      readonly kind: 'block';
      readonly stream: number;
      readonly wishes: DigestWishes;
      /** Nothing for an empty rest. */
      readonly block: SharedArrayBuffer | undefined;
      readonly lengthBytes: number;
      readonly isLast: boolean;
    }
  | { readonly kind: 'abandon'; readonly stream: number };

/** What it answers to each block: that may be filled anew; and behind the last one the digests. */
export type DigestAnswer = {
  readonly stream: number;
  readonly block: SharedArrayBuffer | undefined;
  readonly digests: Digests | undefined;
};

const streams = new Map<number, StreamDigester>();

/** While a checksum is loaded, orders wait for it and for each other, so that none overtakes. */
let waiting: Promise<void> | undefined;

parentPort?.on('message', (order: DigestOrder) => {
  const loading = order.kind === 'block' ? prepareChecksums(order.wishes.checksums) : undefined;
  if (loading === undefined && waiting === undefined) {
    take(order);
    return;
  }
  const turn = (waiting ?? Promise.resolve())
    .then(() => loading)
    .then(() => take(order))
    .finally(() => {
      if (waiting === turn) waiting = undefined;
    });
  waiting = turn;
});

function take(order: DigestOrder): void {
  const { stream } = order;
  if (order.kind === 'abandon') {
    streams.delete(stream);
    return;
  }
  const { block, lengthBytes, isLast, wishes } = order;
  const bytes = Buffer.from(block ?? new ArrayBuffer(0), 0, lengthBytes);
  const digests = digest(stream, { bytes, isLast, wishes });
  parentPort?.postMessage({ stream, block, digests } satisfies DigestAnswer);
}

function digest(
  stream: number,
  order: { readonly bytes: Buffer; readonly isLast: boolean; readonly wishes: DigestWishes },
): Digests | undefined {
  const { bytes, isLast, wishes } = order;
  let digester = streams.get(stream);
  if (digester === undefined && isLast) return digestBytes(bytes, wishes);
  if (digester === undefined) {
    digester = new StreamDigester(wishes);
    streams.set(stream, digester);
  }
  digester.update(bytes);
  if (!isLast) return undefined;
  streams.delete(stream);
  return digester.finish();
}
