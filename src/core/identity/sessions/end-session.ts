/** Signing out: the session and its refresh tokens are dead at once. */
import { defineTransaction } from '../../define-transaction.ts';
import type { AccountId, SessionId, TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import { requireSession } from './own-sessions.ts';

/** Ends the session that asks; throws `session_required` when a key or token asks. */
export async function endSession(
  deps: { readonly metadata: Transactions; readonly clock: Clock },
  input: { readonly principal: Principal },
): Promise<void> {
  const sessionId = requireSession(input.principal);
  const { accountId } = input.principal;
  await deps.metadata.transact(END_SESSION, { sessionId, accountId, at: deps.clock.now() });
}

type SessionEnd = {
  readonly sessionId: SessionId;
  readonly accountId: AccountId;
  readonly at: TimeMs;
};

export const END_SESSION = defineTransaction(
  'end_session',
  async (tx, { sessionId, accountId, at }: SessionEnd) => {
    if (!(await tx.revokeSession(sessionId, at))) return;
    await tx.appendAudit({
      at,
      accountId,
      actor: accountId,
      action: 'session.ended',
      subject: sessionId,
    });
  },
);
