/**
 * Digests large bodies in a thread of their own: MD5 alone takes 1.4 ms a MiB, in which the event
 * loop would answer nobody. Bodies that stay small are digested in place, in one go.
 */
import { Worker } from 'node:worker_threads';
import type { Digester, Digesters } from '../../core/ports/digesters.ts';
import { asBuffer } from '../../kit/buffers.ts';
import { ChunkList } from '../../kit/chunk-list.ts';
import {
  type Digests,
  type DigestWishes,
  digestBytes,
  NO_WISHES,
  StreamDigester,
} from '../../kit/digests.ts';
import type { DigestAnswer, DigestOrder } from './digest-thread.ts';

const BLOCK_BYTES = 256 * 1024;
/** Blocks of one body that are being digested while the next is filled. */
const BLOCKS_AHEAD_MAX = 4;
/** Blocks kept for the next body; more are given back to the system. */
const BLOCKS_KEPT_MAX = 32;
/** A body up to this is digested in place: the way to the thread and back costs as much. */
const INLINE_BYTES_MAX = 1024 * 1024;
/** So much of a body of unknown length is kept until it is clear that it is worth a thread. */
const KEPT_BYTES_MAX = 256 * 1024;

export class ThreadDigesters implements Digesters {
  #thread: Worker | undefined;
  #nextStream = 1;
  readonly #streams = new Map<number, ThreadStream>();
  readonly #freeBlocks: SharedArrayBuffer[] = [];

  open(sizeBytes: number | undefined, wishes: DigestWishes = NO_WISHES): Digester {
    if (sizeBytes === undefined) {
      return new UndecidedDigester(wishes, () => this.#openStream(wishes));
    }
    return sizeBytes > INLINE_BYTES_MAX ? this.#openStream(wishes) : new InlineDigester(wishes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread?.terminate();
  }

  #openStream(wishes: DigestWishes): ThreadStream {
    const thread = this.#thread ?? this.#start();
    const stream = this.#nextStream;
    this.#nextStream += 1;
    const opened = new ThreadStream(stream, {
      post: (order) => thread.postMessage(order),
      takeBlock: () => this.#freeBlocks.pop() ?? new SharedArrayBuffer(BLOCK_BYTES),
      giveBlock: (block) => this.#giveBlock(block),
      onEnd: () => this.#streams.delete(stream),
    });
    this.#streams.set(stream, opened);
    thread.postMessage({ kind: 'begin', stream, wishes } satisfies DigestOrder);
    return opened;
  }

  /** Started with the first large body: an idle thread takes memory for nothing. */
  #start(): Worker {
    const thread = new Worker(new URL('./digest-thread.ts', import.meta.url));
    thread.on('message', (answer: DigestAnswer) => {
      const stream = this.#streams.get(answer.stream);
      if (stream !== undefined) stream.take(answer);
      else if (answer.kind === 'done') this.#giveBlock(answer.block);
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

/** Digests in place, in one go when the body is one chunk. */
class InlineDigester implements Digester {
  readonly #wishes: DigestWishes;
  #first: Uint8Array | undefined;
  #stream: StreamDigester | undefined;

  constructor(wishes: DigestWishes) {
    this.#wishes = wishes;
  }

  update(chunk: Uint8Array): undefined {
    if (this.#first === undefined && this.#stream === undefined) {
      this.#first = chunk;
      return;
    }
    this.#stream ??= new StreamDigester(this.#wishes);
    if (this.#first !== undefined) this.#stream.update(this.#first);
    this.#first = undefined;
    this.#stream.update(chunk);
  }

  finish(): Digests {
    return this.#stream?.finish() ?? digestBytes(this.#first ?? Buffer.alloc(0), this.#wishes);
  }

  abandon(): void {}
}

/** Keeps the first bytes of a body of unknown length until it is clear whether it is small. */
class UndecidedDigester implements Digester {
  readonly #wishes: DigestWishes;
  readonly #openStream: () => ThreadStream;
  readonly #kept = new ChunkList();
  #stream: ThreadStream | undefined;

  constructor(wishes: DigestWishes, openStream: () => ThreadStream) {
    this.#wishes = wishes;
    this.#openStream = openStream;
  }

  update(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#stream !== undefined) return this.#stream.update(chunk);
    this.#kept.push(chunk);
    if (this.#kept.sizeBytes <= KEPT_BYTES_MAX) return undefined;
    const stream = this.#openStream();
    this.#stream = stream;
    const kept = this.#kept.take();
    return (async () => {
      for (const part of kept) await stream.update(part);
    })();
  }

  finish(): Digests | Promise<Digests> {
    if (this.#stream !== undefined) return this.#stream.finish();
    const inline = new InlineDigester(this.#wishes);
    for (const chunk of this.#kept.take()) inline.update(chunk);
    return inline.finish();
  }

  abandon(): void {
    this.#kept.take();
    this.#stream?.abandon();
  }
}

type StreamPort = {
  readonly post: (order: DigestOrder) => void;
  readonly takeBlock: () => SharedArrayBuffer;
  readonly giveBlock: (block: SharedArrayBuffer) => void;
  readonly onEnd: () => void;
};

/** One body in the thread. */
class ThreadStream implements Digester {
  readonly #stream: number;
  readonly #port: StreamPort;
  #block: SharedArrayBuffer | undefined;
  #view: Buffer = Buffer.alloc(0);
  #filled = 0;
  #ahead = 0;
  #onRoom: (() => void) | undefined;
  #finishing: PromiseWithResolvers<Digests> | undefined;
  #failure: Error | undefined;
  #isOver = false;

  constructor(stream: number, port: StreamPort) {
    this.#stream = stream;
    this.#port = port;
  }

  update(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = asBuffer(chunk);
    let at = 0;
    while (at < bytes.length) {
      if (this.#block === undefined) this.#beginBlock();
      const copied = bytes.copy(this.#view, this.#filled, at);
      this.#filled += copied;
      at += copied;
      if (this.#filled === BLOCK_BYTES) this.#postBlock();
    }
    if (this.#ahead <= BLOCKS_AHEAD_MAX) return undefined;
    return new Promise((resolve, reject) => {
      this.#onRoom = () => (this.#failure === undefined ? resolve() : reject(this.#failure));
    });
  }

  finish(): Promise<Digests> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#postBlock();
    this.#isOver = true;
    this.#finishing = Promise.withResolvers();
    this.#port.post({ kind: 'finish', stream: this.#stream });
    return this.#finishing.promise;
  }

  abandon(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#port.post({ kind: 'abandon', stream: this.#stream });
    this.#port.onEnd();
  }

  take(answer: DigestAnswer): void {
    if (answer.kind === 'done') {
      this.#ahead -= 1;
      this.#port.giveBlock(answer.block);
      this.#wake();
      return;
    }
    this.#port.onEnd();
    this.#finishing?.resolve(answer.digests);
  }

  fail(error: Error): void {
    this.#isOver = true;
    this.#failure = error;
    this.#port.onEnd();
    this.#finishing?.reject(error);
    this.#wake();
  }

  #wake(): void {
    const wake = this.#onRoom;
    this.#onRoom = undefined;
    wake?.();
  }

  #beginBlock(): void {
    this.#block = this.#port.takeBlock();
    this.#view = Buffer.from(this.#block);
    this.#filled = 0;
  }

  #postBlock(): void {
    if (this.#block === undefined || this.#filled === 0) return;
    this.#ahead += 1;
    this.#port.post({
      kind: 'block',
      stream: this.#stream,
      block: this.#block,
      lengthBytes: this.#filled,
    });
    this.#block = undefined;
  }
}
