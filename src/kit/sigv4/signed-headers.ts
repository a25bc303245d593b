import { SigV4Error } from './sigv4-error.ts';

/** More names than this are no request of a client; bounds the work of a forged one. */
const SIGNED_HEADERS_MAX = 256;
const SIGNED_HEADERS = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;

/** Reads `host;x-amz-date`, names in lower case, in the order sent; throws `SigV4Error`. */
export function parseSignedHeaders(text: string): readonly string[] {
  if (!SIGNED_HEADERS.test(text)) {
    throw new SigV4Error(
      'bad_signed_headers',
      'SignedHeaders is not a list of header names in lower case, separated by semicolons.',
    );
  }
  const names = text.split(';');
  if (names.length > SIGNED_HEADERS_MAX) {
    throw new SigV4Error('bad_signed_headers', 'SignedHeaders names too many headers.');
  }
  return names;
}

/**
 * What must be signed and is not: `host`, always, and every `x-amz-*` header of the request.
 * `rawHeaders` is Node's flat list of names and values.
 */
export function findUnsignedHeaders(
  rawHeaders: readonly string[],
  signedHeaders: readonly string[],
): readonly string[] {
  const unsigned: string[] = signedHeaders.includes('host') ? [] : ['host'];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!AMZ_NAME.test(name)) continue;
    const lower = name.toLowerCase();
    if (!signedHeaders.includes(lower) && !unsigned.includes(lower)) unsigned.push(lower);
  }
  return unsigned;
}

const AMZ_NAME = /^x-amz-/i;
