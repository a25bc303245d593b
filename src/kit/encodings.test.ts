/** Proves that base58, base64, UUIDs and address blocks round-trip and refuse what they must. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase58, encodeBase58 } from './base58.ts';
import { decodeBase64OfSize, decodeBase64Url, encodeBase64Url } from './base64.ts';
import { canonicalBlock, isInBlocks } from './ip.ts';
import { isUuidV7, uuidV7 } from './uuid.ts';

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.base64String());

test('base58 of any 16, 32 and 64 bytes round-trips and is the only text that decodes to them', () => {
  for (const size of [16, 32, 64]) {
    fc.assert(
      fc.property(bytesOf(size), (bytes) => {
        const text = encodeBase58(bytes);
        assert.deepEqual(decodeBase58(text, size), bytes);
        assert.equal(decodeBase58(`1${text}`, size), undefined);
      }),
    );
  }
});

test('base58 of zero bytes, which are leading ones, keeps its length', () => {
  assert.deepEqual(decodeBase58('1'.repeat(32), 32), new Uint8Array(32));
  assert.equal(decodeBase58('1'.repeat(31), 32), undefined);
});

test('base58 refuses letters outside its alphabet, blanks, wrong lengths and endless text', () => {
  for (const text of ['', '0', 'O', 'I', 'l', ' 1', '1 ', 'é', '1'.repeat(1_000_000)]) {
    assert.equal(decodeBase58(text, 32), undefined);
  }
});

test('decoders answer bytes of the right size or nothing for any text', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert([undefined, 32].includes(decodeBase58(text, 32)?.length));
      assert([undefined, 64].includes(decodeBase64OfSize(text, 64)?.length));
      decodeBase64Url(text);
      canonicalBlock(text);
      isInBlocks(text, ['10.0.0.0/8', '::1']);
    }),
  );
});

test('base64 of 64 bytes is read in both alphabets, padded or not', () => {
  fc.assert(
    fc.property(bytesOf(64), (bytes) => {
      const padded = Buffer.from(bytes).toString('base64');
      const url = encodeBase64Url(bytes);
      for (const text of [padded, padded.replace(/=+$/, ''), url, `${url}==`]) {
        assert.deepEqual(decodeBase64OfSize(text, 64), bytes);
      }
    }),
  );
});

test('base64 with stray letters, wrong padding, spare bits or another length is refused', () => {
  const good = Buffer.alloc(64, 7).toString('base64');
  const bad = ['', '=', `${good}=`, good.slice(0, -1), good.replace('B', '*'), ` ${good}`, '===='];
  for (const text of [...bad, `${good.slice(0, -3)}x==`]) {
    assert.equal(decodeBase64OfSize(text, 64), undefined, text);
  }
  assert.equal(decodeBase64Url('AB'), undefined, 'spare bits must be zero');
});

test('a UUID v7 sorts by time and is recognised', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 48 - 2 }), bytesOf(10), bytesOf(10), (time, one, other) => {
      const earlier = uuidV7(time, one);
      const later = uuidV7(time + 1, other);
      assert(isUuidV7(earlier) && isUuidV7(later) && earlier < later);
    }),
  );
  assert.equal(
    uuidV7(0x018f_0000_0001, new Uint8Array(10)),
    '018f0000-0001-7000-8000-000000000000',
  );
  assert.throws(() => uuidV7(-1, new Uint8Array(10)), RangeError);
  assert.throws(() => uuidV7(0, new Uint8Array(9)), RangeError);
  assert.equal(isUuidV7('018f0000-0001-4000-8000-000000000000'), false);
});

test('address blocks have one canonical text', () => {
  assert.equal(canonicalBlock('192.0.2.7'), '192.0.2.7');
  assert.equal(canonicalBlock('192.0.2.7/24'), '192.0.2.0/24');
  assert.equal(canonicalBlock('2001:DB8:0:0::1'), '2001:db8::1');
  assert.equal(canonicalBlock('2001:db8::1/32'), '2001:db8::/32');
  assert.equal(canonicalBlock('::ffff:192.0.2.7'), '192.0.2.7');
  const bad = ['', '/8', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.1', '0x7f.0.0.1', '010.0.0.1'];
  for (const text of [...bad, 'fe80::1%eth0', '1.2.3.4/8/8', '10.0.0.0/-1', '::ffff:1.2.3.4/8']) {
    assert.equal(canonicalBlock(text), undefined, text);
  }
});

test('an address is found in a block of its own family only', () => {
  assert(isInBlocks('10.1.2.3', ['10.0.0.0/8']));
  assert(isInBlocks('::ffff:10.1.2.3', ['192.0.2.1', '10.0.0.0/8']));
  assert(isInBlocks('10.1.2.3', ['10.1.2.3']));
  assert(isInBlocks('2001:db8::5', ['2001:db8::/32']));
  assert(isInBlocks('10.1.2.3', ['0.0.0.0/0']));
  assert(!isInBlocks('11.1.2.3', ['10.0.0.0/8', '10.1.2.3']));
  assert(!isInBlocks('10.1.2.3', ['::/0']));
  assert(!isInBlocks('10.1.2.3', []));
  assert(!isInBlocks('unix', ['0.0.0.0/0']));
});
