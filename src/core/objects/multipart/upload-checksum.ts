/** Checksums of multipart objects: the kinds there are, and how a whole one comes of parts. */
import { strict as assert } from 'node:assert';

import {
  type ChecksumAlgorithm,
  type CrcAlgorithm,
  isCrcAlgorithm,
} from '../../../kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue, parseChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import { combineCrc } from '../../../kit/checksums/combine-crc.ts';
import { compositeChecksum } from '../../../kit/checksums/open-checksum.ts';
import { ServiceError } from '../../errors.ts';
import type { PartNumber } from '../../ids.ts';
import type { ObjectChecksum } from '../object.ts';
import type { UploadChecksum, UploadPart } from './upload.ts';

/**
 * The kind of checksum that an upload asks for. Digests cannot be combined and so are composite
 * only; CRC64NVME is of the full object only; the other CRCs are either, composite unless said
 * (contracts/s3.md, Checksums). Throws `checksum_unfit` for any other pair.
 */
export function parseUploadChecksum(
  algorithm: ChecksumAlgorithm,
  type: ObjectChecksum['type'] | undefined,
): UploadChecksum {
  const isFullOnly = algorithm === 'CRC64NVME';
  const isCompositeOnly = !isCrcAlgorithm(algorithm);
  const chosen = type ?? (isFullOnly ? 'FULL_OBJECT' : 'COMPOSITE');
  const isUnfit =
    (isFullOnly && chosen !== 'FULL_OBJECT') || (isCompositeOnly && chosen !== 'COMPOSITE');
  if (isUnfit) {
    throw checksumUnfit(`The checksum type ${chosen} does not go with ${algorithm}.`);
  }
  return { algorithm, type: chosen };
}

export function checksumUnfit(message: string): ServiceError {
  return new ServiceError('checksum_unfit', message);
}

export function checksumMissing(partNumber: PartNumber): ServiceError {
  return new ServiceError('checksum_missing', 'Every part of this upload needs its checksum.', {
    details: { part_number: partNumber },
  });
}

/** The checksum of the object that `parts` become, without reading a byte. */
export function wholeChecksum(
  checksum: UploadChecksum | undefined,
  parts: readonly UploadPart[],
): ObjectChecksum | undefined {
  if (checksum === undefined) return undefined;
  const { algorithm, type } = checksum;
  if (type === 'COMPOSITE') {
    const sums = parts.map((part) => bytesOf(algorithm, part));
    const value = formatChecksumValue(compositeChecksum(algorithm, sums));
    return { algorithm, type, value: `${value}-${parts.length}` };
  }
  assert(isCrcAlgorithm(algorithm), 'only a CRC is of the full object');
  return { algorithm, type, value: formatChecksumValue(combined(algorithm, parts)) };
}

function combined(algorithm: CrcAlgorithm, parts: readonly UploadPart[]): Uint8Array {
  const [first, ...rest] = parts;
  assert(first, 'an object has at least one part');
  return rest.reduce(
    (sum, part) => combineCrc(algorithm, sum, bytesOf(algorithm, part), part.sizeBytes),
    bytesOf(algorithm, first),
  );
}

function bytesOf(algorithm: ChecksumAlgorithm, { checksum }: UploadPart): Uint8Array {
  const bytes = checksum === undefined ? undefined : parseChecksumValue(algorithm, checksum);
  assert(bytes, 'every part of such an upload keeps its checksum');
  return bytes;
}
