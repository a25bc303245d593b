/** Proves that a checksum is that of the bytes, however they come, and that CRCs can be joined. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUM_BYTES,
  isCrcAlgorithm,
} from '../../src/kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue, parseChecksumValue } from '../../src/kit/checksums/checksum-value.ts';
import { combineCrc } from '../../src/kit/checksums/combine-crc.ts';
import {
  checksumOf,
  openChecksum,
  prepareChecksums,
} from '../../src/kit/checksums/open-checksum.ts';
import { runsOf } from '../world/effort.ts';

const PROPERTY = { numRuns: runsOf({ short: 500, long: 50_000 }) };

await prepareChecksums(CHECKSUM_ALGORITHMS);

const anyAlgorithm = fc.constantFrom(...CHECKSUM_ALGORITHMS);
const anyCrc = fc.constantFrom(...CHECKSUM_ALGORITHMS.filter(isCrcAlgorithm));
/** Mostly short, sometimes beyond the window in which CRC64NVME is taken. */
const anyBytes = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.uint8Array({ minLength: 1, maxLength: 50 }), fc.integer({ min: 1, max: 900 }))
      .map(([bytes, times]) => Buffer.concat(Array.from({ length: times }, () => bytes))),
  },
);
/** Up to the largest part that S3 takes, and far beyond. */
const anyLength = fc.oneof(
  fc.integer({ min: 0, max: 5 * 2 ** 30 }),
  fc.integer({ min: 0, max: 2 ** 50 }),
  fc.integer({ min: 0, max: 50 }).map((power) => 2 ** power),
);

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('any split of the bytes gives the checksum of the whole', () => {
  fc.assert(
    fc.property(anyAlgorithm, anyBytes, fc.array(fc.nat(50_000)), (algorithm, bytes, cuts) => {
      const open = openChecksum(algorithm);
      const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length];
      let begin = 0;
      for (const end of ends.sort((one, other) => one - other)) {
        open.update(bytes.subarray(begin, end));
        begin = end;
      }
      assert.equal(hex(open.digest()), hex(checksumOf(algorithm, bytes)));
    }),
    PROPERTY,
  );
});

test('the CRCs of two parts make the CRC of both', () => {
  fc.assert(
    fc.property(anyCrc, anyBytes, anyBytes, (algorithm, left, right) => {
      const combined = combineCrc(
        algorithm,
        checksumOf(algorithm, left),
        checksumOf(algorithm, right),
        right.length,
      );
      assert.equal(hex(combined), hex(checksumOf(algorithm, Buffer.concat([left, right]))));
    }),
    PROPERTY,
  );
});

test('parts of any length may be joined from either end', () => {
  const crcs = anyCrc.chain((algorithm) => {
    const sizeBytes = CHECKSUM_BYTES[algorithm];
    const crc = fc.uint8Array({ minLength: sizeBytes, maxLength: sizeBytes });
    return fc.tuple(fc.constant(algorithm), crc, crc, crc);
  });
  fc.assert(
    fc.property(crcs, anyLength, anyLength, ([algorithm, first, second, third], two, three) => {
      const fromTheLeft = combineCrc(
        algorithm,
        combineCrc(algorithm, first, second, two),
        third,
        three,
      );
      const fromTheRight = combineCrc(
        algorithm,
        first,
        combineCrc(algorithm, second, third, three),
        two + three,
      );
      assert.equal(hex(fromTheLeft), hex(fromTheRight));
    }),
    PROPERTY,
  );
});

test('a value is read back as the checksum that it was written of, and no other text is', () => {
  fc.assert(
    fc.property(anyAlgorithm, anyBytes, (algorithm, bytes) => {
      const checksum = checksumOf(algorithm, bytes);
      const value = formatChecksumValue(checksum);
      assert.equal(hex(parseChecksumValue(algorithm, value) ?? Buffer.of()), hex(checksum));
    }),
    PROPERTY,
  );
  const nearValues = fc.string({ unit: fc.constantFrom(...'AQgwz09+/-_= \n'), maxLength: 45 });
  fc.assert(
    fc.property(
      anyAlgorithm,
      fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), nearValues),
      (algorithm, text) => {
        const checksum = parseChecksumValue(algorithm, text);
        if (checksum === undefined) return;
        assert.equal(checksum.length, CHECKSUM_BYTES[algorithm]);
        assert.equal(formatChecksumValue(checksum), text);
      },
    ),
    PROPERTY,
  );
});
