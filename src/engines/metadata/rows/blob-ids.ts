/** The numbers of blobs, and the word that tells one store from another. */
import { sql } from 'kysely';
import type { Db } from '../schema.ts';

/**
 * The first number behind `count` more. A database restored from an older copy of itself goes on
 * behind the highest row it has.
 */
export function nextBlobId(count: number) {
  const highest = sql`(select coalesce(max(blob_id), 0) + 1 from blobs)`;
  return sql<number>`(case when next_id > ${highest} then next_id else ${highest} end) + ${sql.lit(count)}`;
}

export async function storeIdOf(db: Db): Promise<string> {
  const { store_id: storeId } = await db
    .selectFrom('blob_ids')
    .select('store_id')
    .executeTakeFirstOrThrow();
  return storeId;
}
