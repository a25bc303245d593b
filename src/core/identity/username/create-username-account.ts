/** Opens an account under a username, for clients that have neither wallet nor browser. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { Account } from '../account/account.ts';
import type { CountSignUp } from '../account/count-sign-ups.ts';
import { checkAnyoneMaySignUp, type SignUpPolicy, signUp } from '../account/sign-up.ts';
import { parseUsername } from './username.ts';

/**
 * Opens the account; its app key is the first credential. Throws `signup_closed`,
 * `username_invalid`, `username_taken`, `rate_limited`.
 */
export async function createUsernameAccount(
  deps: {
    readonly metadata: Transactions;
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly signUpPolicy: SignUpPolicy;
    readonly countSignUp: CountSignUp;
  },
  input: { readonly username: string },
): Promise<{ readonly account: Account; readonly appKey: string }> {
  checkAnyoneMaySignUp(deps.signUpPolicy);
  const username = parseUsername(input.username);
  return await deps.countSignUp(() => signUp(deps, { username }));
}
