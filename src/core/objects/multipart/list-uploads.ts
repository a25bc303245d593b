import { LIST_LIMIT_MAX } from '../../limits.ts';
import type { UploadPage, UploadQuery, UploadReads } from '../../ports/metadata/uploads.ts';

/**
 * Live uploads of a bucket; at most 1000 entries, whatever the limit asks for, and none for 0. The
 * caller has made sure that the bucket may be listed.
 */
export async function listUploads(
  { metadata }: { readonly metadata: Pick<UploadReads, 'listUploads'> },
  query: UploadQuery,
): Promise<UploadPage> {
  if (query.limit === 0) return { entries: [], isTruncated: false };
  return await metadata.listUploads({ ...query, limit: Math.min(query.limit, LIST_LIMIT_MAX) });
}
