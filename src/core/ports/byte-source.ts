/** Where the bytes of a write come from: a request's body, a form's part, a copy. */
import type { ByteSink } from './blob-store.ts';

export interface ByteSource {
  /** Length that the sender declared; `undefined` while it is unknown. */
  readonly declaredBytes: number | undefined;

  /**
   * Sends all bytes to `sink` in order and waits when it answers a promise. May be called once.
   * Throws `incomplete_body` when the sender went away or sent less than it declared,
   * `body_too_large` when it sent more, and whatever `sink` throws (the rest is then left unread).
   */
  pipeTo(sink: ByteSink): Promise<void>;
}
