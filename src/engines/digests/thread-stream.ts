import type { Digester } from '../../core/ports/digesters.ts';
import { asBuffer } from '../../kit/buffers.ts';
import type { Digests, DigestWishes } from '../../kit/digests.ts';
import type { DigestAnswer, DigestOrder } from './digest-thread.ts';

/** Blocks of one body that are being digested while the next is filled. */
const BLOCKS_AHEAD_MAX = 4;
const NOTHING = Buffer.alloc(0);

export type StreamPort = {
  readonly post: (order: DigestOrder) => void;
  readonly takeBlock: () => SharedArrayBuffer;
  readonly giveBlock: (block: SharedArrayBuffer) => void;
  /** The thread has nothing more to say of this body; called once or more. */
  readonly onEnd: () => void;
  /** Called once. */
  readonly onRelease: () => void;
};

/** One body in the thread: its bytes are copied into shared blocks, which go there when full. */
export class ThreadStream implements Digester {
  readonly #stream: number;
  readonly #wishes: DigestWishes;
  readonly #port: StreamPort;
  #block: SharedArrayBuffer | undefined;
  #view: Buffer = NOTHING;
  #filled = 0;
  #ahead = 0;
  #onRoom: (() => void) | undefined;
  #finishing: PromiseWithResolvers<Digests> | undefined;
  #failure: Error | undefined;
  #isOver = false;
  #isReleased = false;

  constructor(stream: number, wishes: DigestWishes, port: StreamPort) {
    this.#stream = stream;
    this.#wishes = wishes;
    this.#port = port;
  }

  update(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = asBuffer(chunk);
    let at = 0;
    while (at < bytes.length) {
      if (this.#filled === this.#view.length) this.#postBlock(false);
      if (this.#block === undefined) this.#beginBlock();
      const copied = bytes.copy(this.#view, this.#filled, at);
      this.#filled += copied;
      at += copied;
    }
    if (this.#ahead <= BLOCKS_AHEAD_MAX) return undefined;
    return new Promise((resolve, reject) => {
      this.#onRoom = () => (this.#failure === undefined ? resolve() : reject(this.#failure));
    });
  }

  finish(): Promise<Digests> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#isOver = true;
    this.#finishing = Promise.withResolvers();
    this.#postBlock(true);
    return this.#finishing.promise;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#port.onRelease();
    if (!this.#isOver) this.#giveUp();
  }
  take({ block, digests }: DigestAnswer): void {
    this.#ahead -= 1;
    if (block !== undefined) this.#port.giveBlock(block);
    this.#wake();
    if (digests === undefined) return;
    this.#port.onEnd();
    this.#finishing?.resolve(digests);
  }

  fail(error: Error): void {
    this.#isOver = true;
    this.#failure = error;
    this.#port.onEnd();
    this.#finishing?.reject(error);
    this.#wake();
  }

  #giveUp(): void {
    this.#isOver = true;
    if (this.#block !== undefined) this.#port.giveBlock(this.#block);
    this.#block = undefined;
    this.#port.post({ kind: 'abandon', stream: this.#stream });
    this.#port.onEnd();
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

  /** A full block goes when more bytes come, so that the last one says that it is the last. */
  #postBlock(isLast: boolean): void {
    if (this.#block === undefined && !isLast) return;
    this.#ahead += 1;
    this.#port.post({
      kind: 'block',
      stream: this.#stream,
      wishes: this.#wishes,
      block: this.#block,
      lengthBytes: this.#block === undefined ? 0 : this.#filled,
      isLast,
    });
    this.#block = undefined;
    this.#view = NOTHING;
    this.#filled = 0;
  }
}
