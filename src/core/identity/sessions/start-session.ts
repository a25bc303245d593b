/** Starting a session, and the tokens by which a client speaks in it. */
import type { TimeMs } from '../../ids.ts';
import { AGENT_LENGTH_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MetadataTx } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { Account, Session } from '../account/account.ts';
import { requireEnabled } from '../account/require-enabled.ts';
import { newSessionId } from '../names.ts';
import { type AccessTokenDeps, mintAccessToken } from './access-token.ts';
import { mintCsrfToken } from './csrf.ts';
import { mintRefreshToken } from './refresh-token.ts';

/** What a client gets when it signs in or refreshes. */
export type TokenSet = {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly csrfToken: string;
  /** When the access token expires. */
  readonly expiresAt: TimeMs;
  /** The same from now. */
  readonly expiresInMs: number;
};

/** What a session takes of time and chance. */
export type NewSession = Pick<Session, 'sessionId' | 'createdAt' | 'address' | 'agent'>;

/** Whence somebody signs in, for the eyes of the account's owner. */
export type SessionOrigin = Pick<Session, 'address' | 'agent'>;

export function mintSession(
  deps: { readonly clock: Clock; readonly random: Random },
  { address, agent }: SessionOrigin = { address: undefined, agent: undefined },
): NewSession {
  return {
    sessionId: newSessionId(deps.random),
    createdAt: deps.clock.now(),
    address,
    agent: agent?.slice(0, AGENT_LENGTH_MAX),
  };
}

/** Starts a session of an account; throws `account_disabled`. */
export async function startSession(
  tx: MetadataTx,
  account: Account,
  { sessionId, createdAt: at, address, agent }: NewSession,
): Promise<Session> {
  requireEnabled(account);
  const session: Session = {
    sessionId,
    accountId: account.accountId,
    counter: 0,
    rotatedAt: at,
    createdAt: at,
    lastUsedAt: at,
    revokedAt: undefined,
    address,
    agent,
  };
  await tx.insertSession(session);
  await tx.appendAudit({
    at,
    accountId: account.accountId,
    actor: account.accountId,
    action: 'session.started',
    subject: session.sessionId,
  });
  return session;
}

/**
 * The tokens of a session as its row stands. Called after the transaction: signing is no part of
 * it.
 */
export async function issueTokenSet(deps: AccessTokenDeps, session: Session): Promise<TokenSet> {
  const { accessToken, expiresAt } = await mintAccessToken(deps, session);
  return {
    accessToken,
    refreshToken: mintRefreshToken(deps.keyring, session),
    csrfToken: mintCsrfToken(deps.keyring, session.sessionId),
    expiresAt,
    expiresInMs: expiresAt - deps.clock.now(),
  };
}
