/** The live blobs that a copy of the metadata names: what its backup has to hold. */
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';

import type { BlobId, BlobLocation } from '../../../core/ids.ts';
import type { BlobRef } from '../../../core/ports/blob-store.ts';
import { translateSqliteError } from './sqlite-errors.ts';

/** A page takes a millisecond or two of the server's own thread. */
const PAGE_BLOBS = 1000;

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

  /** All in order of id, in pages between which others have their turn. */
  async *pages(): AsyncGenerator<readonly BlobRef[]> {
    let after = 0;
    for (;;) {
      await nextTurn();
      const next = `${LIVE} and blob_id > ? order by blob_id limit ?`;
      const page = this.#refs(next, after, PAGE_BLOBS);
      const last = page.at(-1);
      if (last === undefined) return;
      yield page;
      after = last.blobId;
    }
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

  /** Bytes of all blobs at `location`. */
  async sizeAt(location: BlobLocation): Promise<number> {
    let bytes = 0;
    for await (const page of this.pages()) {
      for (const blob of page) if (blob.location === location) bytes += blob.sizeBytes;
    }
    return bytes;
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
