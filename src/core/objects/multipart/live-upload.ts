/** Finding the upload that a request names. */
import { ServiceError } from '../../errors.ts';
import type { UploadReads } from '../../ports/metadata/uploads.ts';
import type { MultipartUpload, UploadAddress } from './upload.ts';

/**
 * The live upload of the whole address. Throws `upload_not_found`, also for one that is completed
 * or of another key, bucket or account.
 */
export async function getLiveUpload(
  { metadata }: { readonly metadata: Pick<UploadReads, 'findUpload'> },
  { accountId, bucketId, key, uploadId }: UploadAddress,
): Promise<MultipartUpload> {
  const upload = await metadata.findUpload(uploadId);
  const isThere =
    upload !== undefined &&
    upload.accountId === accountId &&
    upload.bucketId === bucketId &&
    upload.key === key &&
    upload.completion === undefined;
  if (!isThere) throw uploadNotFound();
  return upload;
}

export function uploadNotFound(): ServiceError {
  return new ServiceError('upload_not_found', 'There is no such multipart upload.');
}
