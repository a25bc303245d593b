/** What the account dialect stands on. */

import type { FastifyRequest } from 'fastify';
import { type CountSignUp, signUpsFrom } from '../../core/identity/account/count-sign-ups.ts';
import type { SignUpPolicy } from '../../core/identity/account/sign-up.ts';
import { type SignInSite, signInSite } from '../../core/identity/wallets/sign-in-message.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AccessReads } from '../../core/ports/metadata/access.ts';
import type { AccountReads } from '../../core/ports/metadata/accounts.ts';
import type { Transactions } from '../../core/ports/metadata/metadata.ts';
import type { PasswordHasher } from '../../core/ports/password-hasher.ts';
import type { Random } from '../../core/ports/random.ts';
import type { RateLimiter } from '../../core/ports/rate-limiter.ts';
import type { Keyring } from '../../kit/keyring.ts';

export type AccountDeps = {
  readonly metadata: Transactions & AccessReads & AccountReads;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly passwords: PasswordHasher;
  readonly limiter: RateLimiter;
  readonly signUpPolicy: SignUpPolicy;
  /** The Solana network that sign-in messages name. */
  readonly chainId: string;
  /** Where clients reach this API, without a slash at the end; known once it listens. */
  readonly publicUrl: () => string;
};

/** The same with what follows from the public URL: who issues tokens, and what is signed in to. */
export function withSite(
  deps: AccountDeps,
): AccountDeps & { readonly issuer: string; readonly site: SignInSite } {
  const issuer = deps.publicUrl();
  return { ...deps, issuer, site: signInSite(issuer, deps.chainId) };
}

/** The same with how many accounts the sender's address may still make. */
export function withSignUps<D extends AccountDeps>(
  deps: D,
  { clientAddress }: Pick<FastifyRequest, 'clientAddress'>,
): D & { readonly countSignUp: CountSignUp } {
  return { ...deps, countSignUp: signUpsFrom(deps, clientAddress) };
}
