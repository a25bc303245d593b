/** Upload operations and public links as rows. */
import type { OperationStatus, UploadOperation } from '../../../core/files/operation.ts';
import type { PublicLink } from '../../../core/files/public-link.ts';
import type {
  AccountId,
  BucketId,
  ContentHash,
  LinkHash,
  ObjectKey,
  OperationId,
  TimeMs,
} from '../../../core/ids.ts';
import type { FileReads, FileWrites } from '../../../core/ports/metadata/files.ts';
import type { Db, LinkTable, OperationTable } from '../schema.ts';
import { bytesOfKey, keyOfBytes, orUndefined } from './columns.ts';

/** Statuses of operations that are still under way. */
export const OPEN_STATUSES: readonly OperationStatus[] = [
  'queued',
  'running',
  'durable',
  'finalizing',
];
export const FINISHED_STATUSES: readonly OperationStatus[] = ['completed', 'failed'];

export function fileReads(db: Db): FileReads {
  return {
    async findOperation(operationId) {
      const row = await db
        .selectFrom('upload_operations')
        .selectAll()
        .where('operation_id', '=', operationId)
        .executeTakeFirst();
      return row && operationOf(row);
    },
    async findNewestOperation(accountId, key) {
      const row = await db
        .selectFrom('upload_operations')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('key', '=', bytesOfKey(key))
        .orderBy('created_at', 'desc')
        .orderBy('operation_id', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && operationOf(row);
    },
    async findLink(hash) {
      const row = await db
        .selectFrom('public_links')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst();
      return row && linkOf(row);
    },
    async listLinks({ accountId, after, limit }) {
      let query = db
        .selectFrom('public_links')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('created_at', 'desc')
        .orderBy('hash')
        .limit(limit);
      if (after !== undefined) {
        query = query.where((eb) =>
          eb.or([
            eb('created_at', '<', after.createdAt),
            eb.and([eb('created_at', '=', after.createdAt), eb('hash', '>', after.hash)]),
          ]),
        );
      }
      return (await query.execute()).map(linkOf);
    },
  };
}

export function fileWrites(db: Db): FileWrites {
  return {
    async saveOperation(operation) {
      const { operation_id, ...rest } = columnsOfOperation(operation);
      await db
        .insertInto('upload_operations')
        .values({ operation_id, ...rest })
        .onConflict((conflict) => conflict.column('operation_id').doUpdateSet(rest))
        .execute();
    },
    async failOperations({ updatedBefore, error, at }) {
      const result = await db
        .updateTable('upload_operations')
        .set({ status: 'failed', error, updated_at: at })
        .where('status', 'in', OPEN_STATUSES)
        .where('updated_at', '<', updatedBefore)
        .executeTakeFirst();
      return Number(result.numUpdatedRows);
    },
    async deleteOperations(before, limit) {
      const result = await db
        .deleteFrom('upload_operations')
        .where('operation_id', 'in', (eb) =>
          eb
            .selectFrom('upload_operations')
            .select('operation_id')
            .where('status', 'in', FINISHED_STATUSES)
            .where('updated_at', '<', before)
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
    async countLinks(accountId, limit) {
      const some = db
        .selectFrom('public_links')
        .select('hash')
        .where('account_id', '=', accountId)
        .limit(limit);
      const { count } = await db
        .selectFrom(some.as('some'))
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow();
      return Number(count);
    },
    async insertLink(link) {
      await db
        .insertInto('public_links')
        .values({
          hash: link.hash,
          account_id: link.accountId,
          bucket_id: link.bucketId,
          key: bytesOfKey(link.key),
          title: link.title ?? null,
          description: link.description ?? null,
          expires_at: link.expiresAt ?? null,
          password_hash: link.passwordHash ?? null,
          created_at: link.createdAt,
        })
        .execute();
    },
    async deleteLink(accountId, hash) {
      const result = await db
        .deleteFrom('public_links')
        .where('hash', '=', hash)
        .where('account_id', '=', accountId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    },
  };
}

export function columnsOfOperation(operation: UploadOperation): OperationTable {
  return {
    operation_id: operation.operationId,
    account_id: operation.accountId,
    key: bytesOfKey(operation.key),
    status: operation.status,
    error: operation.error ?? null,
    content_hash: operation.contentHash ?? null,
    bytes_total: operation.bytesTotal ?? null,
    bytes_uploaded: operation.bytesUploaded,
    created_at: operation.createdAt,
    updated_at: operation.updatedAt,
  };
}

function operationOf(row: OperationTable): UploadOperation {
  return {
    operationId: row.operation_id as OperationId,
    accountId: row.account_id as AccountId,
    key: keyOfBytes(row.key) as ObjectKey,
    status: row.status as OperationStatus,
    error: orUndefined(row.error),
    contentHash: orUndefined(row.content_hash as ContentHash | null),
    bytesTotal: orUndefined(row.bytes_total),
    bytesUploaded: row.bytes_uploaded,
    createdAt: row.created_at as TimeMs,
    updatedAt: row.updated_at as TimeMs,
  };
}

function linkOf(row: LinkTable): PublicLink {
  return {
    hash: row.hash as LinkHash,
    accountId: row.account_id as AccountId,
    bucketId: row.bucket_id as BucketId,
    key: keyOfBytes(row.key) as ObjectKey,
    title: orUndefined(row.title),
    description: orUndefined(row.description),
    expiresAt: orUndefined(row.expires_at as TimeMs | null),
    passwordHash: orUndefined(row.password_hash),
    createdAt: row.created_at as TimeMs,
  };
}
