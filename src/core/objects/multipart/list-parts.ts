import { LIST_LIMIT_MAX } from '../../limits.ts';
import type { UploadReads } from '../../ports/metadata/uploads.ts';
import { getLiveUpload } from './live-upload.ts';
import type { MultipartUpload, UploadAddress, UploadPart } from './upload.ts';

export type PartPage = {
  readonly upload: MultipartUpload;
  readonly parts: readonly UploadPart[];
  readonly isTruncated: boolean;
};

/**
 * Parts of a live upload in order of their numbers, those above `after`; at most 1000, whatever
 * `limit` asks for. Throws `upload_not_found`.
 */
export async function listParts(
  deps: { readonly metadata: Pick<UploadReads, 'findUpload' | 'listParts'> },
  query: { readonly address: UploadAddress; readonly after: number; readonly limit: number },
): Promise<PartPage> {
  const { address, after } = query;
  const limit = Math.min(query.limit, LIST_LIMIT_MAX);
  const page = { uploadId: address.uploadId, after, limit: limit + 1 };
  // Before the upload: one that lives now lived when its parts were read, and had these.
  const parts = await deps.metadata.listParts(page);
  const upload = await getLiveUpload(deps, address);
  if (limit === 0) return { upload, parts: [], isTruncated: false };
  return { upload, parts: parts.slice(0, limit), isTruncated: parts.length > limit };
}
