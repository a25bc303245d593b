/** The prepared statements of publishing, deleting and moving objects. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import { VERSION_COLUMNS } from '../rows/objects.ts';
import { ACCOUNT_COLUMNS } from './sqlite-reads.ts';
import { prepareUploads, type UploadStatements } from './upload-statements.ts';

export type CommitStatements = {
  readonly uploads: UploadStatements;
  readonly account: StatementSync;
  readonly bucketOwner: StatementSync;
  readonly current: StatementSync;
  readonly writeObject: StatementSync;
  readonly deleteObject: StatementSync;
  readonly renameObject: StatementSync;
  readonly ownBlob: StatementSync;
  readonly isBlobDead: StatementSync;
  readonly isBlobAlive: StatementSync;
  readonly disownBlob: StatementSync;
  readonly insertContent: StatementSync;
  readonly insertPart: StatementSync;
  readonly parts: StatementSync;
  readonly deleteParts: StatementSync;
  readonly deleteContent: StatementSync;
  readonly writeOperation: StatementSync;
  readonly endLinks: StatementSync;
  readonly moveLinks: StatementSync;
  readonly changeStored: StatementSync;
  readonly appendUsage: StatementSync;
};

export function prepareCommits(connection: DatabaseSync): CommitStatements {
  const prepare = (sql: string) => connection.prepare(sql);
  return {
    uploads: prepareUploads(connection),
    account: prepare(`select ${ACCOUNT_COLUMNS} from accounts where account_id = ?`),
    bucketOwner: prepare('select account_id from buckets where bucket_id = ?'),
    current: prepare(`select ${VERSION_COLUMNS.join()}, blob_id, content_id from objects
      where bucket_id = ? and key = ?`),
    writeObject: prepare(`insert or replace into objects (bucket_id, key, version_id, size_bytes,
      etag, content_hash, content_type, headers, user_metadata, tags, storage_class, tier, origin,
      blob_id, content_id, created_at, checksum) values (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)`),
    deleteObject: prepare('delete from objects where bucket_id = ? and key = ?'),
    renameObject: prepare('update objects set key = ? where bucket_id = ? and key = ?'),
    // Changes no row when the blob is dead: its bytes may be gone.
    ownBlob: prepare(`insert into blobs (blob_id, size_bytes, location, owners)
      values (?, ?, ?, 1) on conflict (blob_id) do update set owners = owners + 1
      where died_at is null`),
    isBlobDead: prepare('select 1 from blobs where blob_id = ? and died_at is not null'),
    isBlobAlive: prepare('select 1 from blobs where blob_id = ? and died_at is null'),
    disownBlob: prepare(`update blobs set owners = owners - 1,
      died_at = case when owners = 1 then ? end where blob_id = ?`),
    insertContent: prepare('insert into contents (part_count) values (?)'),
    insertPart: prepare(`insert into content_parts (content_id, position, blob_id, size_bytes,
      checksum) values (?, ?, ?, ?, ?)`),
    parts: prepare('select blob_id from content_parts where content_id = ?'),
    deleteParts: prepare('delete from content_parts where content_id = ?'),
    deleteContent: prepare('delete from contents where content_id = ?'),
    writeOperation: prepare(`insert or replace into upload_operations (operation_id, account_id,
      key, status, error, content_hash, bytes_total, bytes_uploaded, created_at, updated_at)
      values (?,?,?,?,?,?,?,?,?,?)`),
    endLinks: prepare('delete from public_links where bucket_id = ? and key = ?'),
    moveLinks: prepare('update public_links set key = ? where bucket_id = ? and key = ?'),
    changeStored: prepare(`update accounts set stored_bytes = ?, counted_bytes = ?
      where account_id = ?`),
    appendUsage: prepare(`insert into usage_deltas (account_id, hour, meter, source, bucket_id,
      credential, link, bytes, requests) values (?,?,?,?,?,?,?,?,?)`),
  };
}
