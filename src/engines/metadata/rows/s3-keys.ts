/** S3 keys as rows. */
import type { ExpressionBuilder } from 'kysely';
import type { S3Key } from '../../../core/identity/s3-keys/s3-key.ts';
import type { AccessKeyId, AccountId, BucketId, TimeMs, TokenId } from '../../../core/ids.ts';
import type { S3KeyReads, S3KeyWrites } from '../../../core/ports/metadata/access.ts';
import type { Db, S3KeyTable, Schema } from '../schema.ts';
import { bytesOfKey, keyOfBytes, orUndefined } from './columns.ts';

export function s3KeyReads(db: Db): S3KeyReads {
  return {
    async findS3Key(accessKeyId) {
      const row = await db
        .selectFrom('s3_keys')
        .selectAll()
        .where('access_key_id', '=', accessKeyId)
        .executeTakeFirst();
      return row && s3KeyOf(row);
    },
    async listS3Keys(accountId) {
      const rows = await db
        .selectFrom('s3_keys')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('created_at')
        .orderBy('access_key_id')
        .execute();
      return rows.map(s3KeyOf);
    },
    async countS3Keys(accountId, now) {
      const { total, ended } = await db
        .selectFrom('s3_keys')
        .where('account_id', '=', accountId)
        .select((eb) => [
          eb.fn.countAll().as('total'),
          eb.fn.countAll().filterWhere(hasEnded(now)).as('ended'),
        ])
        .executeTakeFirstOrThrow();
      return { live: Number(total) - Number(ended), ended: Number(ended) };
    },
  };
}

function hasEnded(now: TimeMs) {
  return (eb: ExpressionBuilder<Schema, 's3_keys'>) =>
    eb.or([eb('revoked_at', 'is not', null), eb('expires_at', '<=', now)]);
}

export function s3KeyWrites(db: Db): S3KeyWrites {
  return {
    async insertS3Key(key) {
      await db.insertInto('s3_keys').values(columnsOfS3Key(key)).execute();
    },
    async revokeS3Key(accountId, accessKeyId, at) {
      const result = await db
        .updateTable('s3_keys')
        .set({ revoked_at: at })
        .where('access_key_id', '=', accessKeyId)
        .where('account_id', '=', accountId)
        .where('revoked_at', 'is', null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    },
    async revokeS3KeysOf(bucketId, at) {
      await db
        .updateTable('s3_keys')
        .set({ revoked_at: at })
        .where('bucket_id', '=', bucketId)
        .where('revoked_at', 'is', null)
        .execute();
    },
    async revokeS3KeysMadeBy(tokenId, at) {
      await db
        .updateTable('s3_keys')
        .set({ revoked_at: at })
        .where('token_id', '=', tokenId)
        .where('revoked_at', 'is', null)
        .execute();
    },
    async touchS3Key(accessKeyId, at) {
      await db
        .updateTable('s3_keys')
        .set({ last_used_at: at })
        .where('access_key_id', '=', accessKeyId)
        .execute();
    },
    async deleteEndedS3Keys(accountId, now, limit) {
      await db
        .deleteFrom('s3_keys')
        .where('access_key_id', 'in', (eb) =>
          eb
            .selectFrom('s3_keys')
            .select('access_key_id')
            .where('account_id', '=', accountId)
            .where(hasEnded(now))
            .orderBy('created_at')
            .orderBy('access_key_id')
            .limit(limit),
        )
        .execute();
    },
    async deleteS3Keys(before, limit) {
      const result = await db
        .deleteFrom('s3_keys')
        .where('access_key_id', 'in', (eb) =>
          eb
            .selectFrom('s3_keys')
            .select('access_key_id')
            .where((or) => or.or([or('revoked_at', '<', before), or('expires_at', '<', before)]))
            .limit(limit),
        )
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

export function s3KeyOf(row: S3KeyTable): S3Key {
  return {
    accessKeyId: row.access_key_id as AccessKeyId,
    accountId: row.account_id as AccountId,
    name: orUndefined(row.name),
    secretCiphertext: row.secret_ciphertext,
    isReadOnly: row.read_only === 1,
    bucketId: orUndefined(row.bucket_id as BucketId | null),
    prefix: row.prefix === null ? undefined : keyOfBytes(row.prefix),
    createdAt: row.created_at as TimeMs,
    lastUsedAt: orUndefined(row.last_used_at as TimeMs | null),
    revokedAt: orUndefined(row.revoked_at as TimeMs | null),
    tokenId: orUndefined(row.token_id as TokenId | null),
    expiresAt: orUndefined(row.expires_at as TimeMs | null),
  };
}

function columnsOfS3Key(key: S3Key): S3KeyTable {
  return {
    access_key_id: key.accessKeyId,
    account_id: key.accountId,
    name: key.name ?? null,
    secret_ciphertext: key.secretCiphertext,
    read_only: key.isReadOnly ? 1 : 0,
    bucket_id: key.bucketId ?? null,
    prefix: key.prefix === undefined ? null : bytesOfKey(key.prefix),
    created_at: key.createdAt,
    last_used_at: key.lastUsedAt ?? null,
    revoked_at: key.revokedAt ?? null,
    token_id: key.tokenId ?? null,
    expires_at: key.expiresAt ?? null,
  };
}
