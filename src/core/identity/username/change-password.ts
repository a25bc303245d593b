/** Replaces an account's password by one who knows it. */
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId, SessionId, TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import type { Principal } from '../../principal.ts';
import { getAccount } from '../account/get-account.ts';
import { requireSession } from '../sessions/own-sessions.ts';
import { issueTokenSet, type TokenSet } from '../sessions/start-session.ts';
import { foldPassword, parseNewPassword } from './password.ts';

/**
 * Changes the password and answers the tokens of the session that asks, which goes on; all others
 * end, since a password is changed when it may be in wrong hands. Throws `session_required`,
 * `password_invalid`, `access_denied` when the current one is wrong or there is none, and
 * `rate_limited` when too many passwords wait. The caller limits how often one address may try.
 */
export async function changePassword(
  deps: {
    readonly metadata: Transactions & AccountReads;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly issuer: string;
    readonly passwords: PasswordHasher;
  },
  input: {
    readonly principal: Principal;
    readonly currentPassword: string;
    readonly newPassword: string;
  },
  options: { readonly signal?: AbortSignal } = {},
): Promise<TokenSet> {
  const sessionId = requireSession(input.principal);
  const { accountId } = input.principal;
  const account = await getAccount(deps.metadata, accountId);
  const known = account.passwordHash;
  const current = foldPassword(input.currentPassword) ?? '';
  const owned = { ...options, owner: accountId };
  if (!(await deps.passwords.verify(current, known, owned))) throw wrongPassword();
  const password = await parseNewPassword(input.newPassword, [account.username, account.email]);
  const passwordHash = await deps.passwords.hash(password, owned);
  const at = deps.clock.now();
  const change = { accountId, sessionId, known, passwordHash, at };
  const session = await deps.metadata.transact(CHANGE_PASSWORD, change);
  return await issueTokenSet(deps, session);
}

type PasswordChange = {
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  /** What the current password was verified against. */
  readonly known: string | undefined;
  readonly passwordHash: string;
  readonly at: TimeMs;
};

export const CHANGE_PASSWORD = defineTransaction(
  'change_password',
  async (tx, { accountId, sessionId, known, passwordHash, at }: PasswordChange) => {
    // Both may have changed while passwords were verified and hashed.
    const { passwordHash: held } = await getAccount(tx, accountId);
    if (held !== known) throw wrongPassword();
    const session = await tx.findSession(sessionId);
    if (session === undefined || session.revokedAt !== undefined) {
      throw new ServiceError('unauthenticated', 'The session is not valid or has ended.');
    }
    await tx.updateAccount(accountId, { passwordHash });
    await tx.revokeSessions(accountId, at, sessionId);
    const actor = accountId;
    await tx.appendAudit({ at, accountId, actor, action: 'password.set', subject: undefined });
    return session;
  },
);

function wrongPassword(): ServiceError {
  return new ServiceError('access_denied', 'The current password is wrong.', {
    details: { field: 'current_password' },
  });
}
