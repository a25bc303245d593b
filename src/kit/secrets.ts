/** Hashing and comparing secrets. */
import { createHmac, hash, type KeyObject, timingSafeEqual } from 'node:crypto';

/** SHA-256 of the UTF-8 of `text`, lower-case hex. */
export function sha256Hex(text: string): string {
  return hash('sha256', text, 'hex');
}

/** HMAC-SHA-256 over the UTF-8 of `text`, base64url without padding (43 characters). */
export function macOfText(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text, 'utf8').digest('base64url');
}

/** Whether two texts are equal, in a time that tells nothing but their lengths. */
export function isSameSecret(one: string, other: string): boolean {
  const left = Buffer.from(one, 'utf8');
  const right = Buffer.from(other, 'utf8');
  return left.length === right.length && timingSafeEqual(left, right);
}
