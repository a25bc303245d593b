import { hash } from 'node:crypto';
import { isSameSecret } from '../secrets.ts';
import type { SigningKey } from './signing-key.ts';

export const ALGORITHM = 'AWS4-HMAC-SHA256';

/** SHA-256 of nothing, lower-case hex. */
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** What is signed of a request; `scope` as `formatScope` writes it, `canonical` as latin1. */
export function stringToSign(signed: {
  readonly amzDate: string;
  readonly scope: string;
  readonly canonical: string;
}): string {
  const digest = hash('sha256', Buffer.from(signed.canonical, 'latin1'), 'hex');
  return `${ALGORITHM}\n${signed.amzDate}\n${signed.scope}\n${digest}`;
}

/** The signature of `text`, which is latin1: 64 lower-case hex digits. */
export function signature(key: SigningKey, text: string): string {
  return key.sign(text);
}

/** Whether two signatures are the same, in constant time; false for texts of other lengths. */
export function isEqualSignature(expected: string, given: string): boolean {
  return isSameSecret(expected, given);
}
