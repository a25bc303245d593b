/**
 * App keys and API tokens: `pfk_` or `pft_`, 32 random bytes in base64url, 6 letters of checksum.
 */
import { encodeBase64Url } from '../../kit/base64.ts';
import { sha256Hex } from '../../kit/secrets.ts';
import type { Random } from '../ports/random.ts';

export type SecretKeyKind = 'appKey' | 'token';

const PREFIXES: Readonly<Record<SecretKeyKind, string>> = { appKey: 'pfk_', token: 'pft_' };
const RANDOM_BYTES = 32;
const CHECKSUM_LENGTH = 6;
const FORM = /^pf[kt]_[A-Za-z0-9_-]{49}$/;

export function mintSecretKey(random: Random, kind: SecretKeyKind): string {
  const body = PREFIXES[kind] + encodeBase64Url(random.bytes(RANDOM_BYTES));
  return body + checksumOf(body);
}

/** What a text claims to be by its prefix; says nothing about its worth. */
export function claimedKeyKind(text: string): SecretKeyKind | undefined {
  if (text.startsWith(PREFIXES.appKey)) return 'appKey';
  return text.startsWith(PREFIXES.token) ? 'token' : undefined;
}

/** Whether form and checksum are right; a mistyped key is refused so without a look-up. */
export function isWellFormedSecretKey(text: string): boolean {
  if (!FORM.test(text)) return false;
  const body = text.slice(0, -CHECKSUM_LENGTH);
  return text.slice(-CHECKSUM_LENGTH) === checksumOf(body);
}

/**
 * What a key is looked up by. A key has 256 random bits, so a plain hash keeps it, and comparing
 * hashes in an index tells nothing about it.
 */
export function lookUpHash(secretKey: string): string {
  return sha256Hex(secretKey);
}

function checksumOf(body: string): string {
  return encodeBase64Url(Buffer.from(sha256Hex(body), 'hex')).slice(0, CHECKSUM_LENGTH);
}
