/**
 * Why a document was not read: it is no XML (`malformed`), it uses what we never read (`refused`:
 * document types, entities, processing instructions), or it is beyond a limit (`too_large`).
 */
export type XmlErrorKind = 'malformed' | 'refused' | 'too_large';

export class XmlError extends Error {
  override readonly name = 'XmlError';
  readonly kind: XmlErrorKind;

  constructor(kind: XmlErrorKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
