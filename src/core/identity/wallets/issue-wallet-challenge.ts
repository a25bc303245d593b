/** Begins a sign-in by wallet: gives the text to sign, which is answered once within minutes. */
import type { Keyring } from '../../../kit/keyring.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Random } from '../../ports/random.ts';
import type { SignInSite } from './sign-in-message.ts';
import { mintChallenge } from './sign-in-nonce.ts';
import { parseWalletAddress } from './wallet-address.ts';

/**
 * Issues a challenge for a wallet, known or not. Nothing is kept of it, so that asking, however
 * often, takes nothing from anybody. Throws `wallet_invalid`.
 */
export function issueWalletChallenge(
  deps: {
    readonly clock: Clock;
    readonly random: Random;
    readonly keyring: Keyring;
    readonly site: SignInSite;
  },
  input: { readonly wallet: string },
): { readonly nonce: string; readonly message: string } {
  const { keyring, site, random } = deps;
  const wallet = parseWalletAddress(input.wallet);
  const made = { at: deps.clock.now(), random };
  const { nonce, message } = mintChallenge({ keyring, site, wallet }, made);
  return { nonce, message };
}
