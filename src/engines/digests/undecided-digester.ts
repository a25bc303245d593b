import type { Digester } from '../../core/ports/digesters.ts';
import { ChunkList } from '../../kit/chunk-list.ts';
import type { Digests, DigestWishes } from '../../kit/digests.ts';
import { InPlaceDigester } from './in-place-digester.ts';

/** So much of a body of unknown length is kept until it is clear that it is worth a thread. */
const KEPT_BYTES_MAX = 256 * 1024;

/** Keeps the first bytes of a body of unknown length until it is clear whether it is small. */
export class UndecidedDigester implements Digester {
  readonly #wishes: DigestWishes;
  readonly #openLarge: () => Digester;
  readonly #kept = new ChunkList();
  #large: Digester | undefined;

  constructor(wishes: DigestWishes, openLarge: () => Digester) {
    this.#wishes = wishes;
    this.#openLarge = openLarge;
  }

  update(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#large !== undefined) return this.#large.update(chunk);
    this.#kept.push(chunk);
    if (this.#kept.sizeBytes <= KEPT_BYTES_MAX) return undefined;
    const large = this.#openLarge();
    this.#large = large;
    const kept = this.#kept.take();
    return (async () => {
      for (const part of kept) await large.update(part);
    })();
  }

  finish(): Digests | Promise<Digests> {
    if (this.#large !== undefined) return this.#large.finish();
    const inPlace = new InPlaceDigester(this.#wishes);
    for (const chunk of this.#kept.take()) inPlace.update(chunk);
    return inPlace.finish();
  }

  release(): void {
    this.#kept.take();
    this.#large?.release();
  }
}
