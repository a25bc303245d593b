/** Proves which public keys are sound, against RFC 8032's keys, OpenSSL's and known bad points. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { PublicKey } from '@solana/web3.js';
import fc from 'fast-check';
import { isLowOrder, isOnCurve, isSignedBy } from './ed25519.ts';

const hex = (text: string) => Buffer.from(text, 'hex');

test('the public keys of RFC 8032 section 7.1 are on the curve', () => {
  for (const key of [
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    '278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e',
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
  ]) {
    assert(isOnCurve(hex(key)), key);
    assert(!isLowOrder(hex(key)), key);
  }
});

test('the signature of RFC 8032 test 2 verifies, and not over another message', () => {
  const key = hex('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c');
  const signature = hex(
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );
  assert(isSignedBy(key, { message: hex('72'), signature }));
  assert(!isSignedBy(key, { message: hex('73'), signature }));
  assert(!isSignedBy(key, { message: hex('72'), signature: signature.subarray(1) }));
});

test('every generated key is on the curve, and its signatures verify', () => {
  for (let round = 0; round < 20; round += 1) {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
    const message = Buffer.from(`round ${round}`);
    assert(isOnCurve(raw));
    assert(isSignedBy(raw, { message, signature: sign(null, message, privateKey) }));
  }
});

test('about half of all other values are off the curve', () => {
  let offCurve = 0;
  for (let value = 2; value < 102; value += 1) {
    const bytes = Buffer.alloc(32);
    bytes.writeUInt8(value);
    if (!isOnCurve(bytes)) offCurve += 1;
  }
  assert(offCurve > 30 && offCurve < 70, `${offCurve}`);
  assert(!isOnCurve(Buffer.concat([Buffer.from([2]), Buffer.alloc(31)])), 'y = 2 is off the curve');
});

test('program-derived addresses of Solana are off the curve', () => {
  const program = new PublicKey('metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s');
  for (let seed = 0; seed < 20; seed += 1) {
    const [address] = PublicKey.findProgramAddressSync([Buffer.from([seed])], program);
    assert(!isOnCurve(address.toBytes()), address.toBase58());
  }
});

test("any 32 bytes are judged as Solana's own library judges them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      assert.equal(isOnCurve(bytes), PublicKey.isOnCurve(bytes));
    }),
  );
});

test('non-canonical encodings and other lengths are refused', () => {
  const prime = hex('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
  const primePlusOne = hex('eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
  const oddZero = hex('0100000000000000000000000000000000000000000000000000000000000080');
  for (const key of [prime, primePlusOne, oddZero, Buffer.alloc(32, 0xff), Buffer.alloc(31)]) {
    assert(!isOnCurve(key));
  }
});

test('the points of low order are on the curve and known', () => {
  for (const key of [
    '0100000000000000000000000000000000000000000000000000000000000000',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0000000000000000000000000000000000000000000000000000000000000080',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  ]) {
    assert(isOnCurve(hex(key)), key);
    assert(isLowOrder(hex(key)), key);
  }
});
