/** S3 keys of the memory engine. */
import type { S3Key } from '../../../core/identity/s3-keys/s3-key.ts';
import type { AccountId, TimeMs } from '../../../core/ids.ts';
import type { S3KeyReads, S3KeyWrites } from '../../../core/ports/metadata/access.ts';
import { compareText, deleteWhere, type Holder, insertNew, isBefore } from './memory-state.ts';

export function memoryS3KeyReads(holder: Holder): S3KeyReads {
  const listS3Keys = async (accountId: AccountId) => keysOf(holder, accountId);
  return {
    findS3Key: async (accessKeyId) => holder.current.s3Keys.get(accessKeyId),
    listS3Keys,
    async countS3Keys(accountId, now) {
      const keys = await listS3Keys(accountId);
      const live = keys.filter((key) => !hasEnded(key, now)).length;
      return { live, ended: keys.length - live };
    },
  };
}

function hasEnded({ revokedAt, expiresAt }: S3Key, now: TimeMs): boolean {
  return revokedAt !== undefined || (expiresAt !== undefined && expiresAt <= now);
}

/** Oldest first. */
function keysOf(holder: Holder, accountId: AccountId): readonly S3Key[] {
  return [...holder.current.s3Keys.values()]
    .filter((key) => key.accountId === accountId)
    .sort((a, b) => a.createdAt - b.createdAt || compareText(a.accessKeyId, b.accessKeyId));
}

export function memoryS3KeyWrites(holder: Holder): S3KeyWrites {
  return {
    async insertS3Key(key) {
      insertNew(holder.current.s3Keys, key.accessKeyId, key);
    },
    async revokeS3Key(accountId, accessKeyId, at) {
      const key = holder.current.s3Keys.get(accessKeyId);
      if (key?.accountId !== accountId || key.revokedAt !== undefined) return false;
      holder.current.s3Keys.set(accessKeyId, { ...key, revokedAt: at });
      return true;
    },
    async revokeS3KeysOf(bucketId, at) {
      for (const [accessKeyId, key] of holder.current.s3Keys) {
        if (key.bucketId !== bucketId || key.revokedAt !== undefined) continue;
        holder.current.s3Keys.set(accessKeyId, { ...key, revokedAt: at });
      }
    },
    async revokeS3KeysMadeBy(tokenId, at) {
      for (const [accessKeyId, key] of holder.current.s3Keys) {
        if (key.tokenId !== tokenId || key.revokedAt !== undefined) continue;
        holder.current.s3Keys.set(accessKeyId, { ...key, revokedAt: at });
      }
    },
    async touchS3Key(accessKeyId, at) {
      const key = holder.current.s3Keys.get(accessKeyId);
      if (key) holder.current.s3Keys.set(accessKeyId, { ...key, lastUsedAt: at });
    },
    async deleteEndedS3Keys(accountId, now, limit) {
      const ended = keysOf(holder, accountId).filter((key) => hasEnded(key, now));
      for (const { accessKeyId } of ended.slice(0, limit)) {
        holder.current.s3Keys.delete(accessKeyId);
      }
    },
    deleteS3Keys: async (before, limit) =>
      deleteWhere(
        holder.current.s3Keys,
        ({ revokedAt, expiresAt }) => isBefore(revokedAt, before) || isBefore(expiresAt, before),
        limit,
      ),
  };
}
