/**
 * Node allocates a buffer beside V8's heap for every read of a body. It is freed with the small
 * object that stands for it, and those fill the young generation so slowly that V8 marks the whole
 * heap first, about every 30 MiB: some 30 ms of two threads, to free nothing else. Collecting the
 * young generation alone takes a millisecond.
 */

/** At most so much garbage beside the heap. With twice as much V8 may be first, at each 16 MiB. */
const GARBAGE_BYTES_MAX = 8 * 1024 * 1024;

/** Frees the buffers that bodies came in, soon after their bytes were written. */
export class BodyGarbage {
  readonly #collectYoung: () => void;
  #bytes = 0;

  constructor(collectYoung: () => void) {
    this.#collectYoung = collectYoung;
  }

  /** Buffers with so many bytes are referred to no longer. */
  readonly add = (bytes: number): void => {
    this.#bytes += bytes;
    if (this.#bytes < GARBAGE_BYTES_MAX) return;
    this.#bytes = 0;
    this.#collectYoung();
  };
}

/** Does nothing in a Node that was started without `--expose-gc`. */
export function collectYoung(): void {
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
}
