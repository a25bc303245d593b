/** The live blobs that a copy of the metadata names: what its backup has to hold. */
import { DatabaseSync } from 'node:sqlite';

import type { BlobId, BlobLocation } from '../../../core/ids.ts';
import type { BlobRef } from '../../../core/ports/blob-store.ts';
import { translateSqliteError } from './sqlite-errors.ts';

const LIVE = `select blob_id, size_bytes, location from blobs where died_at is null`;

export class CopiedBlobs implements Disposable {
  readonly #connection: DatabaseSync;

  /** Opens a file that nobody writes to. */
  static open(file: string): CopiedBlobs {
    try {
      return new CopiedBlobs(new DatabaseSync(file, { readOnly: true }));
    } catch (error) {
      throw translateSqliteError(error);
    }
  }

  private constructor(connection: DatabaseSync) {
    this.#connection = connection;
  }

  /** In order of id, those after `after`. */
  page(after: BlobId | undefined, limit: number): readonly BlobRef[] {
    return this.#refs(`${LIVE} and blob_id > ? order by blob_id limit ?`, after ?? 0, limit);
  }

  /** Those whose location begins so; looks at every row. */
  locatedAt(prefix: string): readonly BlobRef[] {
    return this.#refs(`${LIVE} and substr(location, 1, ?) = ?`, prefix.length, prefix);
  }

  /** Those of `blobIds` that live at `location`. */
  named(blobIds: readonly BlobId[], location: BlobLocation): ReadonlySet<BlobId> {
    const sought = `${LIVE} and location = ? and blob_id in (select value from json_each(?))`;
    const found = this.#refs(sought, location, JSON.stringify(blobIds));
    return new Set(found.map(({ blobId }) => blobId));
  }

  /** How many bytes live blobs have, at `location` and in all. */
  sizes(location: BlobLocation): { readonly atLocation: number; readonly all: number } {
    const row = this.#connection
      .prepare(`select coalesce(sum(size_bytes), 0) as all_bytes,
        coalesce(sum(size_bytes) filter (where location = ?), 0) as located
        from blobs where died_at is null`)
      .get(location);
    return { atLocation: Number(row?.['located']), all: Number(row?.['all_bytes']) };
  }

  [Symbol.dispose](): void {
    if (this.#connection.isOpen) this.#connection.close();
  }

  #refs(query: string, ...values: (string | number)[]): readonly BlobRef[] {
    try {
      return this.#connection
        .prepare(query)
        .all(...values)
        .map((row) => ({
          blobId: Number(row['blob_id']) as BlobId,
          sizeBytes: Number(row['size_bytes']),
          location: String(row['location']) as BlobLocation,
        }));
    } catch (error) {
      throw translateSqliteError(error);
    }
  }
}
