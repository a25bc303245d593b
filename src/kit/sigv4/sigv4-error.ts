/** Why a signed request could not even be read; says nothing about the worth of a signature. */
export type SigV4ErrorKind =
  /** Not AWS4-HMAC-SHA256. */
  | 'wrong_algorithm'
  /** Credential, SignedHeaders, Signature or one of the presigned query's names is not there. */
  | 'missing_part'
  /** A part twice, an unknown one, or longer than anything that a client sends. */
  | 'malformed'
  | 'bad_credential'
  | 'bad_signed_headers'
  | 'bad_date'
  | 'bad_expires';

/** A signature whose form is wrong. The message never quotes what was sent. */
export class SigV4Error extends Error {
  readonly kind: SigV4ErrorKind;

  constructor(kind: SigV4ErrorKind, message: string) {
    super(message);
    this.name = 'SigV4Error';
    this.kind = kind;
  }
}
