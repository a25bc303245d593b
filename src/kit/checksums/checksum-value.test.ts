/** Proves that only the one base64 of a checksum of the right length is taken as its value. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES } from './checksum-algorithms.ts';
import { formatChecksumValue, parseChecksumValue } from './checksum-value.ts';

test('the value of each algorithm comes back as its bytes', () => {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const bytes = new Uint8Array(CHECKSUM_BYTES[algorithm]).fill(0xfb);
    assert.deepEqual(parseChecksumValue(algorithm, formatChecksumValue(bytes)), bytes, algorithm);
  }
});

test('values of another length, alphabet or form are refused', () => {
  const good = 'y/Q5Jg==';
  assert.deepEqual(parseChecksumValue('CRC32', good), new Uint8Array([0xcb, 0xf4, 0x39, 0x26]));
  for (const text of [
    ...['', '=', '====', 'y/Q5Jg', 'y/Q5Jg=', 'y/Q5Jg===', ' y/Q5Jg==', 'y/Q5Jg==\n'],
    ...['y_Q5Jg==', 'y/Q5Jh==', 'y/Q5J===', 'y/Q=Jg==', 'y Q5Jg==', 'é/Q5Jg==', '*/Q5Jg=='],
    ...['AAAAAAAA', 'AAAAAAA=', 'cbf43926'],
  ]) {
    assert.equal(parseChecksumValue('CRC32', text), undefined, text);
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    for (const sizeBytes of [3, 5, 7, 9, 19, 21, 31, 33, 1000]) {
      const text = formatChecksumValue(new Uint8Array(sizeBytes));
      assert.equal(parseChecksumValue(algorithm, text), undefined, `${algorithm} ${sizeBytes}`);
    }
  }
});
