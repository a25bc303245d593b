/** Digests bodies on their way in: small ones at once, large ones beside the event loop. */
import type { Digests, DigestWishes } from '../../kit/digests.ts';

/** One body's digests; whoever opened it releases it. */
export interface Digester {
  /**
   * Takes the next bytes, which the caller leaves unchanged until the answer resolves. Answers a
   * promise when it is behind, so that what waits to be digested stays bounded.
   */
  update(chunk: Uint8Array): Promise<void> | undefined;
  finish(): Digests | Promise<Digests>;
  /**
   * Nothing more is done with the body, whether its digests were made or not. Until then it counts
   * as work under way, so that is called when the body has been dealt with. May be called again.
   */
  release(): void;
}

export interface Digesters extends AsyncDisposable {
  /**
   * Begins a body; `sizeBytes` is its length when that is known. MD5 and BLAKE3 are always made;
   * what is wished comes besides.
   */
  open(sizeBytes: number | undefined, wishes?: DigestWishes): Digester;
}
