/** Names and ids of identity: made from clock and randomness, parsed from outside text. */
import { strict as assert } from 'node:assert';
import { encodeBase64Url } from '../../kit/base64.ts';
import { isUuidV7, UUID_RANDOM_BYTES, uuidV7 } from '../../kit/uuid.ts';
import {
  type AccessKeyId,
  type AccountId,
  type AccountSlug,
  parseAccessKeyId,
  type SessionId,
  type TimeMs,
  type TokenId,
} from '../ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';

const BASE32_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const SLUG_LENGTH = 12;
const ACCESS_KEY_ID_LENGTH = 20;
const SESSION_ID_BYTES = 16;

export function newAccountId(deps: { readonly clock: Clock; readonly random: Random }): AccountId {
  return newUuid(deps) as AccountId;
}

/** Twenty letters of 32: 100 random bits. */
export function newAccessKeyId(random: Random): AccessKeyId {
  const accessKeyId = parseAccessKeyId(randomLetters(random, ACCESS_KEY_ID_LENGTH).toUpperCase());
  assert(accessKeyId !== undefined, 'twenty letters are an access key id');
  return accessKeyId;
}

export function newTokenId(deps: { readonly clock: Clock; readonly random: Random }): TokenId {
  return newUuid(deps) as TokenId;
}

export function newSessionId(random: Random): SessionId {
  return encodeBase64Url(random.bytes(SESSION_ID_BYTES)) as SessionId;
}

export function newAccountSlug(random: Random): AccountSlug {
  return randomLetters(random, SLUG_LENGTH) as AccountSlug;
}

/** Letters of 32, so that each byte's low five bits choose one without bias. */
function randomLetters(random: Random, length: number): string {
  return Array.from(random.bytes(length), (byte) => BASE32_LETTERS[byte & 31]).join('');
}

export function parseAccountId(text: string): AccountId | undefined {
  return isUuidV7(text) ? (text as AccountId) : undefined;
}

export function parseAccountSlug(text: string): AccountSlug | undefined {
  return /^[a-z2-7]{12}$/.test(text) ? (text as AccountSlug) : undefined;
}

/** The base64url of 128 bits has 22 letters, of which the last carries two bits. */
export function parseSessionId(text: string): SessionId | undefined {
  return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(text) ? (text as SessionId) : undefined;
}

/** Milliseconds as a time; for sums and differences of times. */
export function timeMs(ms: number): TimeMs {
  return ms as TimeMs;
}

function newUuid({ clock, random }: { readonly clock: Clock; readonly random: Random }): string {
  return uuidV7(clock.now(), random.bytes(UUID_RANDOM_BYTES));
}
