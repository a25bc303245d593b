/** Makes the content hash of an object that came in parts, by reading it once more. */
import { defineTransaction } from '../../define-transaction.ts';
import { isServiceError } from '../../errors.ts';
import { type ContentHash, contentHashOf } from '../../ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Digester, Digesters } from '../../ports/digesters.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { ObjectVersion, StoredObject } from '../object.ts';

export type HashDeps = {
  readonly metadata: Transactions;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly digesters: Pick<Digesters, 'open'>;
};

/**
 * Reads all bytes and keeps their hash with the version, unless another took its place meanwhile;
 * answers whether it did. May be run again, or twice at once. Throws `corrupt`, `aborted`.
 */
export async function hashObject(
  deps: HashDeps,
  object: StoredObject,
  { signal }: { readonly signal: AbortSignal },
): Promise<boolean> {
  const digester = deps.digesters.open(object.sizeBytes);
  try {
    await readAll(deps, { object, digester, signal });
    const { blake3 } = await digester.finish();
    const { bucketId, key, createdAt, etag } = object;
    return await deps.metadata.transact(SET_CONTENT_HASH, {
      version: { bucketId, key, createdAt, etag },
      contentHash: contentHashOf(blake3),
    });
  } catch (error) {
    // Replaced or removed: its bytes are gone.
    if (isServiceError(error, 'object_not_found')) return false;
    throw error;
  } finally {
    digester.release();
  }
}

type HashedVersion = {
  readonly version: Pick<ObjectVersion, 'bucketId' | 'key' | 'createdAt' | 'etag'>;
  readonly contentHash: ContentHash;
};

export const SET_CONTENT_HASH = defineTransaction(
  'set_content_hash',
  (tx, { version, contentHash }: HashedVersion) => tx.setContentHash(version, contentHash),
);

/** Part after part, so that one of ten thousand parts takes one file at a time. */
async function readAll(
  { blobs }: Pick<HashDeps, 'blobs'>,
  reading: {
    readonly object: StoredObject;
    readonly digester: Digester;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { object, digester, signal } = reading;
  for (const { blob, sizeBytes } of object.content) {
    const reader = await blobs.open(blob);
    try {
      // The reader takes its buffer back, and a digester may keep what it was given.
      const take = (chunk: Uint8Array) => digester.update(Buffer.from(chunk));
      await reader.read({ start: 0, end: sizeBytes }, take, { signal });
    } finally {
      await reader.close();
    }
  }
}
