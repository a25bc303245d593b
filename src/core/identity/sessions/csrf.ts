/** CSRF tokens: a MAC of the session, so that nothing is kept (payments.md section 2). */
import type { DerivedKey, Keyring } from '../../../kit/keyring.ts';
import { isSameSecret, macOfText } from '../../../kit/secrets.ts';
import { ServiceError } from '../../errors.ts';
import type { SessionId } from '../../ids.ts';
import type { Principal } from '../../principal.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';

/** `<kid>.<HMAC>`; stays valid as long as its session and its master key. */
export function mintCsrfToken(keyring: Keyring, sessionId: SessionId): string {
  return csrfTokenOf(keyring.newest(KEY_PURPOSES.csrfToken), sessionId);
}

/**
 * Throws `csrf_invalid` when a session's request carries a wrong token, or none where a cookie
 * authenticated a method that changes something (`isRequired`). Keys and tokens ignore it: a header
 * cannot be forged across sites (files-api.md, Authentication).
 */
export function checkCsrf(
  { keyring }: { readonly keyring: Keyring },
  request: {
    readonly principal: Principal;
    readonly csrfToken: string | undefined;
    readonly isRequired: boolean;
  },
): void {
  const { credential } = request.principal;
  if (credential.kind !== 'session') return;
  if (request.csrfToken === undefined && !request.isRequired) return;
  if (isCsrfToken(keyring, credential.sessionId, request.csrfToken ?? '')) return;
  throw new ServiceError('csrf_invalid', 'The CSRF token is missing or wrong.');
}

function isCsrfToken(keyring: Keyring, sessionId: SessionId, text: string): boolean {
  const [kid = ''] = text.split('.', 1);
  const derived = keyring.find(KEY_PURPOSES.csrfToken, kid);
  return derived !== undefined && isSameSecret(text, csrfTokenOf(derived, sessionId));
}

function csrfTokenOf({ kid, key }: DerivedKey, sessionId: SessionId): string {
  return `${kid}.${macOfText(key, sessionId)}`;
}
