/**
 * Changes of multipart uploads in a transaction of PostgreSQL. As all changes of an account's
 * objects, each locks the account's row first, which puts them in a row.
 */
import { sql } from 'kysely';

import type { AccountId, BucketId, TimeMs, UploadId } from '../../../core/ids.ts';
import { OPEN_UPLOADS_MAX } from '../../../core/limits.ts';
import {
  footprintChange,
  partFootprint,
  uploadFootprint,
  versionFootprint,
} from '../../../core/objects/commit/footprint.ts';
import { judgeCommit, judgePart, judgeUpload } from '../../../core/objects/commit/judge-commit.ts';
import { assembleUpload } from '../../../core/objects/multipart/assemble-upload.ts';
import type {
  MultipartUpload,
  UploadAddress,
  UploadPart,
  UploadResult,
} from '../../../core/objects/multipart/upload.ts';
import type {
  PartPublication,
  UploadCompletion,
  UploadWrites,
} from '../../../core/ports/metadata/uploads.ts';
import { uploadNotFound } from '../commit-refusals.ts';
import { columnsOfVersion } from '../rows/objects.ts';
import { trailWrites } from '../rows/trail.ts';
import {
  columnsOfPart,
  columnsOfUpload,
  inlineBlob,
  isAt,
  partOf,
  resultColumn,
  splitParts,
  uploadOf,
} from '../rows/uploads.ts';
import type { Db, UploadPartTable } from '../schema.ts';
import {
  changeStored,
  dropContent,
  findCurrent,
  type LockAccount,
  ownBlob,
  requireOwner,
  writeObject,
} from './postgres-commits.ts';

