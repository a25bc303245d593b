/** Buckets as rows. */
import { sql } from 'kysely';

import type { AccountId, BucketId, BucketName, TimeMs } from '../../../core/ids.ts';
import type { Bucket, BucketChange } from '../../../core/objects/buckets/bucket.ts';
import type { BucketReads, BucketWrites } from '../../../core/ports/metadata/buckets.ts';
import { bucketExists, bucketNotEmpty, bucketNotFound } from '../commit-refusals.ts';
import type { BucketTable, Db } from '../schema.ts';
import { numberOf, orUndefined } from './columns.ts';

export type BucketRow = Omit<BucketTable, 'bucket_id'> & { readonly bucket_id: number };

/** Above every letter of a bucket's name. */
const AFTER_ALL = '~';

export function bucketReads(db: Db): BucketReads {
  return {
    async findBucket(name) {
      const row = await db
        .selectFrom('buckets')
        .selectAll()
        .where('name', '=', name)
        .executeTakeFirst();
      return row && bucketOf(row);
    },
    async findBucketById(bucketId) {
      const row = await db
        .selectFrom('buckets')
        .selectAll()
        .where('bucket_id', '=', bucketId)
        .executeTakeFirst();
      return row && bucketOf(row);
    },
    async listBuckets({ accountId, prefix, after, limit }) {
      let query = db
        .selectFrom('buckets')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('name', '>=', prefix)
        .where('name', '<', prefix + AFTER_ALL)
        .orderBy('name')
        .limit(limit);
      if (after !== undefined) query = query.where('name', '>', after);
      return (await query.execute()).map(bucketOf);
    },
    async countBuckets(accountId) {
      const row = await db
        .selectFrom('buckets')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .executeTakeFirstOrThrow();
      return numberOf(row.count);
    },
  };
}

/** `lockAccount` holds up every commit to the account's buckets until the transaction ends. */
export function bucketWrites(
  db: Db,
  lockAccount: (accountId: AccountId) => Promise<unknown>,
): BucketWrites {
  return {
    async insertBucket(bucket) {
      const { accountId, name, publicRead, documents, createdAt } = bucket;
      const standing = await db
        .selectFrom('buckets')
        .select('bucket_id')
        .where('name', '=', name)
        .executeTakeFirst();
      if (standing !== undefined) throw bucketExists();
      const { bucket_id } = await db
        .insertInto('buckets')
        .values({
          account_id: accountId,
          name,
          is_default: 0,
          public_read: publicRead ? 1 : 0,
          versioning: 'off',
          cors: documents.cors ?? null,
          policy: documents.policy ?? null,
          lifecycle: documents.lifecycle ?? null,
          tagging: documents.tagging ?? null,
          created_at: createdAt,
        })
        .returning('bucket_id')
        .executeTakeFirstOrThrow();
      return { ...bucket, bucketId: bucket_id as BucketId, isDefault: false };
    },
    async updateBucket(bucketId, change) {
      const result = await db
        .updateTable('buckets')
        // The key is set to itself so that an empty change still tells whether the row stands.
        .set({ name: sql`name`, ...columnsOfChange(change) })
        .where('bucket_id', '=', bucketId)
        .executeTakeFirst();
      if (result.numUpdatedRows === 0n) throw bucketNotFound();
    },
    async deleteBucket(bucketId) {
      const bucket = await db
        .selectFrom('buckets')
        .select('account_id')
        .where('bucket_id', '=', bucketId)
        .executeTakeFirst();
      if (bucket === undefined) throw bucketNotFound();
      await lockAccount(bucket.account_id as AccountId);
      const { rows } = await sql`
        select 1 as one where exists (select 1 from objects where bucket_id = ${bucketId})
        or exists (select 1 from object_versions where bucket_id = ${bucketId})`.execute(db);
      if (rows.length > 0) throw bucketNotEmpty();
      await db.deleteFrom('buckets').where('bucket_id', '=', bucketId).execute();
    },
  };
}

function columnsOfChange({
  publicRead,
  documents,
}: BucketChange): Partial<Omit<BucketTable, 'bucket_id'>> {
  const named = Object.entries(documents ?? {}).filter(([, text]) => text !== undefined);
  return {
    ...(publicRead === undefined ? {} : { public_read: publicRead ? 1 : 0 }),
    ...Object.fromEntries(named),
  };
}

export function bucketOf(row: BucketRow): Bucket {
  return {
    bucketId: row.bucket_id as BucketId,
    accountId: row.account_id as AccountId,
    name: row.name as BucketName,
    isDefault: row.is_default === 1,
    publicRead: row.public_read === 1,
    documents: {
      cors: orUndefined(row.cors),
      policy: orUndefined(row.policy),
      lifecycle: orUndefined(row.lifecycle),
      tagging: orUndefined(row.tagging),
    },
    createdAt: row.created_at as TimeMs,
  };
}
