/**
 * Nonces of sign-in messages: nothing is kept of one until it is spent (decision 0017). A nonce is
 * base58 of when it was made, of chance, and of a MAC over wallet, time, chance and the whole text.
 */
import { decodeBase58, encodeBase58 } from '../../../kit/base58.ts';
import type { DerivedKey, Keyring } from '../../../kit/keyring.ts';
import { isSameSecret, macOfText } from '../../../kit/secrets.ts';
import type { TimeMs, WalletAddress } from '../../ids.ts';
import { NONCE_LIFE_MS } from '../../limits.ts';
import type { Random } from '../../ports/random.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';
import { timeMs } from '../names.ts';
import { type SignInSite, writeSignInMessage } from './sign-in-message.ts';

export type SignInChallenge = {
  readonly nonce: string;
  /** Exactly the text to sign. */
  readonly message: string;
  readonly expiresAt: TimeMs;
};

/** Whom a challenge is for, and for what. */
export type ChallengeParties = {
  readonly keyring: Keyring;
  readonly site: SignInSite;
  readonly wallet: WalletAddress;
};

const TIME_BYTES = 6;
/** Tells apart what one wallet asks for in one millisecond; the MAC makes it unguessable. */
const CHANCE_BYTES = 8;
const MAC_BYTES = 16;
const NONCE_BYTES = TIME_BYTES + CHANCE_BYTES + MAC_BYTES;
/** Says in the MAC what it is of, should the key ever sign anything else. */
const LABEL = 'sign-in';

export function mintChallenge(
  parties: ChallengeParties,
  made: { readonly at: TimeMs; readonly random: Random },
): SignInChallenge {
  const head = Buffer.alloc(TIME_BYTES + CHANCE_BYTES);
  head.writeUIntBE(made.at, 0, TIME_BYTES);
  head.set(made.random.bytes(CHANCE_BYTES), TIME_BYTES);
  const derived = parties.keyring.newest(KEY_PURPOSES.signInNonce);
  return challengeOf(parties, { head, issuedAt: made.at }, derived);
}

/**
 * The challenge that a nonce is of, made again, if it was made here for this wallet and site; a key
 * that has been rotated away from still counts. It may have expired or been spent.
 */
export function readChallenge(
  parties: ChallengeParties,
  nonce: string,
): SignInChallenge | undefined {
  const bytes = decodeBase58(nonce, NONCE_BYTES);
  if (bytes === undefined) return undefined;
  const head = Buffer.from(bytes.subarray(0, TIME_BYTES + CHANCE_BYTES));
  const issuedAt = timeMs(head.readUIntBE(0, TIME_BYTES));
  for (const derived of parties.keyring.all(KEY_PURPOSES.signInNonce)) {
    const challenge = challengeOf(parties, { head, issuedAt }, derived);
    if (isSameSecret(challenge.nonce, nonce)) return challenge;
  }
  return undefined;
}

function challengeOf(
  { site, wallet }: ChallengeParties,
  { head, issuedAt }: { readonly head: Buffer; readonly issuedAt: TimeMs },
  { key }: DerivedKey,
): SignInChallenge {
  const expiresAt = timeMs(issuedAt + NONCE_LIFE_MS);
  const textWith = (nonce: string) =>
    writeSignInMessage(site, { wallet, nonce, issuedAt, expiresAt });
  const mac = macOfText(key, [LABEL, wallet, head.toString('hex'), textWith('')].join('\n'));
  const nonce = encodeBase58(
    Buffer.concat([head, Buffer.from(mac, 'base64url').subarray(0, MAC_BYTES)]),
  );
  return { nonce, message: textWith(nonce), expiresAt };
}
