/** Base64 in its two alphabets. */

/** Base64url without padding (RFC 4648 section 5). */
export function encodeBase64Url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/** Decodes unpadded canonical base64url; anything else is `undefined`. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? new Uint8Array(bytes) : undefined;
}

/**
 * Decodes base64 of either alphabet, padded or not, of exactly `sizeBytes` bytes; anything else is
 * `undefined`. Wallets and their libraries write all four forms.
 */
export function decodeBase64OfSize(text: string, sizeBytes: number): Uint8Array | undefined {
  if (text.length > Math.ceil(sizeBytes / 3) * 4) return undefined;
  const match = /^([A-Za-z0-9+/_-]+)(={0,2})$/.exec(text);
  const digits = match?.[1];
  if (digits === undefined) return undefined;
  if (match?.[2] !== '' && text.length % 4 !== 0) return undefined;
  const bytes = decodeBase64Url(digits.replaceAll('+', '-').replaceAll('/', '_'));
  return bytes?.length === sizeBytes ? bytes : undefined;
}
