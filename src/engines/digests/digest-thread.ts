/** A thread that digests: blocks of shared memory come in order, digests go back at the end. */
import { parentPort } from 'node:worker_threads';
import { type Digests, type DigestWishes, StreamDigester } from '../../kit/digests.ts';

/** What the thread is told; `stream` tells bodies apart. */
export type DigestOrder =
  | { readonly kind: 'begin'; readonly stream: number; readonly wishes: DigestWishes }
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
      readonly digests: Digests;
    };

const streams = new Map<number, StreamDigester>();
const answer = (message: DigestAnswer) => parentPort?.postMessage(message);

parentPort?.on('message', (order: DigestOrder) => {
  const { stream } = order;
  switch (order.kind) {
    case 'begin':
      streams.set(stream, new StreamDigester(order.wishes));
      break;
    case 'block':
      streams.get(stream)?.update(Buffer.from(order.block, 0, order.lengthBytes));
      answer({ kind: 'done', stream, block: order.block });
      break;
    case 'finish': {
      const digester = streams.get(stream);
      streams.delete(stream);
      if (digester !== undefined) answer({ kind: 'finished', stream, digests: digester.finish() });
      break;
    }
    case 'abandon':
      streams.delete(stream);
      break;
  }
});
