/** Proves the envelopes that wallets sign, beside those that Solana's own library makes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  compileOffchainMessageEnvelope,
  OffchainMessageContentFormat,
  offchainMessageApplicationDomain,
} from '@solana/offchain-messages';
import { encodeBase58 } from './base58.ts';
import { offchainEnvelopes } from './offchain-message.ts';

const SIGNER = Buffer.from(
  'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  'hex',
);
const OTHER = Buffer.from(
  '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  'hex',
);
const signatory = (key: Uint8Array) => ({ address: encodeBase58(key) as never });
const NO_APPLICATION = offchainMessageApplicationDomain('1'.repeat(32));

const hexOf = (envelopes: readonly Uint8Array[]) =>
  envelopes.map((envelope) => Buffer.from(envelope).toString('hex'));

function versionZero(
  text: string,
  change: {
    readonly format?: OffchainMessageContentFormat;
    readonly application?: Uint8Array;
    readonly signers?: readonly Uint8Array[];
  } = {},
): string {
  const { format = OffchainMessageContentFormat.UTF8_1232_BYTES_MAX, application } = change;
  const { content } = compileOffchainMessageEnvelope({
    version: 0,
    applicationDomain:
      application === undefined ? NO_APPLICATION : (encodeBase58(application) as never),
    content: { format, text } as never,
    requiredSignatories: (change.signers ?? [SIGNER]).map(signatory),
  });
  return Buffer.from(content).toString('hex');
}

function versionOne(text: string, signers: readonly Uint8Array[] = [SIGNER]): string {
  const { content } = compileOffchainMessageEnvelope({
    version: 1,
    content: text,
    requiredSignatories: signers.map(signatory),
  });
  return Buffer.from(content).toString('hex');
}

test('what the library makes of a text for one signer is among the envelopes', () => {
  for (const text of ['hello', 'two\nlines: ü 🐈', 'x'.repeat(500)]) {
    const envelopes = hexOf(offchainEnvelopes(Buffer.from(text), SIGNER));
    assert(envelopes.includes(versionZero(text)), text);
    assert(envelopes.includes(versionOne(text)), text);
  }
  const ascii = { format: OffchainMessageContentFormat.RESTRICTED_ASCII_1232_BYTES_MAX };
  assert(
    hexOf(offchainEnvelopes(Buffer.from('hello'), SIGNER)).includes(versionZero('hello', ascii)),
  );
});

test('what names an application, another signer, more signers or another text is not', () => {
  const envelopes = hexOf(offchainEnvelopes(Buffer.from('hello'), SIGNER));
  for (const other of [
    versionZero('hello', { application: OTHER }),
    versionZero('hello', { signers: [OTHER] }),
    versionZero('hello', { signers: [SIGNER, OTHER] }),
    versionZero('hello', { format: OffchainMessageContentFormat.UTF8_65535_BYTES_MAX }),
    versionZero('hello '),
    versionOne('hello', [OTHER]),
    versionOne('hello', [SIGNER, OTHER]),
    versionOne('hello '),
    Buffer.from('hello').toString('hex'),
  ]) {
    assert(!envelopes.includes(other), other);
  }
});

test('the older form of version 0 is format, length and text', () => {
  const domain = Buffer.from('\xffsolana offchain', 'latin1').toString('hex');
  const envelopes = hexOf(offchainEnvelopes(Buffer.from('hello'), SIGNER));
  for (const format of ['00', '01']) {
    assert(envelopes.includes(`${domain}00${format}050068656c6c6f`));
  }
});

test('a text that no device takes is signed in version 1 alone', () => {
  const text = 'x'.repeat(1233);
  assert.deepEqual(hexOf(offchainEnvelopes(Buffer.from(text), SIGNER)), [versionOne(text)]);
});
