/** Reads over one connection: prepared statements where requests are many, Kysely elsewhere. */
import type { DatabaseSync } from 'node:sqlite';

import type {
  AccessKeyId,
  AccountId,
  BucketId,
  BucketName,
  ObjectKey,
  SessionId,
} from '../../../core/ids.ts';
import type { MetadataReads } from '../../../core/ports/metadata/metadata.ts';
import { accessReads, sessionOf } from '../rows/access.ts';
import { accountOf, accountReads } from '../rows/accounts.ts';
import { type BucketRow, bucketOf, bucketReads } from '../rows/buckets.ts';
import { bytesOfKey } from '../rows/columns.ts';
import { fileReads } from '../rows/files.ts';
import type { Moment } from '../rows/moment.ts';
import {
  contentOf,
  type JsonFunctions,
  listColumn,
  objectReads,
  VERSION_COLUMNS,
  versionOfCells,
} from '../rows/objects.ts';
import { s3KeyOf } from '../rows/s3-keys.ts';
import { usageReads } from '../rows/trail.ts';
import { uploadReads } from '../rows/uploads.ts';
import type { AccountTable, Db, S3KeyTable, SessionTable } from '../schema.ts';
import { translateSqliteError } from './sqlite-errors.ts';
import { sqliteListing } from './sqlite-listing.ts';

/** After the version's own cells: the blob's number and place, then the list. */
const LIST_CELL = VERSION_COLUMNS.length + 2;
const JSON_FUNCTIONS: JsonFunctions = { array: 'json_array', gather: 'json_group_array' };

type HotReads = Pick<
  MetadataReads,
  | 'findAccount'
  | 'findAccountByAppKey'
  | 'findSession'
  | 'findS3Key'
  | 'findBucket'
  | 'findObject'
  | 'listObjects'
>;

/** All reads, on `connection` and on `db`, which is Kysely over the same connection. */
export function sqliteReads(
  connection: DatabaseSync,
  db: Db,
  options: { readonly moment: Moment; readonly translate?: (error: unknown) => unknown },
): MetadataReads {
  const { moment, translate = translateSqliteError } = options;
  return {
    ...accountReads(db),
    ...accessReads(db),
    ...bucketReads(db),
    ...objectReads(db, JSON_FUNCTIONS),
    ...uploadReads(db, moment),
    ...fileReads(db),
    ...usageReads(db),
    ...hotReads(connection, translate),
  };
}

/** The same account columns for every statement; sums as text, since they may pass 2^53. */
export const ACCOUNT_COLUMNS = `account_id, slug, default_bucket_id, username, email, first_wallet,
  role, plan, disabled_at, deterministic_urls, cast(storage_bytes_max as text) storage_bytes_max,
  cast(egress_bytes_max as text) egress_bytes_max, buckets_max, password_hash, app_key_hash,
  app_key_ciphertext, cast(stored_bytes as text) stored_bytes,
  cast(counted_bytes as text) counted_bytes, created_at`;

/** A row of `ACCOUNT_COLUMNS`: `BigInt` reads text as it reads numbers. */
export function accountOfRow(row: unknown) {
  return accountOf(row as AccountTable);
}

function hotReads(connection: DatabaseSync, translate: (error: unknown) => unknown): HotReads {
  const translated = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw translate(error);
    }
  };
  const account = connection.prepare(`select ${ACCOUNT_COLUMNS} from accounts
    where account_id = ?`);
  const appKey = connection.prepare(`select ${ACCOUNT_COLUMNS} from accounts
    where app_key_hash = ?`);
  const session = connection.prepare('select * from sessions where session_id = ?');
  const s3Key = connection.prepare('select * from s3_keys where access_key_id = ?');
  const bucket = connection.prepare('select * from buckets where name = ?');
  const object = connection.prepare(`select ${VERSION_COLUMNS.map((name) => `o.${name}`).join()},
    o.blob_id, b.location, ${listColumn('o', JSON_FUNCTIONS)}
    from objects o left join blobs b on b.blob_id = o.blob_id where o.bucket_id = ? and o.key = ?`);
  object.setReturnArrays(true);
  const listObjects = sqliteListing(connection);

  return {
    findAccount: async (accountId: AccountId) => {
      const row = translated(() => account.get(accountId));
      return row && accountOfRow(row);
    },
    findAccountByAppKey: async (appKeyHash: string) => {
      const row = translated(() => appKey.get(appKeyHash));
      return row && accountOfRow(row);
    },
    findSession: async (sessionId: SessionId) => {
      const row = translated(() => session.get(sessionId));
      return row && sessionOf(row as unknown as SessionTable);
    },
    findS3Key: async (accessKeyId: AccessKeyId) => {
      const row = translated(() => s3Key.get(accessKeyId));
      return row && s3KeyOf(row as unknown as S3KeyTable);
    },
    findBucket: async (name: BucketName) => {
      const row = translated(() => bucket.get(name));
      return row && bucketOf(row as unknown as BucketRow);
    },
    findObject: async (bucketId: BucketId, key: ObjectKey) => {
      const found = translated(() => object.get(bucketId, bytesOfKey(key)));
      if (found === undefined) return undefined;
      const cells = found as unknown as readonly unknown[];
      const version = versionOfCells(bucketId, key, cells);
      return { ...version, content: contentOf(version.sizeBytes, namedCells(cells)) };
    },
    listObjects: async (query) => translated(() => listObjects(query)),
  };
}

function namedCells(cells: readonly unknown[]) {
  return {
    blob_id: cells[LIST_CELL - 2] as number | null,
    location: cells[LIST_CELL - 1] as string | null,
    list: cells[LIST_CELL] as string | null,
  };
}
