/** The prepared statements of multipart uploads. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type UploadStatements = {
  readonly upload: StatementSync;
  /** Open ones of an account, up to a limit. */
  readonly countOpen: StatementSync;
  readonly insertUpload: StatementSync;
  readonly touchUpload: StatementSync;
  readonly completeUpload: StatementSync;
  readonly deleteUpload: StatementSync;
  /** Forgets completed uploads of an account beyond its newest so many, two at a time. */
  readonly forgetOldest: StatementSync;
  readonly part: StatementSync;
  readonly parts: StatementSync;
  readonly writePart: StatementSync;
  readonly deletePart: StatementSync;
  readonly deleteParts: StatementSync;
  /** Gives a content list the parts that stand; their blobs change owners and keep their count. */
  readonly listParts: StatementSync;
  readonly ofBucket: StatementSync;
  readonly idle: StatementSync;
  readonly finished: StatementSync;
};

export function prepareUploads(connection: DatabaseSync): UploadStatements {
  const prepare = (sql: string) => connection.prepare(sql);
  return {
    upload: prepare('select * from multipart_uploads where upload_id = ?'),
    countOpen: prepare(`select count(*) count from (select 1 from multipart_uploads
      where account_id = ? and completed_at is null limit ?)`),
    insertUpload: prepare(`insert into multipart_uploads (upload_id, account_id, bucket_id, key,
      content_type, headers, user_metadata, tags, storage_class, tier, origin, checksum_algorithm,
      checksum_type, created_at, changed_at, completed_at, result)
      values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`),
    touchUpload: prepare('update multipart_uploads set changed_at = ? where upload_id = ?'),
    completeUpload: prepare(`update multipart_uploads set completed_at = ?, result = ?
      where upload_id = ?`),
    deleteUpload: prepare('delete from multipart_uploads where upload_id = ?'),
    forgetOldest: prepare(`delete from multipart_uploads where upload_id in (
      select upload_id from multipart_uploads where account_id = ? and completed_at is not null
      order by completed_at desc, upload_id desc limit 2 offset ?)`),
    part: prepare('select * from upload_parts where upload_id = ? and part_number = ?'),
    parts: prepare('select * from upload_parts where upload_id = ? order by part_number'),
    writePart: prepare(`insert or replace into upload_parts (upload_id, part_number, size_bytes,
      etag, checksum, blob_id, content_id, created_at) values (?,?,?,?,?,?,null,?)`),
    deletePart: prepare('delete from upload_parts where upload_id = ? and part_number = ?'),
    deleteParts: prepare('delete from upload_parts where upload_id = ?'),
    listParts: prepare(`insert into content_parts (content_id, position, blob_id, size_bytes,
      checksum) select ?, row_number() over (order by part_number) - 1, blob_id, size_bytes,
      checksum from upload_parts where upload_id = ? and blob_id is not null`),
    ofBucket: prepare(`select * from multipart_uploads where bucket_id = ?
      and completed_at is null limit ?`),
    idle: prepare(`select * from multipart_uploads where changed_at < ?
      and completed_at is null limit ?`),
    // Nothing changes after it is completed, and changes have an index.
    finished: prepare(`select upload_id from multipart_uploads
      where changed_at < ?1 and completed_at < ?1 limit ?2`),
  };
}
