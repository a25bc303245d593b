/** The sessions of an account, as its owner sees and ends them. */
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId, SessionId, TimeMs } from '../../ids.ts';
import {
  REFRESH_ABSOLUTE_LIFE_MS,
  REFRESH_IDLE_LIFE_MS,
  SESSIONS_LISTED_MAX,
} from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import type { Session } from '../account/account.ts';
import { parseSessionId, timeMs } from '../names.ts';
import { isLive } from './refresh-session.ts';

export type OwnSession = Session & {
  /** Unless it is refreshed before. */
  readonly expiresAt: TimeMs;
  readonly isCurrent: boolean;
};

/** The live sessions of the account, newest first. Throws `session_required`. */
export async function listOwnSessions(
  deps: { readonly metadata: AccessReads; readonly clock: Pick<Clock, 'now'> },
  principal: Principal,
): Promise<readonly OwnSession[]> {
  const current = requireSession(principal);
  const now = deps.clock.now();
  const sessions = await deps.metadata.listSessions(principal.accountId, SESSIONS_LISTED_MAX);
  return sessions
    .filter((session) => isLive(session, now))
    .map((session) => ({
      ...session,
      expiresAt: timeMs(
        Math.min(
          session.lastUsedAt + REFRESH_IDLE_LIFE_MS,
          session.createdAt + REFRESH_ABSOLUTE_LIFE_MS,
        ),
      ),
      isCurrent: session.sessionId === current,
    }));
}

/**
 * Ends another session of the account at once. Throws `session_required`, `session_current` (which
 * signs out instead), `session_not_found` (also for another account's and for one that has ended).
 */
export async function revokeOwnSession(
  deps: { readonly metadata: Transactions; readonly clock: Pick<Clock, 'now'> },
  input: { readonly principal: Principal; readonly sessionId: string },
): Promise<void> {
  const current = requireSession(input.principal);
  const sessionId = parseSessionId(input.sessionId);
  if (sessionId === undefined) throw sessionNotFound();
  if (sessionId === current) {
    throw new ServiceError('session_current', 'This is the session that asks; sign out instead.');
  }
  const { accountId } = input.principal;
  await deps.metadata.transact(REVOKE_SESSION, { accountId, sessionId, at: deps.clock.now() });
}

type Revocation = {
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  readonly at: TimeMs;
};

export const REVOKE_SESSION = defineTransaction(
  'revoke_session',
  async (tx, { accountId, sessionId, at }: Revocation) => {
    const session = await tx.findSession(sessionId);
    if (session?.accountId !== accountId) throw sessionNotFound();
    if (!(await tx.revokeSession(sessionId, at))) throw sessionNotFound();
    const actor = accountId;
    await tx.appendAudit({ at, accountId, actor, action: 'session.ended', subject: sessionId });
  },
);

/**
 * The session that a principal speaks in; throws `session_required` for keys and tokens, which may
 * be in the hands of programs.
 */
export function requireSession({ credential }: Principal): SessionId {
  if (credential.kind === 'session') return credential.sessionId;
  throw new ServiceError('session_required', 'Only who is signed in may do this.');
}

function sessionNotFound(): ServiceError {
  return new ServiceError('session_not_found', 'The account has no such session.');
}
