/** Ed25519 (RFC 8032): which public keys are sound, and verifying signatures. */
import { createPublicKey, verify } from 'node:crypto';
import { encodeBase64Url } from './base64.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/** The field's prime, 2^255 − 19. */
const P = 2n ** 255n - 19n;
/** The curve's constant −121665/121666 modulo P. */
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;

/**
 * The eight points whose order divides the cofactor, in canonical form. Some implementations accept
 * forged signatures under them; Solana's system program (32 zero bytes) is one.
 */
const LOW_ORDER_POINTS: ReadonlySet<string> = new Set([
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
]);

/**
 * Whether 32 bytes are the canonical encoding of a point on the curve. OpenSSL does not ask this
 * when it takes a key, and program-derived addresses of Solana are just those that are off the
 * curve.
 */
export function isOnCurve(publicKey: Uint8Array): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES) return false;
  const encoded = BigInt(`0x${Buffer.from(publicKey).reverse().toString('hex')}`);
  const isXOdd = encoded >> 255n === 1n;
  const y = encoded & (2n ** 255n - 1n);
  if (y >= P) return false;
  // x² = (y² − 1) / (d·y² + 1); the denominator is never zero, since −1/d is no square.
  const ySquared = (y * y) % P;
  const numerator = (ySquared - 1n + P) % P;
  const denominator = (D * ySquared + 1n) % P;
  if (numerator === 0n) return !isXOdd;
  return powerModP((numerator * denominator) % P, (P - 1n) / 2n) === 1n;
}

/** Whether 32 bytes are one of the eight points of low order. */
export function isLowOrder(publicKey: Uint8Array): boolean {
  return LOW_ORDER_POINTS.has(Buffer.from(publicKey).toString('hex'));
}

/** Whether `signature` over `message` is by the owner of `publicKey` (32 bytes on the curve). */
export function isSignedBy(
  publicKey: Uint8Array,
  signed: { readonly message: Uint8Array; readonly signature: Uint8Array },
): boolean {
  if (signed.signature.length !== SIGNATURE_BYTES) return false;
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: encodeBase64Url(publicKey) },
    format: 'jwk',
  });
  return verify(null, signed.message, key, signed.signature);
}

function powerModP(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % P;
    square = (square * square) % P;
  }
  return result;
}