/** `onBucket` is told of each bucket whose uploads are touched. */
export function uploadWrites(
  db: Db,
  lockAccount: LockAccount,
  onBucket: (bucketId: BucketId) => void = () => undefined,
): UploadWrites {
  const removeAll = async (uploads: readonly MultipartUpload[], at: TimeMs) => {
    for (const upload of uploads) {
      onBucket(upload.bucketId);
      await lockAccount(db, upload.accountId);
      if (await isLive(db, upload)) await removeUpload(db, { upload, at }, lockAccount);
    }
    return uploads.length;
  };
  const liveUploads = () =>
    db.selectFrom('multipart_uploads').selectAll().where('completed_at', 'is', null);
  return {
    async insertUpload({ upload, demands }) {
      onBucket(upload.bucketId);
      const account = await lockAccount(db, upload.accountId);
      await requireOwner(db, upload.bucketId, upload.accountId);
      const openUploads = await countOpen(db, upload.accountId);
      judgeUpload(demands, { account, openUploads });
      await db.insertInto('multipart_uploads').values(columnsOfUpload(upload)).execute();
      // A transaction that removes the bucket and has not seen this upload is run again.
      const added = [uploadFootprint(upload)];
      await changeStored(db, account, footprintChange({ added, removed: [] }));
    },
    savePart(publication) {
      onBucket(publication.address.bucketId);
      return savePart(db, publication, lockAccount);
    },
    completeUpload(completion) {
      onBucket(completion.address.bucketId);
      return completeUpload(db, completion, lockAccount);
    },
    async abortUpload({ address, at }) {
      onBucket(address.bucketId);
      await lockAccount(db, address.accountId);
      await removeUpload(db, { upload: await liveUpload(db, address), at }, lockAccount);
    },
    async abortUploadsOf({ bucketId, at, limit }) {
      const rows = await liveUploads().where('bucket_id', '=', bucketId).limit(limit).execute();
      return await removeAll(rows.map(uploadOf), at);
    },
    async abortIdleUploads({ changedBefore, at, limit }) {
      const rows = await liveUploads()
        .where('changed_at', '<', changedBefore)
        .limit(limit)
        .execute();
      return await removeAll(rows.map(uploadOf), at);
    },
    async forgetUploads({ completedBefore, limit }) {
      const result = await db
        .deleteFrom('multipart_uploads')
        .where('upload_id', 'in', (eb) =>
          eb
            .selectFrom('multipart_uploads')
            .select('upload_id')
            // Nothing changes after it is completed, and changes have an index.
            .where('changed_at', '<', completedBefore)
            .where('completed_at', '<', completedBefore)
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

async function countOpen(db: Db, accountId: AccountId): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from (
    select 1 from multipart_uploads where account_id = ${accountId} and completed_at is null
    limit ${OPEN_UPLOADS_MAX}) as open`.execute(db);
  return Number(rows[0]?.count);
}

async function savePart(
  db: Db,
  { address, part, blob, demands, usage }: PartPublication,
  lockAccount: LockAccount,
): Promise<UploadPart | undefined> {
  const { accountId, uploadId } = address;
  const account = await lockAccount(db, accountId);
  await liveUpload(db, address);
  const before = await db
    .selectFrom('upload_parts')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .where('part_number', '=', part.partNumber)
    .executeTakeFirst();
  const replaced = before && partOf(before);
  judgePart(demands, { replaced, account });
  if (blob !== undefined) await ownBlob(db, { blob });
  const { upload_id, part_number, ...rest } = columnsOfPart(uploadId, part, blob?.blobId ?? null);
  await db
    .insertInto('upload_parts')
    .values({ upload_id, part_number, ...rest })
    .onConflict((conflict) => conflict.columns(['upload_id', 'part_number']).doUpdateSet(rest))
    .execute();
  await db
    .updateTable('multipart_uploads')
    .set({ changed_at: part.createdAt })
    .where('upload_id', '=', uploadId)
    .execute();
  if (before) await disownParts(db, [before], part.createdAt);
  const change = footprintChange({
    added: [partFootprint(part)],
    removed: [replaced && partFootprint(replaced)],
  });
  await changeStored(db, account, change);
  if (usage !== undefined) await trailWrites(db).appendUsage([usage]);
  return replaced;
}

async function completeUpload(
  db: Db,
  completion: UploadCompletion,
  lockAccount: LockAccount,
): Promise<UploadResult> {
  const { address, listed, at, demands, resultsKept } = completion;
  const { accountId, bucketId, key, uploadId } = address;
  const account = await lockAccount(db, accountId);
  const upload = await uploadAt(db, address);
  if (upload.completion !== undefined) return upload.completion.result;
  await requireOwner(db, bucketId, accountId);
  const current = await findCurrent(db, bucketId, key);
  const rows = await partRows(db, uploadId);
  const parts = rows.map(partOf);
  judgeCommit(demands, { current: current?.version, account });
  const { version, result } = assembleUpload(completion, { upload, parts });
  const { named, dropped } = splitParts(rows, listed);
  await dropParts(db, { uploadId, dropped, at });
  const content = inlineBlob(version, named) ?? (await listContent(db, uploadId, named.length));
  await db.deleteFrom('upload_parts').where('upload_id', '=', uploadId).execute();
  await writeObject(db, columnsOfVersion(version, content));
  if (current !== undefined) await dropContent(db, current.row, at);
  await db
    .updateTable('multipart_uploads')
    .set({ completed_at: at, result: resultColumn(result) })
    .where('upload_id', '=', uploadId)
    .execute();
  await sql`delete from multipart_uploads where upload_id in (
    select upload_id from multipart_uploads
    where account_id = ${accountId} and completed_at is not null
    order by completed_at desc, upload_id desc limit 2 offset ${resultsKept})`.execute(db);
  const change = footprintChange({
    added: [versionFootprint(version)],
    removed: [
      current && versionFootprint(current.version),
      uploadFootprint(upload),
      ...parts.map(partFootprint),
    ],
  });
  await changeStored(db, account, change);
  return result;
}

async function dropParts(
  db: Db,
  drop: {
    readonly uploadId: UploadId;
    readonly dropped: readonly Pick<UploadPartTable, 'part_number' | 'blob_id'>[];
    readonly at: TimeMs;
  },
): Promise<void> {
  if (drop.dropped.length === 0) return;
  await disownParts(db, drop.dropped, drop.at);
  const numbers = drop.dropped.map(({ part_number }) => part_number);
  await sql`delete from upload_parts where upload_id = ${drop.uploadId}
    and part_number = any(${numbers}::integer[])`.execute(db);
}

/** Makes a content list of the parts that still have rows; their blobs keep their owners' count. */
async function listContent(db: Db, uploadId: UploadId, partCount: number) {
  const { content_id } = await db
    .insertInto('contents')
    .values({ part_count: partCount })
    .returning('content_id')
    .executeTakeFirstOrThrow();
  await sql`insert into content_parts (content_id, position, blob_id, size_bytes, checksum)
    select ${content_id}::bigint, row_number() over (order by part_number) - 1, blob_id,
      size_bytes, checksum
    from upload_parts where upload_id = ${uploadId} and blob_id is not null`.execute(db);
  return { blob_id: null, content_id };
}

async function removeUpload(
  db: Db,
  { upload, at }: { readonly upload: MultipartUpload; readonly at: TimeMs },
  lockAccount: LockAccount,
): Promise<void> {
  const { accountId, uploadId } = upload;
  const rows = await partRows(db, uploadId);
  await disownParts(db, rows, at);
  await db.deleteFrom('upload_parts').where('upload_id', '=', uploadId).execute();
  await db.deleteFrom('multipart_uploads').where('upload_id', '=', uploadId).execute();
  // Its row is locked already; it is read anew, because an upload before may have changed it.
  const account = await lockAccount(db, accountId);
  const removed = [uploadFootprint(upload), ...rows.map(partOf).map(partFootprint)];
  await changeStored(db, account, footprintChange({ added: [], removed }));
}

/** Each part has a blob of its own, so no number comes twice. */
async function disownParts(
  db: Db,
  parts: readonly Pick<UploadPartTable, 'blob_id'>[],
  at: TimeMs,
): Promise<void> {
  const blobIds = parts.flatMap(({ blob_id }) => (blob_id === null ? [] : [blob_id]));
  if (blobIds.length === 0) return;
  await sql`update blobs set owners = owners - 1,
    died_at = case when owners = 1 then ${at}::bigint end
    where blob_id = any(${blobIds}::bigint[])`.execute(db);
}

function partRows(db: Db, uploadId: UploadId): Promise<readonly UploadPartTable[]> {
  return db
    .selectFrom('upload_parts')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .orderBy('part_number')
    .execute();
}

async function liveUpload(db: Db, address: UploadAddress): Promise<MultipartUpload> {
  const upload = await uploadAt(db, address);
  if (upload.completion !== undefined) throw uploadNotFound();
  return upload;
}

async function uploadAt(db: Db, address: UploadAddress): Promise<MultipartUpload> {
  const row = await findRow(db, address.uploadId);
  if (row === undefined || !isAt(row, address)) throw uploadNotFound();
  return uploadOf(row);
}

async function isLive(db: Db, { uploadId }: MultipartUpload): Promise<boolean> {
  const row = await findRow(db, uploadId);
  return row?.completed_at === null;
}

function findRow(db: Db, uploadId: UploadId) {
  return db
    .selectFrom('multipart_uploads')
    .selectAll()
    .where('upload_id', '=', uploadId)
    .executeTakeFirst();
}
