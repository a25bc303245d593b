import type { Digester } from '../../core/ports/digesters.ts';
import { type Digests, type DigestWishes, digestBytes, StreamDigester } from '../../kit/digests.ts';

/** Digests on the event loop, in one go when the body is one chunk. */
export class InPlaceDigester implements Digester {
  readonly #wishes: DigestWishes;
  #onRelease: (() => void) | undefined;
  #first: Uint8Array | undefined;
  #stream: StreamDigester | undefined;

  constructor(wishes: DigestWishes, onRelease?: () => void) {
    this.#wishes = wishes;
    this.#onRelease = onRelease;
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
    if (this.#stream !== undefined) return this.#stream.finish();
    const digests = digestBytes(this.#first ?? Buffer.alloc(0), this.#wishes);
    this.#first = undefined;
    return digests;
  }

  release(): void {
    const onRelease = this.#onRelease;
    this.#onRelease = undefined;
    onRelease?.();
  }
}
