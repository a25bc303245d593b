/** Begins a sign-in by wallet: gives the text to sign, which is answered once within minutes. */
import { encodeBase58 } from '../../../kit/base58.ts';
import { sha256Hex } from '../../../kit/secrets.ts';
import { ServiceError } from '../../errors.ts';
import { NONCE_LIFE_MS, NONCES_OPEN_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Random } from '../../ports/random.ts';
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
  await deps.metadata.transact(async (tx) => {
    if ((await tx.countOpenNonces(issuedAt)) >= NONCES_OPEN_MAX) {
      throw new ServiceError('rate_limited', 'Too many sign-ins are under way; try again later.', {
        details: { retryAfter: 60 },
      });
    }
    await tx.insertNonce({
      nonce,
      wallet,
      messageHash: sha256Hex(message),
      expiresAt,
      usedAt: undefined,
      failures: 0,
    });
  });
  return { nonce, message };
}
