/** Base58 with Bitcoin's alphabet, as Solana writes keys, nonces and signatures. */
import { base58 } from '@scure/base';

export function encodeBase58(bytes: Uint8Array): string {
  return base58.encode(bytes);
}

/**
 * Decodes the canonical base58 of exactly `sizeBytes` bytes; anything else is `undefined`. The
 * length is looked at first, since decoding takes quadratic time.
 */
export function decodeBase58(text: string, sizeBytes: number): Uint8Array | undefined {
  const lengthMax = Math.ceil((sizeBytes * Math.log(256)) / Math.log(58));
  if (text.length > lengthMax || !/^[1-9A-HJ-NP-Za-km-z]+$/.test(text)) return undefined;
  const bytes = base58.decode(text);
  return bytes.length === sizeBytes && base58.encode(bytes) === text ? bytes : undefined;
}
