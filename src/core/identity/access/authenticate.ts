/** Finds out who asks: tries every credential that a request carries. */

import { isInBlocks } from '../../../kit/ip.ts';
import { hasJwtForm } from '../../../kit/jwt.ts';
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import type { TimeMs, TokenId } from '../../ids.ts';
import { LAST_USED_STEP_MS } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Credential, Principal } from '../../principal.ts';
import type { Account, ApiToken } from '../account/account.ts';
import { requireEnabled } from '../account/require-enabled.ts';
import { claimedKeyKind, isWellFormedSecretKey, lookUpHash } from '../secret-key.ts';
import { readAccessToken } from '../sessions/access-token.ts';
import { checkCsrf } from '../sessions/csrf.ts';

/** A credential as a request carries it: where it stood, and its text, which may be anything. */
export type SentCredential = {
  readonly scheme: 'ApiKey' | 'Bearer' | 'X-API-Key' | 'X-User-App-Key' | 'Cookie';
  readonly text: string;
};

export type AuthenticationDeps = {
  readonly metadata: AccessReads & AccountReads & Transactions;
  readonly clock: Clock;
  readonly keyring: Keyring;
  readonly issuer: string;
};

type Proof = { readonly account: Account; readonly credential: Credential };
type CredentialKind = 'accessToken' | 'appKey' | 'token';

/** What may stand where (files-api.md, Authentication); the cookie is the portal's session. */
const KINDS_SENT: Readonly<
  Record<SentCredential['scheme'], ReadonlySet<CredentialKind | undefined>>
> = {
  ApiKey: new Set<CredentialKind>(['appKey']),
  Bearer: new Set<CredentialKind>(['accessToken', 'appKey', 'token']),
  'X-API-Key': new Set<CredentialKind>(['appKey', 'token']),
  'X-User-App-Key': new Set<CredentialKind>(['appKey']),
  Cookie: new Set<CredentialKind>(['accessToken']),
};

/**
 * The first of `credentials` that proves an account. A cookie counts only when nothing else was
 * sent. When none does: `account_disabled` or `access_denied` (a token used from an address it is
 * not for) if one was otherwise good, else what was wrong with the first: `unauthenticated`
 * (nothing sent, or a bad session) or `credential_invalid` (a bad key or token). Throws
 * `csrf_invalid` when a session comes with a wrong CSRF token, or by cookie without one where
 * something may be changed.
 */
export async function authenticate(
  deps: AuthenticationDeps,
  request: {
    readonly credentials: readonly SentCredential[];
    /** Undefined when it is not known, as over a socket file. */
    readonly clientAddress: string | undefined;
    readonly csrfToken?: string | undefined;
    /** Whether the method changes nothing; a cookie alone suffices only then. */
    readonly isSafeMethod?: boolean;
  },
): Promise<Principal> {
  const withoutCookies = request.credentials.filter(({ scheme }) => scheme !== 'Cookie');
  const isByCookie = withoutCookies.length === 0;
  const refusals: ServiceError[] = [];
  for (const sent of isByCookie ? request.credentials : withoutCookies) {
    try {
      const principal = principalOf(await prove(deps, sent, request.clientAddress));
      const isRequired = isByCookie && request.isSafeMethod !== true;
      checkCsrf(deps, { principal, csrfToken: request.csrfToken, isRequired });
      return principal;
    } catch (error) {
      if (!isRefusal(error)) throw error;
      refusals.push(error);
    }
  }
  const nearest = refusals.find(
    ({ code }) => code === 'account_disabled' || code === 'access_denied',
  );
  throw nearest ?? refusals[0] ?? new ServiceError('unauthenticated', 'Sign in first.');
}

/** Whether the next credential may be tried; a failure of the house is none of the credential's. */
function isRefusal(error: unknown): error is ServiceError {
  return (
    isServiceError(error, 'unauthenticated') ||
    isServiceError(error, 'credential_invalid') ||
    isServiceError(error, 'account_disabled') ||
    isServiceError(error, 'access_denied')
  );
}

