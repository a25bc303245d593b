/** Sets an account's password, proved by its app key, and signs in. */
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import { requireEnabled } from '../account/require-enabled.ts';
import { isWellFormedSecretKey, lookUpHash } from '../secret-key.ts';
import {
  issueTokenSet,
  mintSession,
  type NewSession,
  type SessionOrigin,
  startSession,
  type TokenSet,
} from '../sessions/start-session.ts';
import { parseNewPassword } from './password.ts';

/**
 * Sets the first password and starts a session; all other sessions end. Once there is one only who
 * knows it may change it: an app key that was handed to a program must not take the account over.
 * Throws `credential_invalid` when the app key is not that account's, `password_already_set`,
 * `password_invalid`, `account_disabled`, and `rate_limited` when too many passwords wait.
 */
export async function setPassword(
  deps: {
    readonly metadata: Transactions & AccountReads;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly issuer: string;
    readonly passwords: PasswordHasher;
  },
  input: AppKeyProof & { readonly newPassword: string; readonly origin?: SessionOrigin },
  options: { readonly signal?: AbortSignal } = {},
): Promise<TokenSet> {
  const claimed = await findByAppKey(deps.metadata, input);
  requireEnabled(claimed);
  refuseSecondPassword(claimed);
  const password = await parseNewPassword(input.newPassword, [claimed.username, claimed.email]);
  const passwordHash = await deps.passwords.hash(password, {
    ...options,
    owner: claimed.accountId,
  });
  const session = await deps.metadata.transact(SET_PASSWORD, {
    accountId: input.accountId,
    appKey: input.appKey,
    passwordHash,
    at: deps.clock.now(),
    started: mintSession(deps, input.origin),
  });
  return await issueTokenSet(deps, session);
}

type AppKeyProof = { readonly accountId: string; readonly appKey: string };

type PasswordChange = AppKeyProof & {
  readonly passwordHash: string;
  readonly at: TimeMs;
  readonly started: NewSession;
};

export const SET_PASSWORD = defineTransaction('set_password', async (tx, input: PasswordChange) => {
  const { passwordHash, at, started } = input;
  // The key may have been rotated while the password was hashed, or another one set.
  const account = await findByAppKey(tx, input);
  refuseSecondPassword(account);
  const { accountId } = account;
  await tx.updateAccount(accountId, { passwordHash });
  await tx.revokeSessions(accountId, at, undefined);
  await tx.appendAudit({
    at,
    accountId,
    actor: accountId,
    action: 'password.set',
    subject: undefined,
  });
  return await startSession(tx, account, started);
});

async function findByAppKey(metadata: AccountReads, input: AppKeyProof): Promise<Account> {
  const account = isWellFormedSecretKey(input.appKey)
    ? await metadata.findAccountByAppKey(lookUpHash(input.appKey))
    : undefined;
  if (account === undefined || account.accountId !== input.accountId) {
    throw new ServiceError('credential_invalid', 'The app key does not belong to the account.');
  }
  return account;
}

function refuseSecondPassword({ passwordHash }: Account): void {
  if (passwordHash === undefined) return;
  throw new ServiceError(
    'password_already_set',
    'The account has a password; change it with the one it has.',
  );
}
