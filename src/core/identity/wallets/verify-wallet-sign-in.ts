/** Ends a sign-in by wallet: the signed challenge becomes a session (payments.md section 1). */
import { decodeBase64OfSize } from '../../../kit/base64.ts';
import { isSignedBy, SIGNATURE_BYTES } from '../../../kit/ed25519.ts';
import type { Keyring } from '../../../kit/keyring.ts';
import { offchainEnvelopes } from '../../../kit/offchain-message.ts';
import { isSameSecret } from '../../../kit/secrets.ts';
import { encodeUtf8 } from '../../../kit/text.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs, WalletAddress } from '../../ids.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { NewAccount, Session } from '../account/account.ts';
import type { CountSignUp } from '../account/count-sign-ups.ts';
import {
  isSlugTaken,
  mayWalletSignUp,
  mintAccount,
  openAccount,
  type SignUpPolicy,
  signUpClosed,
  tryWithFreshSlugs,
} from '../account/sign-up.ts';
import {
  issueTokenSet,
  mintSession,
  type NewSession,
  type SessionOrigin,
  startSession,
  type TokenSet,
} from '../sessions/start-session.ts';
import type { SignInSite } from './sign-in-message.ts';
import { readChallenge } from './sign-in-nonce.ts';
import { parseWalletAddress, publicKeyOf } from './wallet-address.ts';

type WalletSignInDeps = {
  readonly metadata: Transactions & AccessReads & Pick<AccountReads, 'findAccountByWallet'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly issuer: string;
  readonly site: SignInSite;
  readonly signUpPolicy: SignUpPolicy;
  readonly countSignUp: CountSignUp;
};

/** `signature` is base64 of either alphabet. */
type WalletAnswer = {
  readonly wallet: string;
  readonly nonce: string;
  readonly message: string;
  readonly signature: string;
  readonly origin?: SessionOrigin;
};

/**
 * Checks the answer against what was issued, never against what its text claims, and starts a
 * session; a wallet seen for the first time gets an account and its default bucket. Throws
 * `wallet_invalid`, then, in this order, `nonce_unknown` (also for another wallet's),
 * `nonce_expired`, `nonce_used`, `signature_invalid`; `signup_closed`, `rate_limited`,
 * `account_disabled`. The caller limits how many wrong answers one address may give for one wallet.
 */
export async function verifyWalletSignIn(
  deps: WalletSignInDeps,
  answer: WalletAnswer,
): Promise<TokenSet> {
  const wallet = parseWalletAddress(answer.wallet);
  const now = deps.clock.now();
  const { keyring, site } = deps;
  const challenge = readChallenge({ keyring, site, wallet }, answer.nonce);
  if (challenge === undefined) {
    throw new ServiceError('nonce_unknown', 'This wallet was not given that nonce.');
  }
  const { nonce, message, expiresAt } = challenge;
  if (expiresAt <= now) {
    throw new ServiceError('nonce_expired', 'The challenge has expired; ask for a new one.');
  }
  if (await deps.metadata.isNonceSpent(nonce)) throw nonceUsed();
  if (!isSameSecret(answer.message, message) || !isSigned(wallet, message, answer.signature)) {
    throw new ServiceError(
      'signature_invalid',
      'The message or its signature is not the right one.',
    );
  }
  const start = () => startWalletSession(deps, { nonce, expiresAt, wallet, origin: answer.origin });
  const isKnown = (await deps.metadata.findAccountByWallet(wallet)) !== undefined;
  const session = await (isKnown ? start() : deps.countSignUp(start));
  return await issueTokenSet(deps, session);
}

async function startWalletSession(
  deps: WalletSignInDeps,
  input: Pick<WalletSignIn, 'nonce' | 'expiresAt' | 'wallet'> & {
    readonly origin: WalletAnswer['origin'] | undefined;
  },
): Promise<Session> {
  const { nonce, expiresAt, wallet, origin } = input;
  const isWelcome = mayWalletSignUp(deps.signUpPolicy, wallet);
  return await tryWithFreshSlugs(() =>
    deps.metadata.transact(SIGN_IN_BY_WALLET, {
      nonce,
      expiresAt,
      wallet,
      newcomer: isWelcome ? mintAccount(deps, { wallet }).account : undefined,
      started: mintSession(deps, origin),
    }),
  );
}

type WalletSignIn = {
  readonly nonce: string;
  readonly expiresAt: TimeMs;
  readonly wallet: WalletAddress;
  /** The account that a wallet gets which has none; `undefined` when it may not have one. */
  readonly newcomer: NewAccount | undefined;
  readonly started: NewSession;
};

export const SIGN_IN_BY_WALLET = defineTransaction(
  'sign_in_by_wallet',
  async (tx, { nonce, expiresAt, wallet, newcomer, started }: WalletSignIn) => {
    let account = await tx.findAccountByWallet(wallet);
    if (account === undefined) {
      if (newcomer === undefined) throw signUpClosed();
      // Before the first write: the challenge is answered once more, with another slug.
      if (await isSlugTaken(tx, newcomer)) return 'slug_taken';
      account = await openAccount(tx, { account: newcomer, actor: newcomer.accountId });
    }
    // Another answer may have spent it meanwhile; what was written above goes with it.
    if (!(await tx.spendNonce(nonce, expiresAt))) throw nonceUsed();
    return await startSession(tx, account, started);
  },
);

function nonceUsed(): ServiceError {
  return new ServiceError('nonce_used', 'The challenge was answered already; ask for a new one.');
}

/** Over the text itself, or, as hardware wallets sign, over an envelope of just this text. */
function isSigned(wallet: WalletAddress, text: string, base64: string): boolean {
  const signature = decodeBase64OfSize(base64, SIGNATURE_BYTES);
  if (signature === undefined) return false;
  const publicKey = publicKeyOf(wallet);
  const bytes = encodeUtf8(text);
  return [bytes, ...offchainEnvelopes(bytes, publicKey)].some((message) =>
    isSignedBy(publicKey, { message, signature }),
  );
}
