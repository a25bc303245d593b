/** Proves that CRCs of parts make the CRC of the whole, against CRCs of whole gigabytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKSUM_ALGORITHMS, CHECKSUM_BYTES, isCrcAlgorithm } from './checksum-algorithms.ts';
import { combineCrc } from './combine-crc.ts';
import { checksumOf } from './open-checksum.ts';

const CRCS = CHECKSUM_ALGORITHMS.filter(isCrcAlgorithm);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/**
 * CRCs of zero bytes alone and of "pinfold" followed by them, by Python's zlib and by awscrt, which
 * went through every byte.
 */
const ZEROS = [
  {
    length: 5 * 2 ** 20,
    alone: { CRC32: 'c93bb375', CRC32C: 'ceab0542', CRC64NVME: 'bea7f78512d3949c' },
    after: { CRC32: '50a76fa3', CRC32C: 'ce8c35fb', CRC64NVME: 'b3f4da92b6dd9c64' },
  },
  {
    length: 5 * 2 ** 30,
    alone: { CRC32: '193838c3', CRC32C: '2cc5f6d6', CRC64NVME: 'ce36fe0285569d20' },
    after: { CRC32: '82ee35be', CRC32C: 'c71548a8', CRC64NVME: '31dac74bc3be54eb' },
  },
  {
    length: 5 * 2 ** 30 - 12_345,
    alone: { CRC32: 'ef4e1e84', CRC32C: '28ab59e0', CRC64NVME: 'eb1cdc90666d2981' },
    after: { CRC32: '4010e749', CRC32C: '21cd7282', CRC64NVME: 'dde43a6f6fb809aa' },
  },
] as const;

test('the CRC of a part before gigabytes is combined as if all had been read', () => {
  for (const { length, alone, after } of ZEROS) {
    for (const algorithm of CRCS) {
      const left = checksumOf(algorithm, Buffer.from('pinfold'));
      const right = Buffer.from(alone[algorithm], 'hex');
      const combined = combineCrc(algorithm, left, right, length);
      assert.equal(hex(combined), after[algorithm], `${algorithm} and ${length} zero bytes`);
    }
  }
});

test('the CRC of an object of 10,000 parts is that of its bytes', () => {
  const part = Buffer.from('a part, and another');
  const last = Buffer.from('the end');
  for (const algorithm of CRCS) {
    const crc = checksumOf(algorithm, part);
    let whole = crc;
    for (let count = 1; count < 9999; count += 1) {
      whole = combineCrc(algorithm, whole, crc, part.length);
    }
    whole = combineCrc(algorithm, whole, checksumOf(algorithm, last), last.length);
    const bytes = Buffer.concat([...Array.from({ length: 9999 }, () => part), last]);
    assert.equal(hex(whole), hex(checksumOf(algorithm, bytes)), algorithm);
  }
});

test('nothing changes when nothing is added, before or behind', () => {
  for (const algorithm of CRCS) {
    const some = checksumOf(algorithm, Buffer.from('some bytes'));
    const none = new Uint8Array(CHECKSUM_BYTES[algorithm]);
    assert.equal(hex(combineCrc(algorithm, some, none, 0)), hex(some), algorithm);
    assert.equal(hex(combineCrc(algorithm, none, some, 10)), hex(some), algorithm);
  }
});

test('lengths that are none and CRCs of another size are errors of the caller', () => {
  const crc = new Uint8Array(4);
  for (const length of [-1, 1.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => combineCrc('CRC32', crc, crc, length), assert.AssertionError);
  }
  assert.throws(() => combineCrc('CRC64NVME', crc, crc, 1), assert.AssertionError);
  assert.throws(() => combineCrc('CRC32', crc, new Uint8Array(8), 1), assert.AssertionError);
});
