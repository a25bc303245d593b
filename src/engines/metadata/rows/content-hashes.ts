/** Content hashes that come after their objects, in SQL that both engines speak. */
import { sql } from 'kysely';

import type { BucketId, ObjectKey } from '../../../core/ids.ts';
import type {
  ContentHashReads,
  ContentHashWrites,
} from '../../../core/ports/metadata/content-hashes.ts';
import type { ObjectReads } from '../../../core/ports/metadata/objects.ts';
import type { Db } from '../schema.ts';
import { bytesOfKey, keyOfBytes } from './columns.ts';

export function contentHashReads(
  db: Db,
  { findObject }: Pick<ObjectReads, 'findObject'>,
): ContentHashReads {
  return {
    async listUnhashed({ after, limit }) {
      let rows = db
        .selectFrom('objects')
        .select(['bucket_id', 'key'])
        .where('content_hash', 'is', null)
        .orderBy('created_at')
        .orderBy('bucket_id')
        .orderBy('key')
        .limit(limit);
      if (after !== undefined) {
        const { createdAt, bucketId, key } = after;
        rows = rows.where(
          sql<boolean>`(created_at, bucket_id, key) > (${createdAt}, ${bucketId}, ${bytesOfKey(key)})`,
        );
      }
      const found = [];
      for (const { bucket_id, key } of await rows.execute()) {
        const object = await findObject(bucket_id as BucketId, keyOfBytes(key) as ObjectKey);
        // It may have been replaced since its row was found.
        if (object !== undefined && object.contentHash === undefined) found.push(object);
      }
      return found;
    },
  };
}

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
