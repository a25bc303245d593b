/** The public address of a wallet: an Ed25519 public key in base58. */
import { strict as assert } from 'node:assert';
import { decodeBase58 } from '../../../kit/base58.ts';
import { isLowOrder, isOnCurve, PUBLIC_KEY_BYTES } from '../../../kit/ed25519.ts';
import { ServiceError } from '../../errors.ts';
import type { WalletAddress } from '../../ids.ts';

/**
 * Parses canonical base58 of a key that somebody can sign with: on the curve and not of low order
 * (payments.md section 1). Throws `wallet_invalid`.
 */
export function parseWalletAddress(text: string): WalletAddress {
  const publicKey = decodeBase58(text, PUBLIC_KEY_BYTES);
  if (publicKey === undefined) {
    throw new ServiceError('wallet_invalid', 'A wallet address is base58 of 32 bytes.');
  }
  if (!isOnCurve(publicKey) || isLowOrder(publicKey)) {
    throw new ServiceError('wallet_invalid', 'No wallet can sign for this address.');
  }
  return text as WalletAddress;
}

/** The public key that an address writes. */
export function publicKeyOf(wallet: WalletAddress): Uint8Array {
  const publicKey = decodeBase58(wallet, PUBLIC_KEY_BYTES);
  assert(publicKey !== undefined, 'a parsed wallet address decodes');
  return publicKey;
}
