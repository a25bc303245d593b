/** Sets an account's password, proved by its app key, and signs in. */
import type { Keyring } from '../../../kit/keyring.ts';
import { ServiceError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import { isWellFormedSecretKey, lookUpHash } from '../secret-key.ts';
import {
  issueTokenSet,
  requireEnabled,
  startSession,
  type TokenSet,
} from '../sessions/start-session.ts';
import { parseNewPassword } from './password.ts';

/**
 * Sets the password and starts a session; all other sessions end, since a password is changed when
 * one may be in wrong hands. Throws `credential_invalid` when the app key is not that account's,
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
  input: { readonly accountId: string; readonly appKey: string; readonly newPassword: string },
  options: { readonly signal?: AbortSignal } = {},
): Promise<TokenSet> {
  const claimed = await findByAppKey(deps.metadata, input);
  requireEnabled(claimed);
  const password = parseNewPassword(input.newPassword);
  const passwordHash = await deps.passwords.hash(password, options);
  const at = deps.clock.now();
  const session = await deps.metadata.transact(async (tx) => {
    // The key may have been rotated while the password was hashed.
    const account = await findByAppKey(tx, input);
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
    return await startSession(deps, tx, account);
  });
  return await issueTokenSet(deps, session);
}

async function findByAppKey(
  metadata: AccountReads,
  input: { readonly accountId: string; readonly appKey: string },
): Promise<Account> {
  const account = isWellFormedSecretKey(input.appKey)
    ? await metadata.findAccountByAppKey(lookUpHash(input.appKey))
    : undefined;
  if (account === undefined || account.accountId !== input.accountId) {
    throw new ServiceError('credential_invalid', 'The app key does not belong to the account.');
  }
  return account;
}
