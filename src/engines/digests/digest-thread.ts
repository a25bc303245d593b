/** A thread that digests: blocks of shared memory come in order, digests go back at the end. */
import { parentPort } from 'node:worker_threads';
import { StreamDigester } from '../../kit/digests.ts';

/** What the thread is told; `stream` tells bodies apart. */
export type DigestOrder =
  | {
      readonly kind: 'block';
      readonly stream: number;
      readonly block: SharedArrayBuffer;
      readonly lengthBytes: number;
    }
  | { readonly kind: 'finish'; readonly stream: number }
  | { readonly kind: 'abandon'; readonly stream: number };

/** What it answers: a block may be filled anew; or the digests of a body. */
export type DigestAnswer =
  | { readonly kind: 'done'; readonly stream: number; readonly block: SharedArrayBuffer }
  | {
      readonly kind: 'finished';
      readonly stream: number;
      readonly md5: string;
      readonly blake3: string;
    };

const streams = new Map<number, StreamDigester>();
const answer = (message: DigestAnswer) => parentPort?.postMessage(message);

parentPort?.on('message', (order: DigestOrder) => {
  const { stream } = order;
  const digester = streams.get(stream) ?? new StreamDigester();
  switch (order.kind) {
    case 'block':
      streams.set(stream, digester);
      digester.update(Buffer.from(order.block, 0, order.lengthBytes));
      answer({ kind: 'done', stream, block: order.block });
      break;
    case 'finish':
      streams.delete(stream);
      answer({ kind: 'finished', stream, ...digester.finish() });
      break;
    case 'abandon':
      streams.delete(stream);
      break;
  }
});
