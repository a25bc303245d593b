/** Ends a sign-in by wallet: the signed challenge becomes a session (payments.md section 1). */
import { decodeBase58 } from '../../../kit/base58.ts';
import { decodeBase64OfSize } from '../../../kit/base64.ts';
import { isSignedBy, SIGNATURE_BYTES } from '../../../kit/ed25519.ts';
import type { Keyring } from '../../../kit/keyring.ts';
import { isSameSecret, sha256Hex } from '../../../kit/secrets.ts';
import { encodeUtf8 } from '../../../kit/text.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs, WalletAddress } from '../../ids.ts';
import { NONCE_FAILURES_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { AccessReads } from '../../ports/metadata/access.ts';
import type { AccountReads } from '../../ports/metadata/accounts.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { NewAccount, Session, SignInNonce } from '../account/account.ts';
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
  startSession,
  type TokenSet,
} from '../sessions/start-session.ts';
import { NONCE_BYTES } from './issue-wallet-challenge.ts';
import { parseWalletAddress, publicKeyOf } from './wallet-address.ts';

type WalletSignInDeps = {
  readonly metadata: Transactions & AccessReads & Pick<AccountReads, 'findAccountByWallet'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly keyring: Keyring;
  readonly issuer: string;
  readonly signUpPolicy: SignUpPolicy;
  readonly countSignUp: CountSignUp;
};

/** `signature` is base64 of either alphabet. */
type WalletAnswer = {
  readonly wallet: string;
  readonly nonce: string;
  readonly message: string;
  readonly signature: string;
};

/**
 * Checks the answer against what was issued, never against what its text claims, and starts a
 * session; a wallet seen for the first time gets an account and its default bucket. Throws
 * `wallet_invalid`, then, in this order, `nonce_unknown` (also for another wallet's),
 * `nonce_expired`, `nonce_used` (also after too many failures), `signature_invalid`;
 * `signup_closed`, `rate_limited`, `account_disabled`.
 */
export async function verifyWalletSignIn(
  deps: WalletSignInDeps,
  answer: WalletAnswer,
): Promise<TokenSet> {
  const wallet = parseWalletAddress(answer.wallet);
  const now = deps.clock.now();
  const found = isNonceForm(answer.nonce) ? await deps.metadata.findNonce(answer.nonce) : undefined;
  const nonce = requireOpen(found, wallet, now);
  if (!isAnswered(nonce, answer)) {
    await deps.metadata.transact(ADD_NONCE_FAILURE, { nonce: nonce.nonce });
    throw new ServiceError(
      'signature_invalid',
      'The message or its signature is not the right one.',
    );
  }
  const start = () => startWalletSession(deps, { wallet, nonce: nonce.nonce, at: now });
  const isKnown = (await deps.metadata.findAccountByWallet(wallet)) !== undefined;
  const session = await (isKnown ? start() : deps.countSignUp(start));
  return await issueTokenSet(deps, session);
}

async function startWalletSession(
  deps: WalletSignInDeps,
  input: Pick<WalletSignIn, 'wallet' | 'nonce' | 'at'>,
): Promise<Session> {
  const { wallet } = input;
  const isWelcome = mayWalletSignUp(deps.signUpPolicy, wallet);
  return await tryWithFreshSlugs(() =>
    deps.metadata.transact(SIGN_IN_BY_WALLET, {
      ...input,
      newcomer: isWelcome ? mintAccount(deps, { wallet }).account : undefined,
      started: mintSession(deps),
    }),
  );
}

export const ADD_NONCE_FAILURE = defineTransaction(
  'add_nonce_failure',
  (tx, input: { readonly nonce: string }) => tx.addNonceFailure(input.nonce),
);

type WalletSignIn = {
  readonly nonce: string;
  readonly wallet: WalletAddress;
  readonly at: TimeMs;
  /** The account that a wallet gets which has none; `undefined` when it may not have one. */
  readonly newcomer: NewAccount | undefined;
  readonly started: NewSession;
};

export const SIGN_IN_BY_WALLET = defineTransaction(
  'sign_in_by_wallet',
  async (tx, { nonce, wallet, at, newcomer, started }: WalletSignIn) => {
    // Read again: another answer may have used or burnt the nonce meanwhile.
    requireOpen(await tx.findNonce(nonce), wallet, at);
    let account = await tx.findAccountByWallet(wallet);
    if (account === undefined) {
      if (newcomer === undefined) throw signUpClosed();
      // Before the first write: the challenge is answered once more, with another slug.
      if (await isSlugTaken(tx, newcomer)) return 'slug_taken';
      account = await openAccount(tx, { account: newcomer, actor: newcomer.accountId });
    }
    if (!(await tx.useNonce(nonce, at))) throw nonceUsed();
    return await startSession(tx, account, started);
  },
);

function isNonceForm(text: string): boolean {
  return decodeBase58(text, NONCE_BYTES) !== undefined;
}

function requireOpen(
  nonce: SignInNonce | undefined,
  wallet: WalletAddress,
  now: TimeMs,
): SignInNonce {
  if (nonce === undefined || nonce.wallet !== wallet) {
    throw new ServiceError('nonce_unknown', 'This wallet was not given that nonce.');
  }
  if (nonce.expiresAt <= now) {
    throw new ServiceError('nonce_expired', 'The challenge has expired; ask for a new one.');
  }
  if (nonce.usedAt !== undefined || nonce.failures >= NONCE_FAILURES_MAX) throw nonceUsed();
  return nonce;
}

function nonceUsed(): ServiceError {
  return new ServiceError('nonce_used', 'The challenge was answered already; ask for a new one.');
}

function isAnswered(nonce: SignInNonce, answer: WalletAnswer): boolean {
  const signature = decodeBase64OfSize(answer.signature, SIGNATURE_BYTES);
  if (signature === undefined) return false;
  if (!isSameSecret(sha256Hex(answer.message), nonce.messageHash)) return false;
  return isSignedBy(publicKeyOf(nonce.wallet), { message: encodeUtf8(answer.message), signature });
}
