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
import type { ObjectChecksum, PlainChecksum } from '../object.ts';
import { DEFAULT_CHECKSUM, secondAlgorithm } from '../write/kept-checksums.ts';
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
    throw checksumUnfit(
      `The ${chosen} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
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

/**
 * The checksum of the object that `parts` become, without reading a byte; `undefined` only where
 * none was asked for and a part is from before one was kept of each.
 */
export function wholeChecksum(
  asked: UploadChecksum | undefined,
  parts: readonly UploadPart[],
): ObjectChecksum | undefined {
  if (asked === undefined && parts.some(({ checksum }) => checksum === undefined)) return undefined;
  const { algorithm, type } = asked ?? DEFAULT_CHECKSUM;
  if (type === 'COMPOSITE') {
    const sums = parts.map((part) => bytesOf(algorithm, part));
    const value = `${formatChecksumValue(compositeChecksum(algorithm, sums))}-${parts.length}`;
    const second = secondOf(algorithm, parts);
    return { algorithm, type, value, ...(second === undefined ? {} : { second }) };
  }
  assert(isCrcAlgorithm(algorithm), 'only a CRC is of the full object');
  return { algorithm, type, value: combined(algorithm, parts) };
}

/** What is kept beside `algorithm`, of all bytes. */
function secondOf(
  algorithm: ChecksumAlgorithm,
  parts: readonly UploadPart[],
): PlainChecksum | undefined {
  const second = secondAlgorithm(algorithm);
  return second && { algorithm: second, value: combined(second, parts) };
}

function combined(algorithm: CrcAlgorithm, parts: readonly UploadPart[]): string {
  const [first, ...rest] = parts;
  assert(first, 'an object has at least one part');
  const whole = rest.reduce(
    (sum, part) => combineCrc(algorithm, sum, bytesOf(algorithm, part), part.sizeBytes),
    bytesOf(algorithm, first),
  );
  return formatChecksumValue(whole);
}

function bytesOf(algorithm: ChecksumAlgorithm, { checksum }: UploadPart): Uint8Array {
  const { value, second } = checksum ?? {};
  const text = second?.algorithm === algorithm ? second.value : value;
  const bytes = text === undefined ? undefined : parseChecksumValue(algorithm, text);
  assert(bytes, 'every part of such an upload keeps its checksum');
  return bytes;
}
