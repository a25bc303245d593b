/** The rows of blobs; a dead one keeps its row, without owners, until its bytes are removed. */
import { sql } from 'kysely';
import type { BlobId, BlobLocation, TimeMs } from '../../../core/ids.ts';
import type { BlobRef } from '../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../core/ports/metadata/objects.ts';
import { ROWS_PER_STATEMENT_MAX } from '../metadata-limits.ts';
import type { BlobTable, Db } from '../schema.ts';
import type { Moment } from './moment.ts';

type BlobReads = Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'listDeadBlobs'>;
type BlobWrites = Pick<BlobRows, 'forgetDeadBlobs' | 'moveBlobs'>;

export function blobReads(db: Db, moment: Moment): BlobReads {
  return {
    findBlobs: (blobIds) =>
      blobIds.length <= ROWS_PER_STATEMENT_MAX
        ? findBlobs(db, blobIds)
        : moment((tx) => findBlobs(tx, blobIds)),
    async listBlobsAt(prefix) {
      const rows = await db
        .selectFrom('blobs')
        .selectAll()
        .where(sql`substr(location, 1, ${sql.lit(prefix.length)})`, '=', prefix)
        .where('died_at', 'is', null)
        .orderBy('blob_id')
        .execute();
      return rows.map(blobOf);
    },
    async listBlobs({ after, limit }) {
      const rows = await db
        .selectFrom('blobs')
        .selectAll()
        .where('blob_id', '>', after ?? 0)
        .where('died_at', 'is', null)
        .orderBy('blob_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...blobOf(row), owners: row.owners }));
    },
    async listDeadBlobs({ diedBefore, limit }) {
      const rows = await db
        .selectFrom('blobs')
        .selectAll()
        .where('died_at', '<', diedBefore)
        .orderBy('died_at')
        .orderBy('blob_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...blobOf(row), diedAt: row.died_at as TimeMs }));
    },
  };
}

async function findBlobs(db: Db, blobIds: readonly BlobId[]): Promise<readonly BlobRef[]> {
  const found: BlobRef[] = [];
  for (let start = 0; start < blobIds.length; start += ROWS_PER_STATEMENT_MAX) {
    const rows = await db
      .selectFrom('blobs')
      .selectAll()
      .where('blob_id', 'in', blobIds.slice(start, start + ROWS_PER_STATEMENT_MAX))
      .where('died_at', 'is', null)
      .execute();
    found.push(...rows.map(blobOf));
  }
  return found.toSorted((a, b) => a.blobId - b.blobId);
}

export function blobWrites(db: Db): BlobWrites {
  return {
    async forgetDeadBlobs(blobIds) {
      for (let start = 0; start < blobIds.length; start += ROWS_PER_STATEMENT_MAX) {
        await db
          .deleteFrom('blobs')
          .where('blob_id', 'in', blobIds.slice(start, start + ROWS_PER_STATEMENT_MAX))
          .where('died_at', 'is not', null)
          .execute();
      }
    },
    async moveBlobs(moves) {
      const moved: BlobId[] = [];
      for (const { blobId, from, to } of moves) {
        const result = await db
          .updateTable('blobs')
          .set({ location: to })
          .where('blob_id', '=', blobId)
          .where('location', '=', from)
          .executeTakeFirst();
        if (result.numUpdatedRows > 0n) moved.push(blobId);
      }
      return moved;
    },
  };
}

export function blobOf(row: Pick<BlobTable, 'blob_id' | 'size_bytes' | 'location'>): BlobRef {
  return {
    blobId: row.blob_id as BlobId,
    sizeBytes: row.size_bytes,
    location: row.location as BlobLocation,
  };
}
