/** Rows that name blobs, in real metadata: each blob is published as an object of its own key. */

import type {
  AccountId,
  AccountSlug,
  ContentHash,
  Etag,
  ObjectKey,
  TimeMs,
} from '../../src/core/ids.ts';
import type { ObjectVersion } from '../../src/core/objects/object.ts';
import type { BlobRef } from '../../src/core/ports/blob-store.ts';
import { inTransaction } from '../../src/core/ports/metadata/contract/in-transaction.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';

const ACCOUNT_ID = '01900000-0000-7000-8000-000000000001' as AccountId;

/** An account whose bucket takes objects; the quota is without limit here. */
export async function openBlobRows(metadata?: Metadata) {
  const rows: Metadata = metadata ?? (await MemoryMetadata.open());
  const { defaultBucketId: bucketId } = await inTransaction(rows, (tx) =>
    tx.insertAccount({
      accountId: ACCOUNT_ID,
      slug: 'blobrowsaaaa' as AccountSlug,
      username: 'blobs',
      email: undefined,
      wallet: undefined,
      role: 'user',
      plan: 'free',
      disabledAt: undefined,
      deterministicUrls: 'files',
      entitlements: { storageBytes: undefined, egressBytes: undefined, buckets: undefined },
      passwordHash: undefined,
      appKeyHash: 'none',
      appKeyCiphertext: 'none',
      createdAt: 0 as TimeMs,
    }),
  );
  const keyOf = (blob: BlobRef) => `blob-${blob.blobId}` as ObjectKey;
  return {
    metadata: rows,
    accountId: ACCOUNT_ID,
    bucketId,
    publish: async (blob: BlobRef, key = keyOf(blob)) => {
      await rows.publishObject({
        accountId: ACCOUNT_ID,
        version: versionOf(bucketId, key, blob),
        content: [{ blob, sizeBytes: blob.sizeBytes }],
        demands: [],
        operation: undefined,
        usage: undefined,
      });
    },
    forget: async (blob: BlobRef) => {
      await rows.deleteObject({
        accountId: ACCOUNT_ID,
        bucketId,
        key: keyOf(blob),
        at: 0 as TimeMs,
        demands: [],
      });
    },
    locate: async (blob: BlobRef): Promise<BlobRef> => {
      const [found] = await rows.findBlobs([blob.blobId]);
      if (found === undefined) throw new Error(`blob ${blob.blobId} has no row`);
      return found;
    },
  };
}

function versionOf(
  bucketId: ObjectVersion['bucketId'],
  key: ObjectKey,
  blob: BlobRef,
): ObjectVersion {
  return {
    bucketId,
    key,
    versionId: 'null',
    sizeBytes: blob.sizeBytes,
    etag: String(blob.blobId).padStart(32, '0') as Etag,
    contentHash: String(blob.blobId).padStart(64, '0') as ContentHash,
    checksum: undefined,
    contentType: 'application/octet-stream',
    headers: {},
    userMetadata: {},
    tags: {},
    storageClass: 'STANDARD',
    tier: 'normal',
    origin: 'files',
    createdAt: 0 as TimeMs,
  };
}
