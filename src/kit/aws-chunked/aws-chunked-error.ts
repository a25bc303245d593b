export type AwsChunkedErrorKind =
  /** The framing is damaged: a length that is no hex, a line end that is not there. */
  | 'malformed'
  /** The body ended before its last chunk, or inside its trailers. */
  | 'incomplete'
  /** The chunks hold more bytes than were declared. */
  | 'too_long'
  /** The last chunk came before the declared bytes were complete. */
  | 'too_short'
  /** A trailer that is no `name:value`, stands there twice or was not announced; too many. */
  | 'malformed_trailer'
  /** The signature of a chunk or of the trailers is wrong or missing. */
  | 'signature_mismatch';

/** A body that is not what its framing or its signatures say. The message quotes nothing sent. */
export class AwsChunkedError extends Error {
  readonly kind: AwsChunkedErrorKind;

  constructor(kind: AwsChunkedErrorKind, message: string) {
    super(message);
    this.name = 'AwsChunkedError';
    this.kind = kind;
  }
}
