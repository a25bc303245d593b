/** Proves which checksums multipart uploads take, and what becomes of them in the object. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { CHECKSUM_ALGORITHMS } from '../../../kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import { checksumOf, compositeChecksum } from '../../../kit/checksums/open-checksum.ts';
import { isServiceError } from '../../errors.ts';
import type { Etag, PartNumber, TimeMs } from '../../ids.ts';
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
] as const;

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

function partsWith(algorithm: (typeof CHECKSUM_ALGORITHMS)[number]): readonly UploadPart[] {
  return BODIES.map((body, index) => ({
    partNumber: (index * 3 + 1) as PartNumber,
    sizeBytes: body.length,
    etag: '' as Etag,
    checksum: formatChecksumValue(checksumOf(algorithm, body)),
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
    assert.deepEqual(made, { algorithm, type, value });
  }
  assert.equal(wholeChecksum(undefined, partsWith('SHA1')), undefined);
  assert.equal(CHECKSUM_ALGORITHMS.length, 5);
});
