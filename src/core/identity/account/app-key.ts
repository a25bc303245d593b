/** The account's permanent key: made, sealed for showing it again, and opened (files-api.md). */
import { type Keyring, openText, SEAL_NONCE_BYTES, sealText } from '../../../kit/keyring.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import type { Random } from '../../ports/random.ts';
import { KEY_PURPOSES } from '../key-purposes.ts';
import { lookUpHash, mintSecretKey } from '../secret-key.ts';
import type { Account } from './account.ts';

export type AppKey = { readonly appKey: string } & Pick<Account, 'appKeyHash' | 'appKeyCiphertext'>;

/** Makes a fresh app key for an account, with what is kept of it. */
export function newAppKey(
  deps: { readonly random: Random; readonly keyring: Keyring },
  accountId: AccountId,
): AppKey {
  const appKey = mintSecretKey(deps.random, 'appKey');
  const appKeyCiphertext = sealText(deps.keyring, {
    purpose: KEY_PURPOSES.appKey,
    place: placeOf(accountId),
    text: appKey,
    nonce: deps.random.bytes(SEAL_NONCE_BYTES),
  });
  return { appKey, appKeyHash: lookUpHash(appKey), appKeyCiphertext };
}

/** The app key of an account in plain text; throws `corrupt` when it cannot be opened. */
export function openAppKey(
  keyring: Keyring,
  account: Pick<Account, 'accountId' | 'appKeyCiphertext'>,
): string {
  const appKey = openText(keyring, {
    purpose: KEY_PURPOSES.appKey,
    place: placeOf(account.accountId),
    sealed: account.appKeyCiphertext,
  });
  if (appKey === undefined) {
    throw new ServiceError('corrupt', 'An app key does not open under the master keys held.');
  }
  return appKey;
}

function placeOf(accountId: AccountId): string {
  return `accounts/${accountId}/app_key`;
}
