/** The text that a wallet signs (Sign-In With Solana; payments.md section 1 has its grammar). */
import type { TimeMs, WalletAddress } from '../../ids.ts';

/** What signing in is for; from the configuration, never from a request's `Host`. */
export type SignInSite = {
  /** Host of the public URL, with its port unless that is the scheme's own. */
  readonly domain: string;
  /** The public URL. */
  readonly uri: string;
  /** `mainnet`, `devnet`, `testnet` or `localnet`. */
  readonly chainId: string;
};

const STATEMENT = 'Sign in to Pinfold. This proves that the wallet is yours and costs nothing.';

export function signInSite(publicUrl: string, chainId: string): SignInSite {
  return { domain: new URL(publicUrl).host, uri: publicUrl, chainId };
}

/** Lines end in LF, the last one in nothing. */
export function writeSignInMessage(
  site: SignInSite,
  challenge: {
    readonly wallet: WalletAddress;
    readonly nonce: string;
    readonly issuedAt: TimeMs;
    readonly expiresAt: TimeMs;
  },
): string {
  return [
    `${site.domain} wants you to sign in with your Solana account:`,
    challenge.wallet,
    '',
    STATEMENT,
    '',
    `URI: ${site.uri}`,
    'Version: 1',
    `Chain ID: ${site.chainId}`,
    `Nonce: ${challenge.nonce}`,
    `Issued At: ${new Date(challenge.issuedAt).toISOString()}`,
    `Expiration Time: ${new Date(challenge.expiresAt).toISOString()}`,
  ].join('\n');
}
