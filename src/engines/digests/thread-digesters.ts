/**
 * Digests bodies in a thread of their own: MD5 alone takes 1.4 ms a MiB, in which the event loop
 * would answer nobody. Small bodies are digested in place, and so are those that have the event
 * loop for themselves: the way to the thread and back would only make their sender wait.
 */
import { Worker } from 'node:worker_threads';
import type { Digester, Digesters } from '../../core/ports/digesters.ts';
import { type DigestWishes, NO_WISHES } from '../../kit/digests.ts';
import type { DigestAnswer } from './digest-thread.ts';
import { InPlaceDigester } from './in-place-digester.ts';
import { ThreadStream } from './thread-stream.ts';
import { UndecidedDigester } from './undecided-digester.ts';

const BLOCK_BYTES = 256 * 1024;
/** Blocks kept for the next body; more are given back to the system. */
const BLOCKS_KEPT_MAX = 32;
/** Up to this, handing a body over costs the event loop as much as digesting it. */
const SMALL_BYTES_MAX = 16 * 1024;
/** A body above this is handed over whatever else goes on. */
const LARGE_BYTES_MIN = 1024 * 1024;
/** With so many bodies in the thread, the event loop digests the next one of medium size. */
const STREAMS_ENOUGH = 8;

export class ThreadDigesters implements Digesters {
  #thread: Worker | undefined;
  #nextStream = 1;
  readonly #streams = new Map<number, ThreadStream>();
  /** Bodies that are not small and not yet released. */
  #open = 0;
  readonly #freeBlocks: SharedArrayBuffer[] = [];
  readonly #onRelease = () => {
    this.#open -= 1;
  };

  open(sizeBytes: number | undefined, wishes: DigestWishes = NO_WISHES): Digester {
    if (sizeBytes === undefined) {
      return new UndecidedDigester(wishes, () => this.#openStream(wishes));
    }
    if (sizeBytes <= SMALL_BYTES_MAX) return new InPlaceDigester(wishes);
    if (sizeBytes > LARGE_BYTES_MIN) return this.#openStream(wishes);
    const isAlone = this.#open === 0;
    if (!isAlone && this.#streams.size < STREAMS_ENOUGH) return this.#openStream(wishes);
    this.#open += 1;
    return new InPlaceDigester(wishes, this.#onRelease);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate();
  }

  #openStream(wishes: DigestWishes): ThreadStream {
    const thread = this.#thread ?? this.#start();
    const stream = this.#nextStream;
    this.#nextStream += 1;
    const opened = new ThreadStream(stream, wishes, {
      post: (order) => thread.postMessage(order),
      takeBlock: () => this.#freeBlocks.pop() ?? new SharedArrayBuffer(BLOCK_BYTES),
      giveBlock: (block) => this.#giveBlock(block),
      onEnd: () => this.#streams.delete(stream),
      onRelease: this.#onRelease,
    });
    this.#open += 1;
    this.#streams.set(stream, opened);
    return opened;
  }

  /** Started with the first body that needs it: an idle thread takes memory for nothing. */
  #start(): Worker {
    const thread = new Worker(new URL('./digest-thread.ts', import.meta.url));
    thread.on('message', (answer: DigestAnswer) => {
      const stream = this.#streams.get(answer.stream);
      if (stream !== undefined) stream.take(answer);
      else if (answer.block !== undefined) this.#giveBlock(answer.block);
    });
    thread.on('error', (cause) => {
      // Uploads under way fail; the next one starts a new thread.
      this.#thread = undefined;
      const error = new Error('the digest thread ended', { cause });
      for (const stream of [...this.#streams.values()]) stream.fail(error);
    });
    thread.unref();
    this.#thread = thread;
    return thread;
  }

  #giveBlock(block: SharedArrayBuffer): void {
    if (this.#freeBlocks.length < BLOCKS_KEPT_MAX) this.#freeBlocks.push(block);
  }
}
