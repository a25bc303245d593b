/** Digests bodies on their way in: small ones at once, large ones beside the event loop. */
import type { Digests, DigestWishes } from '../../kit/digests.ts';

/** One body's digests. Ends with `finish` or `abandon`. */
export interface Digester {
  /**
   * Takes the next bytes, which the caller leaves unchanged until the answer resolves. Answers a
   * promise when it is behind, so that what waits to be digested stays bounded.
   */
  update(chunk: Uint8Array): Promise<void> | undefined;
  finish(): Digests | Promise<Digests>;
  /** Gives the body up; nothing of it is kept. */
  abandon(): void;
}

export interface Digesters extends AsyncDisposable {
  /**
   * Begins a body; `sizeBytes` is its length when that is known. MD5 and BLAKE3 are always made;
   * what is wished comes besides.
   */
  open(sizeBytes: number | undefined, wishes?: DigestWishes): Digester;
}
