/**
 * Percent-encoding as Signature Version 4 wants it: over bytes, upper case, everything encoded but
 * `A-Za-z0-9-._~`. Texts are latin1: each character is one byte, as Node gives a request line.
 */

const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** For each byte, how it stands in a canonical query. */
const ENCODINGS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const text = String.fromCharCode(byte);
  return UNRESERVED.test(text) ? text : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
});
const SLASH = 0x2f;
/** The same for a path, where slashes stay. */
const PATH_ENCODINGS: readonly string[] = ENCODINGS.with(SLASH, '/');
const BYTES_OF_PATH = { bare: PATH_ENCODINGS, escaped: PATH_ENCODINGS };
const PERCENT = 0x25;
const PLUS = 0x2b;
/** How a byte that is not escaped in a query stands there canonically. */
const QUERY_ENCODINGS = { bare: ENCODINGS.with(PLUS, '%20'), escaped: ENCODINGS };

/** Decodes `text` and encodes it anew, once; nothing is normalised. */
export function reencodePath(text: string): string {
  return PLAIN_PATH.test(text) ? text : reencode(text, BYTES_OF_PATH);
}

/**
 * Decodes a name or value of a query and encodes it anew. `+` is a space, as AWS has it: clients of
 * the `object_store` family, the Java SDK v1 and aws4fetch send `+` and sign `%20`.
 */
export function reencodeQueryPart(text: string): string {
  return PLAIN_PART.test(text) ? text : reencode(text, QUERY_ENCODINGS);
}

/** The bytes behind `text`, as latin1; a `%` without two hex digits stands for itself. */
export function decodePercent(text: string): string {
  if (!text.includes('%')) return text;
  return text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** The bytes behind a name or value of a query, as latin1: `+` is a space there. */
export function decodeQueryPart(text: string): string {
  return decodePercent(plusAsSpace(text));
}

/** Texts that are encoded as a form write a space as `+`, and a plus as `%2B`. */
export function plusAsSpace(text: string): string {
  return text.includes('+') ? text.replaceAll('+', ' ') : text;
}

/** Encodes the UTF-8 of `text` for a query. */
export function encodeQueryPart(text: string): string {
  return encodeBytes(text, ENCODINGS);
}

/** Encodes the UTF-8 of `text` for a path; slashes stay. */
export function encodePath(text: string): string {
  return encodeBytes(text, PATH_ENCODINGS);
}

/** Most keys and parameters: a regular expression is several times as fast as the loop. */
const PLAIN_PATH = /^[A-Za-z0-9\-._~/]*$/;
const PLAIN_PART = /^[A-Za-z0-9\-._~]*$/;

type Encodings = { readonly bare: readonly string[]; readonly escaped: readonly string[] };

function reencode(text: string, { bare, escaped }: Encodings): string {
  let encoded = '';
  for (let at = 0; at < text.length; at++) {
    const byte = text.charCodeAt(at) & 0xff;
    if (byte === PERCENT) {
      const high = digitAt(text, at + 1);
      const low = digitAt(text, at + 2);
      if (high >= 0 && low >= 0) {
        encoded += escaped[high * 16 + low];
        at += 2;
        continue;
      }
    }
    encoded += bare[byte];
  }
  return encoded;
}

/** The value of a hex digit, or -1. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

function encodeBytes(text: string, encodings: readonly string[]): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) => encodings[byte]).join('');
}
