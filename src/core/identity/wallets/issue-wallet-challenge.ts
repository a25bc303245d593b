/** Begins a sign-in by wallet: gives the text to sign, which is answered once within minutes. */
import { encodeBase58 } from '../../../kit/base58.ts';
import { sha256Hex } from '../../../kit/secrets.ts';
import { defineTransaction } from '../../define-transaction.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs } from '../../ids.ts';
import { NONCE_LIFE_MS, NONCES_OPEN_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
import type { SignInNonce } from '../account/account.ts';
import { timeMs } from '../names.ts';
import { type SignInSite, writeSignInMessage } from './sign-in-message.ts';
import { parseWalletAddress } from './wallet-address.ts';

/** Size of the random part of a challenge; base58, because the grammar forbids `-` and `_`. */
export const NONCE_BYTES = 16;

/**
 * Issues a challenge for a wallet, known or not. Throws `wallet_invalid`, and `rate_limited` when
 * too many challenges are unanswered.
 */
export async function issueWalletChallenge(
  deps: {
    readonly metadata: Transactions;
    readonly clock: Clock;
    readonly random: Random;
    readonly site: SignInSite;
  },
  input: { readonly wallet: string },
): Promise<{ readonly nonce: string; readonly message: string }> {
  const wallet = parseWalletAddress(input.wallet);
  const issuedAt = deps.clock.now();
  const expiresAt = timeMs(issuedAt + NONCE_LIFE_MS);
  const nonce = encodeBase58(deps.random.bytes(NONCE_BYTES));
  const message = writeSignInMessage(deps.site, { wallet, nonce, issuedAt, expiresAt });
  const challenge: SignInNonce = {
    nonce,
    wallet,
    messageHash: sha256Hex(message),
    expiresAt,
    usedAt: undefined,
    failures: 0,
  };
  await deps.metadata.transact(ISSUE_WALLET_CHALLENGE, { challenge, issuedAt });
  return { nonce, message };
}

export const ISSUE_WALLET_CHALLENGE = defineTransaction(
  'issue_wallet_challenge',
  async (tx, input: { readonly challenge: SignInNonce; readonly issuedAt: TimeMs }) => {
    if ((await tx.countOpenNonces(input.issuedAt)) >= NONCES_OPEN_MAX) {
      throw new ServiceError('rate_limited', 'Too many sign-ins are under way; try again later.', {
        details: { retryAfter: 60 },
      });
    }
    await tx.insertNonce(input.challenge);
  },
);
