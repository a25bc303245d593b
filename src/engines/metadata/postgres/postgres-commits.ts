/**
 * Publishes, deletes and moves in a transaction of PostgreSQL. Each locks its account's row first:
 * that puts all changes of one account's objects in a row, so conditions and quotas are exact, also
 * at READ COMMITTED, where the statements after the lock see all that was committed before.
 */
import { sql } from 'kysely';

import type { Account } from '../../../core/identity/account/account.ts';
import type { AccountId, BucketId, ObjectKey, TimeMs } from '../../../core/ids.ts';
import {
  type Footprint,
  footprintChange,
  versionFootprint,
} from '../../../core/objects/commit/footprint.ts';
import { judgeCommit } from '../../../core/objects/commit/judge-commit.ts';
import type { ContentPart, ObjectVersion } from '../../../core/objects/object.ts';
import type { ObjectWrites, Publication } from '../../../core/ports/metadata/objects.ts';
import { bucketNotFound, bytesGone, objectNotFound } from '../commit-refusals.ts';
import { partChecksumColumn } from '../rows/checksums.ts';
import { bytesOfKey } from '../rows/columns.ts';
import { fileWrites } from '../rows/files.ts';
import { columnsOfVersion, isInline, type ObjectRow, versionOf } from '../rows/objects.ts';
import { trailWrites } from '../rows/trail.ts';
import type { Db, ObjectTable } from '../schema.ts';
import { withChange } from '../stored-change.ts';

type Current = { readonly version: ObjectVersion; readonly row: ObjectRow };

/** Locks an account's row and reads it: how depends on the transaction's isolation. */
export type LockAccount = (db: Db, accountId: AccountId) => Promise<Account>;

/** The writes over a transaction that the caller begins and ends. */
export function objectWrites(db: Db, lockAccount: LockAccount): ObjectWrites {
  return {
    async publishObject(publication) {
      const { accountId, version, content, demands, operation, usage } = publication;
      const account = await lockAccount(db, accountId);
      await requireOwner(db, version.bucketId, accountId);
      const current = await findCurrent(db, version.bucketId, version.key);
      judgeCommit(demands, { current: current?.version, account });
      await refuseDead(db, content, publication);
      for (const part of content) await ownBlob(db, part);
      await writeObject(db, columnsOfVersion(version, await writeContent(db, version, content)));
      if (current !== undefined) await dropContent(db, current.row, version.createdAt);
      const change = footprintChange({
        added: [versionFootprint(version)],
        removed: [current && versionFootprint(current.version)],
      });
      await changeStored(db, account, change);
      if (operation !== undefined) await fileWrites(db).saveOperation(operation);
      if (usage !== undefined) await trailWrites(db).appendUsage([usage]);
      return current?.version;
    },

    async deleteObject({ accountId, bucketId, key, at, demands }) {
      const account = await lockAccount(db, accountId);
      await requireOwner(db, bucketId, accountId);
      const current = await findCurrent(db, bucketId, key);
      judgeCommit(demands, { current: current?.version, account });
      if (current === undefined) return undefined;
      await removeObject(db, { current, at });
      const removed = [versionFootprint(current.version)];
      await changeStored(db, account, footprintChange({ added: [], removed }));
      await endLinks(db, bucketId, key);
      return current.version;
    },

    async moveObject({ bucketId, from, to, at }) {
      const owner = await findOwner(db, bucketId);
      if (owner === undefined) throw objectNotFound();
      const account = await lockAccount(db, owner);
      const source = await findCurrent(db, bucketId, from);
      if (source === undefined) throw objectNotFound();
      if (from === to) return;
      const target = await findCurrent(db, bucketId, to);
      if (target !== undefined) {
        await removeObject(db, { current: target, at });
        await endLinks(db, bucketId, to);
      }
      const moved = { ...source.version, key: to };
      const change = footprintChange({
        added: [versionFootprint(moved)],
        removed: [source, target].map((each) => each && versionFootprint(each.version)),
      });
      await changeStored(db, account, change);
      for (const table of ['objects', 'public_links'] as const) {
        await db
          .updateTable(table)
          .set({ key: bytesOfKey(to) })
          .where('bucket_id', '=', bucketId)
          .where('key', '=', bytesOfKey(from))
          .execute();
      }
    },
  };
}

async function endLinks(db: Db, bucketId: BucketId, key: ObjectKey): Promise<void> {
  await db
    .deleteFrom('public_links')
    .where('bucket_id', '=', bucketId)
    .where('key', '=', bytesOfKey(key))
    .execute();
}

async function findOwner(db: Db, bucketId: BucketId): Promise<AccountId | undefined> {
  const row = await db
    .selectFrom('buckets')
    .select('account_id')
    .where('bucket_id', '=', bucketId)
    .executeTakeFirst();
  return row && (row.account_id as AccountId);
}

export async function requireOwner(
  db: Db,
  bucketId: BucketId,
  accountId: AccountId,
): Promise<void> {
  if ((await findOwner(db, bucketId)) !== accountId) throw bucketNotFound();
}

