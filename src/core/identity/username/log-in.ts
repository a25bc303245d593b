/** Signs in by username and password. */
import type { Keyring } from '../../../kit/keyring.ts';
import { ServiceError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import { issueTokenSet, startSession, type TokenSet } from '../sessions/start-session.ts';
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
  input: { readonly username: string; readonly password: string },
  options: { readonly signal?: AbortSignal } = {},
): Promise<TokenSet> {
  const known = await findByUsername(deps.metadata, input.username);
  const passwordHash = known?.passwordHash;
  const password = foldPassword(input.password);
  // What is too long to be a password is tried as an empty one, which none is.
  const isRight = await deps.passwords.verify(password ?? '', passwordHash, options);
  if (known === undefined || !isRight) throw signInFailed();
  const session = await deps.metadata.transact(async (tx) => {
    const account = await tx.findAccount(known.accountId);
    // The password may have been changed while it was verified.
    if (account === undefined || account.passwordHash !== passwordHash) throw signInFailed();
    return await startSession(deps, tx, account);
  });
  return await issueTokenSet(deps, session);
}

async function findByUsername(
  metadata: AccountReads,
  username: string,
): Promise<Account | undefined> {
  return isUsername(username) ? await metadata.findAccountByUsername(username) : undefined;
}

function signInFailed(): ServiceError {
  return new ServiceError('sign_in_failed', 'The username or the password is wrong.');
}
