/**
 * Refresh tokens: `pfr_<kid>.<family>.<counter>.<HMAC>` (payments.md section 2). Nothing secret is
 * kept: the family is the session, its row holds the counter, and any token can be made again.
 */
import type { DerivedKey, Keyring } from '../../../kit/keyring.ts';
import { isSameSecret, macOfText } from '../../../kit/secrets.ts';
import type { SessionId } from '../../ids.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';
import { parseSessionId } from '../names.ts';

export type RefreshToken = { readonly sessionId: SessionId; readonly counter: number };

const PREFIX = 'pfr_';
/** Says in the MAC what is signed, should the key ever sign anything else. */
const LABEL = 'refresh';
const FORM =
  /^pfr_([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{22})\.(0|[1-9]\d{0,8})\.([A-Za-z0-9_-]{43})$/;

export function mintRefreshToken(keyring: Keyring, token: RefreshToken): string {
  const derived = keyring.newest(KEY_PURPOSES.refreshToken);
  return `${PREFIX}${derived.kid}.${token.sessionId}.${token.counter}.${macOf(derived, token)}`;
}

/** The token that a text is, if its MAC verifies under a key we hold. */
export function readRefreshToken(keyring: Keyring, text: string): RefreshToken | undefined {
  const [, kid = '', family = '', counter = '', mac = ''] = FORM.exec(text) ?? [];
  const derived = keyring.find(KEY_PURPOSES.refreshToken, kid);
  const sessionId = parseSessionId(family);
  if (derived === undefined || sessionId === undefined) return undefined;
  const token = { sessionId, counter: Number(counter) };
  return isSameSecret(mac, macOf(derived, token)) ? token : undefined;
}

function macOf({ kid, key }: DerivedKey, { sessionId, counter }: RefreshToken): string {
  return macOfText(key, `${LABEL}.${kid}.${sessionId}.${counter}`);
}
