/**
 * Proves that signing keys sign as HMAC-SHA-256 does, that the cache of them is bounded and never
 * answers for another secret, that signatures are compared whole, and instants read strictly.
 */
import assert from 'node:assert/strict';
import { createHmac, hash } from 'node:crypto';
import { test } from 'node:test';
import { formatAmzDate, parseAmzDate } from './amz-date.ts';
import { isEqualSignature, signature, stringToSign } from './sign.ts';
import { deriveSigningKey, SigningKey } from './signing-key.ts';
import { SigningKeyCache } from './signing-key-cache.ts';

const SCOPE = { accessKeyId: 'PF1', date: '20260101', region: 'auto', service: 's3' };

test('a key signs texts of every length as HMAC does, in any order', () => {
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7));
  const key = new SigningKey(bytes);
  for (let length = 0; length < 1100; length++) {
    const text = '\u00e9z'.repeat(550).slice(0, (length * 617) % 1100);
    const expected = createHmac('sha256', bytes).update(text, 'latin1').digest('hex');
    assert.equal(signature(key, text), expected);
  }
  assert.throws(() => new SigningKey(bytes.subarray(1)), RangeError);
});

test('what is signed of a header is its bytes, not their UTF-8', () => {
  const text = stringToSign({ amzDate: 'd', scope: 's', canonical: 'h:\u00e9' });
  const digest = hash('sha256', Buffer.from([0x68, 0x3a, 0xe9]), 'hex');
  assert.equal(text, `AWS4-HMAC-SHA256\nd\ns\n${digest}`);
});

test('secrets longer than a block, and of other letters, derive keys', () => {
  for (const secret of ['', 'x'.repeat(300), 'sécret']) {
    const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();
    const parts = ['20260101', 'auto', 's3', 'aws4_request', 'text'];
    const expected = parts.reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`)).toString('hex');
    assert.equal(signature(deriveSigningKey(SCOPE, secret), 'text'), expected);
  }
});

test('the cache keeps the keys that are used, and no more than it may', () => {
  const cache = new SigningKeyCache({ keysMax: 2 });
  const one = cache.get(SCOPE, 'secret');
  const two = cache.get({ ...SCOPE, region: 'b' }, 'secret');
  assert.equal(cache.get({ ...SCOPE }, 'secret'), one);
  cache.get({ ...SCOPE, date: '20260102' }, 'secret');
  assert.equal(cache.size, 2);
  assert.equal(cache.get(SCOPE, 'secret'), one);
  assert.notEqual(cache.get({ ...SCOPE, region: 'b' }, 'secret'), two);
});

test('a key of an older secret is never answered', () => {
  const cache = new SigningKeyCache({ keysMax: 2 });
  const old = cache.get(SCOPE, 'old');
  const current = cache.get(SCOPE, 'new');
  assert.notEqual(signature(current, 'text'), signature(old, 'text'));
  assert.equal(cache.size, 1);
});

test('signatures are equal only as a whole, whatever their lengths', () => {
  const made = signature(deriveSigningKey(SCOPE, 'secret'), 'text');
  assert(isEqualSignature(made, made));
  for (const other of [
    '',
    made.slice(1),
    `${made}0`,
    made.toUpperCase(),
    `\u00e9${made.slice(1)}`,
  ]) {
    assert(!isEqualSignature(made, other), other);
  }
});

test('an instant has one form, and is in the calendar', () => {
  assert.equal(parseAmzDate('20260101T000000Z'), Date.UTC(2026, 0, 1));
  assert.equal(parseAmzDate('20240229T235959Z'), Date.UTC(2024, 1, 29, 23, 59, 59));
  assert.equal(formatAmzDate(Date.UTC(2026, 11, 31, 23, 59, 59, 999)), '20261231T235959Z');
  const refused = ['', '20260101', '2026-01-01T00:00:00Z', '20260101T000000', '20260101t000000z'];
  const unreal = ['20260229T000000Z', '20260001T000000Z', '20261301T000000Z', '20260100T000000Z'];
  const late = ['20260101T240000Z', '20260101T006000Z', '20260101T000060Z', '00000101T000000Z'];
  for (const text of [...refused, ...unreal, ...late, ' 20260101T000000Z', '20260101T000000Z\n']) {
    assert.equal(parseAmzDate(text), undefined, text);
  }
});
