export type FormErrorKind =
  /** The framing is damaged: no boundary where one is due, a part without a name. */
  | 'malformed'
  /** The body ended before its last boundary. */
  | 'incomplete'
  /** The head of a part, or what stands outside of parts, is longer than anybody writes. */
  | 'too_long';

/** A body that is not what `multipart/form-data` says. The message quotes nothing sent. */
export class FormError extends Error {
  readonly kind: FormErrorKind;

  constructor(kind: FormErrorKind, message: string) {
    super(message);
    this.name = 'FormError';
    this.kind = kind;
  }
}
