/**
 * What an object becomes of its listed parts. Pure, and run by the engines inside the transaction
 * that completes the upload, perhaps more than once.
 */
import type { ChecksumAlgorithm } from '../../../kit/checksums/checksum-algorithms.ts';
import { ServiceError } from '../../errors.ts';
import type { TimeMs } from '../../ids.ts';
import { OBJECT_BYTES_MAX } from '../../limits.ts';
import type { ObjectChecksum, ObjectVersion, PartChecksum } from '../object.ts';
import { DEFAULT_ALGORITHM } from '../write/kept-checksums.ts';
import { multipartEtag } from './multipart-etag.ts';
import type {
  ListedPart,
  MultipartUpload,
  PartList,
  StatedWhole,
  UploadPart,
  UploadResult,
} from './upload.ts';
import { checksumMissing, checksumUnfit, wholeChecksum } from './upload-checksum.ts';

type UploadFacts = {
  readonly upload: MultipartUpload;
  /** All that stand, in order of their numbers. */
  readonly parts: readonly UploadPart[];
};

/**
 * The version that the listed parts make, and the answer. Throws when the list is not one of parts
 * that stand: `invalid_part`, `part_too_small`, `checksum_missing`, `checksum_unfit`,
 * `digest_mismatch`, `size_mismatch`, `body_too_large`.
 */
export function assembleUpload(
  completion: PartList & { readonly at: TimeMs },
  facts: UploadFacts,
): { readonly version: ObjectVersion; readonly result: UploadResult } {
  const version = versionOf(completion, facts);
  const { etag, checksum } = version;
  return { version, result: { etag, checksum, listHash: completion.listHash } };
}

function versionOf(
  completion: PartList & { readonly at: TimeMs },
  facts: UploadFacts,
): ObjectVersion {
  const { stated, at } = completion;
  const { upload } = facts;
  const parts = chosenParts(completion, facts);
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (sizeBytes > OBJECT_BYTES_MAX) {
    throw new ServiceError(
      'body_too_large',
      'The parts are larger together than an object may be.',
    );
  }
  if (stated.sizeBytes !== undefined && stated.sizeBytes !== sizeBytes) {
    throw new ServiceError('size_mismatch', 'The parts have another size together than was said.', {
      details: { size_bytes: sizeBytes },
    });
  }
  const checksum = wholeChecksum(upload.checksum, parts);
  requireStatedChecksum(stated, checksum);
  return {
    ...upload.description,
    bucketId: upload.bucketId,
    key: upload.key,
    versionId: 'null',
    sizeBytes,
    etag: multipartEtag(parts),
    contentHash: undefined,
    checksum,
    createdAt: at,
  };
}

function chosenParts(
  { listed, partBytesMin }: PartList,
  { upload, parts: standing }: UploadFacts,
): readonly UploadPart[] {
  const byNumber = new Map(standing.map((part) => [part.partNumber, part]));
  return listed.map((each, index) => {
    const part = byNumber.get(each.partNumber);
    if (part === undefined || part.etag !== each.etag.toLowerCase()) throw invalidPart(each);
    requirePartChecksum(upload, each, part);
    const isLast = index === listed.length - 1;
    if (!isLast && part.sizeBytes < partBytesMin) throw tooSmall(part, partBytesMin);
    return part;
  });
}

/** Composite checksums are said once more for each part, others may be (contracts/s3.md). */
function requirePartChecksum(
  { checksum }: MultipartUpload,
  listed: ListedPart,
  part: UploadPart,
): void {
  const { checksum: stated } = listed;
  if (stated === undefined) {
    if (checksum?.type === 'COMPOSITE') throw checksumMissing(listed.partNumber);
    return;
  }
  if (checksum !== undefined && stated.algorithm !== checksum.algorithm) {
    throw checksumUnfit(`The upload's checksums are of ${checksum.algorithm}.`);
  }
  const kept = valueBy(stated.algorithm, checksum?.algorithm ?? DEFAULT_ALGORITHM, part.checksum);
  if (stated.value !== kept) throw invalidPart(listed);
}

/** What is kept of a part by `algorithm`, if anything is. */
function valueBy(
  algorithm: ChecksumAlgorithm,
  first: ChecksumAlgorithm,
  kept: PartChecksum | undefined,
): string | undefined {
  if (algorithm === first) return kept?.value;
  return kept?.second?.algorithm === algorithm ? kept.second.value : undefined;
}

function requireStatedChecksum(
  { checksum: stated, checksumType }: StatedWhole,
  made: ObjectChecksum | undefined,
): void {
  if (checksumType !== undefined && checksumType !== made?.type) {
    throw checksumUnfit('The checksum type is not the one that the upload began with.');
  }
  if (stated === undefined) return;
  if (made === undefined || stated.algorithm !== made.algorithm) {
    throw checksumUnfit('The checksum is not of the algorithm that the upload began with.');
  }
  // A composite value may be said without the number of parts.
  if (stated.value !== made.value && stated.value !== made.value.replace(/-\d+$/, '')) {
    throw new ServiceError('digest_mismatch', 'The checksum is not that of the object.', {
      details: { digest: stated.algorithm },
    });
  }
}

function invalidPart({ partNumber, etag }: ListedPart): ServiceError {
  return new ServiceError('invalid_part', 'A listed part is not there, or is another.', {
    details: { part_number: partNumber, etag },
  });
}

function tooSmall({ partNumber, sizeBytes, etag }: UploadPart, partBytesMin: number): ServiceError {
  return new ServiceError('part_too_small', 'Only the last part may be so small.', {
    details: {
      part_number: partNumber,
      size_bytes: sizeBytes,
      size_bytes_min: partBytesMin,
      etag,
    },
  });
}
