/**
 * Why a document was not read: it is no XML (`malformed`), it uses what we never read (`refused`:
 * document types, entities, processing instructions), or it is beyond a limit (`too_large`).
 */
export type XmlErrorKind = 'malformed' | 'refused' | 'too_large';

/** A message may cite the document, which may say one name for megabytes. */
const MESSAGE_LENGTH_MAX = 200;

export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly kind: XmlErrorKind;

  constructor(kind: XmlErrorKind, message: string) {
    super(
      message.length > MESSAGE_LENGTH_MAX ? `${message.slice(0, MESSAGE_LENGTH_MAX)}…` : message,
    );
    this.kind = kind;
  }
}
