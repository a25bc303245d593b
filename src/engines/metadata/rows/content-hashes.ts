/** Content hashes that come after their objects, in SQL that both engines speak. */
import type { ContentHashWrites } from '../../../core/ports/metadata/content-hashes.ts';
import type { Db } from '../schema.ts';
import { bytesOfKey } from './columns.ts';

export function contentHashWrites(db: Db): ContentHashWrites {
  return {
    async setContentHash({ bucketId, key, createdAt, etag }, contentHash) {
      const result = await db
        .updateTable('objects')
        .set({ content_hash: contentHash })
        .where('bucket_id', '=', bucketId)
        .where('key', '=', bytesOfKey(key))
        .where('created_at', '=', createdAt)
        .where('etag', '=', etag)
        .where('content_hash', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
  };
}
