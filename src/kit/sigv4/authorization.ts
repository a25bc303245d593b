import { type CredentialScope, parseCredential } from './credential-scope.ts';
import { ALGORITHM } from './sign.ts';
import { parseSignedHeaders } from './signed-headers.ts';
import { SigV4Error } from './sigv4-error.ts';

/** What an `Authorization` header of Signature Version 4 says. */
export type Authorization = {
  readonly scope: CredentialScope;
  readonly signedHeaders: readonly string[];
  /** As sent: whatever it is, it is only ever compared. */
  readonly signature: string;
};

/** Twice what 100 metadata headers take. */
const AUTHORIZATION_LENGTH_MAX = 8192;

/**
 * Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`, the parts in any order, with
 * or without spaces after the commas (s3cmd sends none). Throws `SigV4Error`, and nothing else.
 */
export function parseAuthorization(value: string): Authorization {
  if (!value.startsWith(`${ALGORITHM} `)) {
    throw new SigV4Error('wrong_algorithm', `The authorization is not by ${ALGORITHM}.`);
  }
  if (value.length > AUTHORIZATION_LENGTH_MAX) {
    throw new SigV4Error('malformed', 'The authorization header is too long.');
  }
  let credential: string | undefined;
  let signedHeaders: string | undefined;
  let signature: string | undefined;
  for (const part of value.slice(ALGORITHM.length + 1).split(',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, Math.max(equals, 0)).trim();
    const text = part.slice(equals + 1).trim();
    if (name === 'Credential' && credential === undefined) credential = text;
    else if (name === 'SignedHeaders' && signedHeaders === undefined) signedHeaders = text;
    else if (name === 'Signature' && signature === undefined) signature = text;
    else throw new SigV4Error('malformed', 'A part of the authorization is unknown or repeated.');
  }
  if (!credential || !signedHeaders || !signature) {
    throw new SigV4Error(
      'missing_part',
      'The authorization lacks one of Credential, SignedHeaders and Signature.',
    );
  }
  return {
    scope: parseCredential(credential),
    signedHeaders: parseSignedHeaders(signedHeaders),
    signature,
  };
}
