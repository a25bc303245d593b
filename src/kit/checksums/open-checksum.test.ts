/** Proves checksums against published check values. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES } from './checksum-algorithms.ts';
import { checksumOf } from './open-checksum.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Check values of the catalogue of parametrised CRCs, and FIPS 180's form for "123456789". */
const CHECKS = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
} as const;

test('the digits 1 to 9 have the published check values', () => {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const checksum = checksumOf(algorithm, Buffer.from('123456789'));
    assert.equal(hex(checksum), CHECKS[algorithm], algorithm);
    assert.equal(checksum.length, CHECKSUM_BYTES[algorithm], algorithm);
  }
});
