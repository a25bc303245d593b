/** Completing a multipart upload: its listed parts become an object, by metadata alone. */
import { prepareChecksums } from '../../../kit/checksums/open-checksum.ts';
import { sha256Hex } from '../../../kit/secrets.ts';
import { ServiceError } from '../../errors.ts';
import { PART_SIZE_BYTES_MIN, UPLOAD_RESULTS_KEPT_MAX } from '../../limits.ts';
import type { Clock } from '../../ports/clock.ts';
import type { FaultPoints } from '../../ports/fault-points.ts';
import type { UploadCommits } from '../../ports/metadata/uploads.ts';
import type { WriteConditions } from '../commit/condition.ts';
import { uploadNotFound } from './live-upload.ts';
import type { ListedPart, StatedWhole, UploadAddress, UploadResult } from './upload.ts';

export type CompleteDeps = {
  readonly metadata: Pick<UploadCommits, 'completeUpload'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly faults: FaultPoints;
};

export type UploadToComplete = {
  readonly address: UploadAddress;
  /** As they came; at least one. */
  readonly parts: readonly ListedPart[];
  readonly conditions: WriteConditions;
  /** Nothing unless given. */
  readonly stated?: StatedWhole;
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
  const { address, parts, conditions, stated = {} } = wanted;
  requireAscending(parts);
  const listHash = hashOfList(parts);
  // A composite checksum is made within the commit, which waits for nothing.
  await prepareChecksums(parts.flatMap(({ checksum }) => (checksum ? [checksum.algorithm] : [])));
  faults.reach('completing');
  const result = await metadata.completeUpload({
    address,
    listed: parts,
    partBytesMin: PART_SIZE_BYTES_MIN,
    stated,
    listHash,
    at: clock.now(),
    demands: [{ kind: 'enabled' }, { kind: 'conditions', conditions }],
    resultsKept: UPLOAD_RESULTS_KEPT_MAX,
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
