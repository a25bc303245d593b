/** Proves which checksums multipart uploads take, and what becomes of them in the object. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
} from '../../../kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import {
  checksumOf,
  compositeChecksum,
  prepareChecksums,
} from '../../../kit/checksums/open-checksum.ts';
import { isServiceError } from '../../errors.ts';
import type { Etag, PartNumber, TimeMs } from '../../ids.ts';
import type { PartChecksum } from '../object.ts';
import { secondAlgorithm } from '../write/kept-checksums.ts';
import type { UploadPart } from './upload.ts';
import { parseUploadChecksum, wholeChecksum } from './upload-checksum.ts';

const BODIES = ['first', '', 'the second', 'x'].map((text) => Buffer.from(text));

const PAIRS = [
  ['CRC32', undefined, 'COMPOSITE'],
  ['CRC32', 'COMPOSITE', 'COMPOSITE'],
  ['CRC32', 'FULL_OBJECT', 'FULL_OBJECT'],
  ['CRC32C', undefined, 'COMPOSITE'],
  ['CRC32C', 'FULL_OBJECT', 'FULL_OBJECT'],
  ['CRC64NVME', undefined, 'FULL_OBJECT'],
  ['CRC64NVME', 'COMPOSITE', undefined],
  ['SHA1', undefined, 'COMPOSITE'],
  ['SHA1', 'FULL_OBJECT', undefined],
  ['SHA256', 'COMPOSITE', 'COMPOSITE'],
  ['SHA256', 'FULL_OBJECT', undefined],
  ...(['SHA512', 'MD5', 'XXHASH64', 'XXHASH3', 'XXHASH128'] as const).flatMap(
    (algorithm) =>
      [
        [algorithm, undefined, 'COMPOSITE'],
        [algorithm, 'COMPOSITE', 'COMPOSITE'],
        [algorithm, 'FULL_OBJECT', undefined],
      ] as const,
  ),
] as const;

await prepareChecksums(CHECKSUM_ALGORITHMS);

test('an algorithm goes with the types that S3 has for it', () => {
  for (const [algorithm, type, made] of PAIRS) {
    if (made === undefined) {
      assert.throws(
        () => parseUploadChecksum(algorithm, type),
        (error) => isServiceError(error, 'checksum_unfit'),
      );
    } else {
      assert.deepEqual(parseUploadChecksum(algorithm, type), { algorithm, type: made });
    }
  }
});

function sumsOf(algorithm: ChecksumAlgorithm, body: Buffer): PartChecksum {
  const value = formatChecksumValue(checksumOf(algorithm, body));
  const second = formatChecksumValue(checksumOf('CRC64NVME', body));
  const needsSecond = secondAlgorithm(algorithm) !== undefined;
  return needsSecond ? { value, second: { algorithm: 'CRC64NVME', value: second } } : { value };
}

function partsWith(algorithm: ChecksumAlgorithm): readonly UploadPart[] {
  return BODIES.map((body, index) => ({
    partNumber: (index * 3 + 1) as PartNumber,
    sizeBytes: body.length,
    etag: '' as Etag,
    checksum: sumsOf(algorithm, body),
    createdAt: 0 as TimeMs,
  }));
}

test('a full checksum is that of all bytes, a composite one that of the sums', () => {
  for (const [algorithm, , type] of PAIRS) {
    if (type === undefined) continue;
    const made = wholeChecksum({ algorithm, type }, partsWith(algorithm));
    const sums = BODIES.map((body) => checksumOf(algorithm, body));
    const value =
      type === 'FULL_OBJECT'
        ? formatChecksumValue(checksumOf(algorithm, Buffer.concat(BODIES)))
        : `${formatChecksumValue(compositeChecksum(algorithm, sums))}-4`;
    const whole = formatChecksumValue(checksumOf('CRC64NVME', Buffer.concat(BODIES)));
    const isAlone = secondAlgorithm(algorithm) === undefined;
    const second = { algorithm: 'CRC64NVME', value: whole };
    assert.deepEqual(made, { algorithm, type, value, ...(isAlone ? {} : { second }) });
  }
});

test('without an algorithm the object has the CRC64NVME of its parts, if each has one', () => {
  const parts = partsWith('CRC64NVME');
  const value = formatChecksumValue(checksumOf('CRC64NVME', Buffer.concat(BODIES)));
  const made = { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value };
  assert.deepEqual(wholeChecksum(undefined, parts), made);
  // One part is from before checksums were kept of each.
  const [old, ...others] = parts;
  assert(old);
  assert.equal(wholeChecksum(undefined, [{ ...old, checksum: undefined }, ...others]), undefined);
});

test('what the default JavaScript client cannot check has CRC64NVME beside it', () => {
  const seconds = CHECKSUM_ALGORITHMS.filter((one) => secondAlgorithm(one) !== undefined);
  assert.deepEqual(seconds, ['SHA512', 'XXHASH64', 'XXHASH3', 'XXHASH128']);
});