async function prove(
  deps: AuthenticationDeps,
  { scheme, text }: SentCredential,
  clientAddress: string | undefined,
): Promise<Proof> {
  const kind = kindOf(text);
  if (!KINDS_SENT[scheme].has(kind)) {
    throw scheme === 'Bearer' || scheme === 'Cookie' ? sessionInvalid() : keyInvalid();
  }
  if (kind === 'accessToken') return await proveBySession(deps, text);
  if (kind === 'appKey') return await proveByAppKey(deps, text);
  return await proveByToken(deps, text, clientAddress);
}

function kindOf(text: string): CredentialKind | undefined {
  return claimedKeyKind(text) ?? (hasJwtForm(text) ? 'accessToken' : undefined);
}

async function proveBySession(deps: AuthenticationDeps, text: string): Promise<Proof> {
  const claimed = await readAccessToken(deps, text);
  if (claimed === undefined) throw sessionInvalid();
  const { accountId, sessionId } = claimed;
  // Asked at every request, so that signing out is heeded at once.
  const session = await deps.metadata.findSession(sessionId);
  if (session?.accountId !== accountId || session.revokedAt !== undefined) throw sessionInvalid();
  const account = await deps.metadata.findAccount(accountId);
  if (account === undefined) throw sessionInvalid();
  requireEnabled(account);
  return { account, credential: { kind: 'session', sessionId } };
}

async function proveByAppKey({ metadata }: AuthenticationDeps, appKey: string): Promise<Proof> {
  if (!isWellFormedSecretKey(appKey)) throw keyInvalid();
  const account = await metadata.findAccountByAppKey(lookUpHash(appKey));
  if (account === undefined) throw keyInvalid();
  requireEnabled(account);
  return { account, credential: { kind: 'appKey' } };
}

async function proveByToken(
  deps: AuthenticationDeps,
  text: string,
  clientAddress: string | undefined,
): Promise<Proof> {
  if (!isWellFormedSecretKey(text)) throw keyInvalid();
  const token = await deps.metadata.findTokenByHash(lookUpHash(text));
  if (token === undefined || isExpired(token, deps.clock)) throw keyInvalid();
  const account = await deps.metadata.findAccount(token.accountId);
  if (account === undefined) throw keyInvalid();
  requireEnabled(account);
  if (token.ipAllowlist.length > 0 && !isInBlocks(clientAddress ?? '', token.ipAllowlist)) {
    throw new ServiceError('access_denied', 'The token may not be used from this address.');
  }
  await noteUse(deps, token);
  const credential = {
    kind: 'token',
    tokenId: token.tokenId,
    scopes: new Set(token.scopes),
  } as const;
  return { account, credential };
}

function isExpired(token: ApiToken, clock: Clock): boolean {
  return token.expiresAt !== undefined && token.expiresAt <= clock.now();
}

async function noteUse({ metadata, clock }: AuthenticationDeps, token: ApiToken): Promise<void> {
  const now = clock.now();
  if (token.lastUsedAt !== undefined && now - token.lastUsedAt < LAST_USED_STEP_MS) return;
  try {
    await metadata.transact(TOUCH_TOKEN, { tokenId: token.tokenId, at: now });
  } catch (error) {
    // A full or read-only disk must not keep anybody from reading; the note is worth less.
    if (!isServiceError(error)) throw error;
  }
}

export const TOUCH_TOKEN = defineTransaction(
  'touch_token',
  (tx, { tokenId, at }: { readonly tokenId: TokenId; readonly at: TimeMs }) =>
    tx.touchToken(tokenId, at),
);

function principalOf({ account, credential }: Proof): Principal {
  const { accountId, slug, defaultBucketId, role } = account;
  return { accountId, slug, defaultBucketId, role, credential };
}

function sessionInvalid(): ServiceError {
  return new ServiceError('unauthenticated', 'The session is not valid or has ended.');
}

function keyInvalid(): ServiceError {
  return new ServiceError('credential_invalid', 'The key or token is not valid.');
}
