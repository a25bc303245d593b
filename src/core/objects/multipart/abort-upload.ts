import type { Clock } from '../../ports/clock.ts';
import type { UploadCommits } from '../../ports/metadata/uploads.ts';
import type { UploadAddress } from './upload.ts';

/**
 * Ends an upload and frees its parts; parts that are still coming are refused when they end. Throws
 * `upload_not_found`, also once it is completed.
 */
export async function abortUpload(
  {
    metadata,
    clock,
  }: {
    readonly metadata: Pick<UploadCommits, 'abortUpload'>;
    readonly clock: Pick<Clock, 'now'>;
  },
  address: UploadAddress,
): Promise<void> {
  await metadata.abortUpload({ address, at: clock.now() });
}
