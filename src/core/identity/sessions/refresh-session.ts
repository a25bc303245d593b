/** Exchanges a refresh token for the next one (payments.md section 2). */
import { strict as assert } from 'node:assert';
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs } from '../../ids.ts';
import {
  LAST_USED_STEP_MS,
  REFRESH_ABSOLUTE_LIFE_MS,
  REFRESH_GRACE_MS,
  REFRESH_IDLE_LIFE_MS,
} from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetadataTx, Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { Session } from '../account/account.ts';
import { requireEnabled } from '../account/require-enabled.ts';
import { type RefreshToken, readRefreshToken } from './refresh-token.ts';
import { issueTokenSet, type TokenSet } from './start-session.ts';

type Outcome =
  | { readonly kind: 'refreshed'; readonly session: Session }
  | { readonly kind: 'invalid' }
  | { readonly kind: 'reused' };

/**
 * Spends a refresh token. The one just spent is answered with the same successor for a short while,
 * since the answer may have been lost, and the very first one until its successor is shown; any
 * older one, or that one later, has been stolen or copied, and ends the session. Throws
 * `refresh_invalid`, `refresh_reused`, `account_disabled`.
 */
export async function refreshSession(
  deps: {
    readonly metadata: Transactions;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly issuer: string;
  },
  input: { readonly refreshToken: string },
): Promise<TokenSet> {
  const token = readRefreshToken(deps.keyring, input.refreshToken);
  if (token === undefined) throw refreshInvalid();
  const now = deps.clock.now();
  const outcome = await deps.metadata.transact(REFRESH_SESSION, { token, now });
  switch (outcome.kind) {
    case 'refreshed':
      return await issueTokenSet(deps, outcome.session);
    case 'invalid':
      throw refreshInvalid();
    case 'reused':
      // Thrown only here, after the transaction: inside, it would take the revocation back.
      throw new ServiceError(
        'refresh_reused',
        'The refresh token was used before; the session is ended for safety.',
      );
  }
}

export const REFRESH_SESSION = defineTransaction(
  'refresh_session',
  (tx, input: { readonly token: RefreshToken; readonly now: TimeMs }) =>
    spend(tx, input.token, input.now),
);

async function spend(tx: MetadataTx, token: RefreshToken, now: TimeMs): Promise<Outcome> {
  const session = await tx.findSession(token.sessionId);
  if (session === undefined || !isLive(session, now) || token.counter > session.counter) {
    return { kind: 'invalid' };
  }
  const account = await tx.findAccount(session.accountId);
  if (account === undefined) return { kind: 'invalid' };
  requireEnabled(account);
  if (token.counter === session.counter) {
    const isRotated = await tx.rotateSession(session.sessionId, session.counter, now);
    assert(isRotated, 'nobody else spends it within this transaction');
    return { kind: 'refreshed', session: { ...session, counter: session.counter + 1 } };
  }
  const isPrevious = token.counter === session.counter - 1;
  // Published command-line clients never store a successor: as long as nobody has shown the first
  // one, the first token stays good.
  const isNeverStored = isPrevious && token.counter === 0;
  const isLost = isPrevious && now - session.rotatedAt <= REFRESH_GRACE_MS;
  if (isNeverStored || isLost) {
    if (now - session.lastUsedAt >= LAST_USED_STEP_MS) {
      await tx.touchSession(session.sessionId, now);
    }
    return { kind: 'refreshed', session };
  }
  await revokeFamily(tx, session, now);
  return { kind: 'reused' };
}

/** Whether a session may still be refreshed: neither revoked nor idle nor too old. */
export function isLive(session: Session, now: TimeMs): boolean {
  return (
    session.revokedAt === undefined &&
    now - session.lastUsedAt < REFRESH_IDLE_LIFE_MS &&
    now - session.createdAt < REFRESH_ABSOLUTE_LIFE_MS
  );
}

async function revokeFamily(tx: MetadataTx, session: Session, at: TimeMs): Promise<void> {
  await tx.revokeSession(session.sessionId, at);
  await tx.appendAudit({
    at,
    accountId: session.accountId,
    actor: session.accountId,
    action: 'session.family_revoked',
    subject: session.sessionId,
  });
}

function refreshInvalid(): ServiceError {
  return new ServiceError('refresh_invalid', 'The refresh token is not valid; sign in again.');
}
