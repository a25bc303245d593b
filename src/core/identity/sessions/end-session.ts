/** Signing out: the session and its refresh tokens are dead at once. */
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId, SessionId, TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';

/** Ends the session that asks; throws `access_denied` when a key or token asks, which has none. */
export async function endSession(
  deps: { readonly metadata: Transactions; readonly clock: Clock },
  input: { readonly principal: Principal },
): Promise<void> {
  const { accountId, credential } = input.principal;
  if (credential.kind !== 'session') {
    throw new ServiceError('access_denied', 'Only a session can be ended.');
  }
  const { sessionId } = credential;
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
