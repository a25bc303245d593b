/** An object: what a bucket keeps under a key. */

import type { ChecksumAlgorithm } from '../../kit/checksums/checksum-algorithms.ts';
import type { BucketId, ContentHash, Etag, ObjectKey, TimeMs } from '../ids.ts';
import type { BlobRef } from '../ports/blob-store.ts';

/** Price classes of stored bytes (files-api.md); S3 writes are `normal`. */
export const TIERS = ['normal', 'priority', 'premium', 'ultra', 'enterprise'] as const;
export type Tier = (typeof TIERS)[number];

/** Which dialect wrote a version: only `files` versions have a deterministic URL by default. */
export type Origin = 'files' | 's3' | 'pinning';

/**
 * Headers kept and given back as they came, by lower-case name: cache-control,
 * content-disposition, content-encoding, content-language, expires,
 * x-amz-website-redirect-location.
 */
export type StoredHeaders = Readonly<Record<string, string>>;

/** One piece of an object's content, in order. */
export type ContentPart = {
  readonly blob: BlobRef;
  readonly sizeBytes: number;
  /** Of the part, when it came as one. */
  readonly checksum?: PartChecksum | undefined;
};

/** A checksum by itself. */
export type PlainChecksum = {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64 of the big-endian bytes. */
  readonly value: string;
};

/** A checksum of a part: by the algorithm of its upload, which is then the version's. */
export type PartChecksum = {
  readonly value: string;
  /** One more, of another algorithm. */
  readonly second?: PlainChecksum;
};

/** A checksum kept with a version: of all its bytes, or of its parts' checksums. */
export type ObjectChecksum = {
  readonly algorithm: ChecksumAlgorithm;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
  /** Base64 of the big-endian bytes; a composite one ends with `-` and the number of parts. */
  readonly value: string;
  /** Of all bytes, beside one that few readers can check (`kept-checksums.ts`). */
  readonly second?: PlainChecksum;
};

/** The version of an object that readers see; `versionId` is `null` until versioning is on. */
export type ObjectVersion = {
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly versionId: 'null';
  readonly sizeBytes: number;
  readonly etag: Etag;
  /** `undefined` for a multipart object that no job has read yet. */
  readonly contentHash: ContentHash | undefined;
  /** What the writer sent or asked for, or was kept for it. */
  readonly checksum: ObjectChecksum | undefined;
  readonly contentType: string;
  readonly headers: StoredHeaders;
  readonly userMetadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly storageClass: string;
  readonly tier: Tier;
  readonly origin: Origin;
  readonly createdAt: TimeMs;
};

/** What the writer says of an object; the rest comes from its bytes. */
export type ObjectDescription = Pick<
  ObjectVersion,
  'contentType' | 'headers' | 'userMetadata' | 'tags' | 'storageClass' | 'tier' | 'origin'
>;

/** An object with what is needed to read its bytes: one blob, or a list. */
export type StoredObject = ObjectVersion & { readonly content: readonly ContentPart[] };