export async function findCurrent(
  db: Db,
  bucketId: BucketId,
  key: ObjectKey,
): Promise<Current | undefined> {
  const row = await db
    .selectFrom('objects')
    .selectAll()
    .where('bucket_id', '=', bucketId)
    .where('key', '=', bytesOfKey(key))
    .executeTakeFirst();
  return row && { version: versionOf(bucketId, key, row), row };
}

/** Written also when nothing changed: a serial transaction that read before is then run again. */
export async function changeStored(db: Db, account: Account, change: Footprint): Promise<void> {
  const { storedBytes, countedBytes } = withChange(account, change);
  await db
    .updateTable('accounts')
    .set({ stored_bytes: storedBytes, counted_bytes: countedBytes })
    .where('account_id', '=', account.accountId)
    .execute();
}

/**
 * A refusal must come before the first write: within a larger transaction the caller may go on.
 * The rows are locked, so that what is alive here still is when it gets its new owner.
 */
async function refuseDead(
  db: Db,
  content: readonly ContentPart[],
  { areBlobsStanding = false }: Pick<Publication, 'areBlobsStanding'>,
): Promise<void> {
  const blobIds = [...new Set(content.map(({ blob }) => Number(blob.blobId)))];
  if (blobIds.length === 0) return;
  const rows = await db
    .selectFrom('blobs')
    .select('died_at')
    .where('blob_id', 'in', blobIds)
    .orderBy('blob_id')
    .forUpdate()
    .execute();
  const isForgotten = areBlobsStanding && rows.length < blobIds.length;
  if (isForgotten || rows.some(({ died_at }) => died_at !== null)) throw bytesGone();
}

/** Throws `object_not_found` for a dead blob, whose bytes may be gone; nothing is written then. */
export async function ownBlob(db: Db, { blob }: Pick<ContentPart, 'blob'>): Promise<void> {
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('blobs')
    .values({
      blob_id: blob.blobId,
      size_bytes: blob.sizeBytes,
      location: blob.location,
      owners: 1,
    })
    .onConflict((conflict) =>
      conflict
        .column('blob_id')
        .doUpdateSet((eb) => ({ owners: eb('blobs.owners', '+', 1) }))
        .where('blobs.died_at', 'is', null),
    )
    .executeTakeFirstOrThrow();
  if (numInsertedOrUpdatedRows === 0n) throw bytesGone();
}

export async function writeObject(db: Db, row: ObjectTable): Promise<void> {
  const { bucket_id, key, ...rest } = row;
  await db
    .insertInto('objects')
    .values(row)
    .onConflict((conflict) => conflict.columns(['bucket_id', 'key']).doUpdateSet(rest))
    .execute();
}

async function writeContent(
  db: Db,
  version: ObjectVersion,
  content: readonly ContentPart[],
): Promise<Pick<ObjectTable, 'blob_id' | 'content_id'>> {
  if (isInline(content, version.sizeBytes)) {
    return { blob_id: content[0]?.blob.blobId ?? null, content_id: null };
  }
  const { content_id } = await db
    .insertInto('contents')
    .values({ part_count: content.length })
    .returning('content_id')
    .executeTakeFirstOrThrow();
  // Columns as lists: one statement whatever the number of parts, which may be 10,000.
  await sql`insert into content_parts (content_id, position, blob_id, size_bytes, checksum)
    select ${content_id}::bigint, part.position - 1, part.blob_id, part.size_bytes, part.checksum
    from unnest(${content.map(({ blob }) => Number(blob.blobId))}::bigint[],
      ${content.map(({ sizeBytes }) => sizeBytes)}::bigint[],
      ${content.map(({ checksum }) => partChecksumColumn(checksum))}::text[])
      with ordinality as part (blob_id, size_bytes, checksum, position)`.execute(db);
  return { blob_id: null, content_id };
}

async function removeObject(
  db: Db,
  { current, at }: { readonly current: Current; readonly at: TimeMs },
): Promise<void> {
  const { bucketId, key } = current.version;
  await db
    .deleteFrom('objects')
    .where('bucket_id', '=', bucketId)
    .where('key', '=', bytesOfKey(key))
    .execute();
  await dropContent(db, current.row, at);
}

export async function dropContent(
  db: Db,
  { blob_id, content_id }: ObjectRow,
  at: TimeMs,
): Promise<void> {
  if (blob_id !== null) {
    await sql`update blobs set owners = owners - 1,
      died_at = case when owners = 1 then ${at}::bigint end where blob_id = ${blob_id}`.execute(db);
  }
  if (content_id === null) return;
  await sql`update blobs set owners = owners - part.times,
    died_at = case when owners = part.times then ${at}::bigint end
    from (select blob_id, count(*) as times from content_parts
      where content_id = ${content_id} group by blob_id) as part
    where blobs.blob_id = part.blob_id`.execute(db);
  await db.deleteFrom('content_parts').where('content_id', '=', content_id).execute();
  await db.deleteFrom('contents').where('content_id', '=', content_id).execute();
}
