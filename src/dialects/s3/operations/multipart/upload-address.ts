import { isServiceError } from '../../../../core/errors.ts';
import { type PartNumber, parsePartNumber, parseUploadId } from '../../../../core/ids.ts';
import { PARTS_MAX } from '../../../../core/limits.ts';
import type { UploadAddress } from '../../../../core/objects/multipart/upload.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import { invalidArgument } from '../../wire/s3-refusal.ts';

/** The upload that a request names. Throws `upload_not_found` for an id that none could have. */
export function uploadAddress({ head, bucket, key }: ObjectCall): UploadAddress {
  return {
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    key,
    uploadId: parseUploadId(head.query.get('uploadId') ?? ''),
  };
}

/** Throws `InvalidArgument`. */
export function partNumberOf({ head }: ObjectCall): PartNumber {
  const text = head.query.get('partNumber') ?? '';
  try {
    return parsePartNumber(text);
  } catch (error) {
    if (!isServiceError(error, 'invalid_field')) throw error;
    throw invalidArgument(
      `Part number must be an integer between 1 and ${PARTS_MAX}, inclusive`,
      'partNumber',
      text,
    );
  }
}
