import { createHmac, hash } from 'node:crypto';
import { type CredentialScope, SCOPE_TERMINATOR } from './credential-scope.ts';

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
/** The longest text that is hashed in place: strings to sign of requests and of chunks fit. */
const TEXT_BYTES = 448;

/**
 * A signing key of one day, region and service, held as the two padded blocks of HMAC-SHA-256
 * (RFC 2104), each at the head of a buffer into which the text is written. Two one-shot hashes then
 * make a signature, at a third of the cost of `createHmac` with a `KeyObject`.
 */
export class SigningKey {
  readonly #inner = Buffer.alloc(BLOCK_BYTES + TEXT_BYTES, 0x36);
  readonly #outer = Buffer.alloc(BLOCK_BYTES + DIGEST_BYTES, 0x5c);

  /** `key` is the 32 bytes that the derivation ends with. */
  constructor(key: Uint8Array) {
    if (key.length !== DIGEST_BYTES) throw new RangeError('A signing key has 32 bytes.');
    for (const [at, byte] of key.entries()) {
      this.#inner[at] = byte ^ 0x36;
      this.#outer[at] = byte ^ 0x5c;
    }
  }

  /** HMAC-SHA-256 of `text` as latin1, lower-case hex. */
  sign(text: string): string {
    // A digest as a one-byte string costs half of one in a buffer.
    this.#outer.write(hash('sha256', this.#innerBlocks(text), 'binary'), BLOCK_BYTES, 'latin1');
    return hash('sha256', this.#outer, 'hex');
  }

  #innerBlocks(text: string): Uint8Array {
    if (text.length > TEXT_BYTES) {
      return Buffer.concat([this.#inner.subarray(0, BLOCK_BYTES), Buffer.from(text, 'latin1')]);
    }
    this.#inner.write(text, BLOCK_BYTES, 'latin1');
    return this.#inner.subarray(0, BLOCK_BYTES + text.length);
  }
}

/** Derives the key that signs within `scope` for the holder of `secret`. */
export function deriveSigningKey(scope: CredentialScope, secret: string): SigningKey {
  const parts = [scope.date, scope.region, scope.service, SCOPE_TERMINATOR];
  return new SigningKey(parts.reduce<Uint8Array>(hmac, Buffer.from(`AWS4${secret}`, 'utf8')));
}

function hmac(key: Uint8Array, text: string): Uint8Array {
  return createHmac('sha256', key).update(text, 'latin1').digest();
}
