/** Completing a multipart upload: its listed parts become an object, by metadata alone. */
import type { ChecksumAlgorithm } from '../../../kit/checksums/checksum-algorithms.ts';
import { sha256Hex } from '../../../kit/secrets.ts';
import { ServiceError } from '../../errors.ts';
import { requireEnabled } from '../../identity/sessions/start-session.ts';
import type { PartNumber, TimeMs } from '../../ids.ts';
import { OBJECT_BYTES_MAX, PART_SIZE_BYTES_MIN } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FaultPoints } from '../../ports/fault-points.ts';
import type { CompletionFacts, UploadCommits } from '../../ports/metadata/uploads.ts';
import { checkWriteConditions, type WriteConditions } from '../condition.ts';
import type { ObjectChecksum, ObjectVersion } from '../object.ts';
import { uploadNotFound } from './live-upload.ts';
import { multipartEtag } from './multipart-etag.ts';
import type { MultipartUpload, UploadAddress, UploadPart, UploadResult } from './upload.ts';
import { checksumUnfit, wholeChecksum } from './upload-checksum.ts';
import { checksumMissing } from './upload-part.ts';

export type CompleteDeps = {
  readonly metadata: Pick<UploadCommits, 'completeUpload'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly faults: FaultPoints;
};

export type StatedChecksum = { readonly algorithm: ChecksumAlgorithm; readonly value: string };

/** A part as the client lists it. */
export type ListedPart = {
  readonly partNumber: PartNumber;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: StatedChecksum | undefined;
};

export type UploadToComplete = {
  readonly address: UploadAddress;
  /** As they came; at least one. */
  readonly parts: readonly ListedPart[];
  readonly conditions: WriteConditions;
  /** What the client says of the whole object; nothing unless given. */
  readonly stated?: {
    readonly checksum?: StatedChecksum | undefined;
    readonly checksumType?: ObjectChecksum['type'] | undefined;
    readonly sizeBytes?: number | undefined;
  };
};

/**
 * Makes the listed parts the object under the upload's key. Repeated with the same list it answers
 * the same again for a day, whatever became of the object. Throws `upload_not_found`,
 * `invalid_field` (no parts), `invalid_part_order`, `invalid_part`, `part_too_small`,
 * `checksum_missing`, `checksum_unfit`, `digest_mismatch`, `size_mismatch`, `body_too_large`,
 * `account_disabled`, and what conditions throw; the upload is then as it was.
 */
export async function completeUpload(
  { metadata, clock, faults }: CompleteDeps,
  wanted: UploadToComplete,
): Promise<UploadResult> {
  const { address, parts } = wanted;
  requireAscending(parts);
  const at = clock.now();
  const listHash = hashOfList(parts);
  faults.reach('completing');
  const result = await metadata.completeUpload({
    address,
    listed: parts.map(({ partNumber }) => partNumber),
    at,
    decide: (facts) => {
      requireEnabled(facts.account);
      checkWriteConditions(wanted.conditions, facts.current);
      const version = assemble(wanted, facts, at);
      return { version, result: { etag: version.etag, checksum: version.checksum, listHash } };
    },
  });
  faults.reach('completed');
  // Completed before, by another list: to this client that upload is gone.
  if (result.listHash !== listHash) throw uploadNotFound();
  return result;
}

function requireAscending(parts: readonly ListedPart[]): void {
  if (parts.length === 0) {
    throw new ServiceError('invalid_field', 'At least one part must be listed.', {
      details: { field: 'parts' },
    });
  }
  let last = 0;
  for (const { partNumber } of parts) {
    if (partNumber <= last) {
      throw new ServiceError('invalid_part_order', 'Parts must be listed in ascending order.', {
        details: { part_number: partNumber },
      });
    }
    last = partNumber;
  }
}

/** Checksums are left out: whoever repeats a list may say more or less of it. */
function hashOfList(parts: readonly ListedPart[]): string {
  return sha256Hex(parts.map(({ partNumber, etag }) => `${partNumber} ${etag}`).join('\n'));
}

/** The version that the listed parts make; throws when they are not those that stand. */
function assemble(
  { parts: listed, stated = {} }: UploadToComplete,
  { upload, parts: standing }: CompletionFacts,
  at: TimeMs,
): ObjectVersion {
  const parts = chosenParts(upload, listed, standing);
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
  upload: MultipartUpload,
  listed: readonly ListedPart[],
  standing: readonly UploadPart[],
): readonly UploadPart[] {
  const byNumber = new Map(standing.map((part) => [part.partNumber, part]));
  return listed.map((each, index) => {
    const part = byNumber.get(each.partNumber);
    if (part === undefined || part.etag !== each.etag.toLowerCase()) throw invalidPart(each);
    requirePartChecksum(upload, each, part);
    const isLast = index === listed.length - 1;
    if (!isLast && part.sizeBytes < PART_SIZE_BYTES_MIN) throw tooSmall(part);
    return part;
  });
}

/** Composite checksums are said once more for each part, others may be (contracts/s3.md). */
function requirePartChecksum(
  { checksum }: MultipartUpload,
  listed: ListedPart,
  part: UploadPart,
): void {
  if (checksum === undefined) return;
  const { checksum: stated } = listed;
  if (stated === undefined) {
    if (checksum.type === 'COMPOSITE') throw checksumMissing(listed.partNumber);
    return;
  }
  if (stated.algorithm !== checksum.algorithm) {
    throw checksumUnfit(`The upload's checksums are of ${checksum.algorithm}.`);
  }
  if (stated.value !== part.checksum) throw invalidPart(listed);
}

function requireStatedChecksum(
  { checksum: stated, checksumType }: NonNullable<UploadToComplete['stated']>,
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

function tooSmall({ partNumber, sizeBytes, etag }: UploadPart): ServiceError {
  return new ServiceError('part_too_small', 'Only the last part may be so small.', {
    details: {
      part_number: partNumber,
      size_bytes: sizeBytes,
      size_bytes_min: PART_SIZE_BYTES_MIN,
      etag,
    },
  });
}
