import { ServiceError } from '../../../core/errors.ts';
import type { BlobRef } from '../../../core/ports/blob-store.ts';

export function corruptBlob(blob: BlobRef, reason: string): ServiceError {
  return new ServiceError('corrupt', `Blob ${blob.blobId} is corrupt: ${reason}.`);
}

/** For a blob whose bytes are not here (any more). */
export function blobGone(cause?: unknown): ServiceError {
  return new ServiceError('object_not_found', 'The bytes are gone.', { cause });
}
