/** Signs in by username and password. */
import { strict as assert } from 'node:assert';
import type { Keyring } from '../../../kit/keyring.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import { getAccount } from '../account/get-account.ts';
import {
  issueTokenSet,
  mintSession,
  type NewSession,
  type SessionOrigin,
  startSession,
  type TokenSet,
} from '../sessions/start-session.ts';
import { foldPassword } from './password.ts';
import { isUsername } from './username.ts';

/**
 * Starts a session. Whether the account exists shows neither in the words nor in the time: one hash
 * is computed in every case. Throws `sign_in_failed`, `account_disabled` (only to who knows the
 * password), and `rate_limited` when too many passwords wait. The caller limits how often one
 * address may try one name.
 */
export async function logIn(
  deps: {
    readonly metadata: Transactions & AccountReads;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly issuer: string;
    readonly passwords: PasswordHasher;
  },
  input: {
    readonly username: string;
    readonly password: string;
    readonly origin?: SessionOrigin;
  },
  options: { readonly signal?: AbortSignal } = {},
): Promise<TokenSet> {
  const known = await findByUsername(deps.metadata, input.username);
  const passwordHash = known?.passwordHash;
  const password = foldPassword(input.password);
  // What is too long to be a password is tried as an empty one, which none is.
  const isRight = await deps.passwords.verify(password ?? '', passwordHash, {
    ...options,
    owner: input.origin?.address,
  });
  if (!isRight) throw signInFailed();
  assert(known !== undefined, 'whom nobody knows has no password that is right');
  const { accountId } = known;
  const started = mintSession(deps, input.origin);
  const session = await deps.metadata.transact(LOG_IN, { accountId, passwordHash, started });
  return await issueTokenSet(deps, session);
}

type LogIn = {
  readonly accountId: AccountId;
  /** What the password was verified against. */
  readonly passwordHash: string | undefined;
  readonly started: NewSession;
};

export const LOG_IN = defineTransaction('log_in', async (tx, input: LogIn) => {
  const account = await getAccount(tx, input.accountId);
  // The password may have been changed while it was verified.
  if (account.passwordHash !== input.passwordHash) throw signInFailed();
  return await startSession(tx, account, input.started);
});

async function findByUsername(
  metadata: AccountReads,
  username: string,
): Promise<Account | undefined> {
  return isUsername(username) ? await metadata.findAccountByUsername(username) : undefined;
}

function signInFailed(): ServiceError {
  return new ServiceError('sign_in_failed', 'The username or the password is wrong.');
}
