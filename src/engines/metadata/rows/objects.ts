/** Objects as rows, and the reads of them that need no engine's own SQL. */
import type { BucketId, ContentHash, Etag, ObjectKey, TimeMs } from '../../../core/ids.ts';
import type {
  ContentPart,
  ObjectVersion,
  Origin,
  StoredObject,
  Tier,
} from '../../../core/objects/object.ts';
import type { ObjectReads } from '../../../core/ports/metadata/objects.ts';
import type { Db, ObjectTable } from '../schema.ts';
import { blobOf } from './blobs.ts';
import { checksumColumn, checksumOf, partChecksumOf } from './checksums.ts';
import { bytesOfKey, keyOfBytes, orUndefined, recordColumn, recordOf } from './columns.ts';

/** The columns of a version but for its address; `versionOfCells` reads them in this order. */
export const VERSION_COLUMNS = [
  'version_id',
  'size_bytes',
  'etag',
  'content_hash',
  'content_type',
  'headers',
  'user_metadata',
  'tags',
  'storage_class',
  'tier',
  'origin',
  'created_at',
  'checksum',
] as const;

export type VersionRow = Pick<ObjectTable, (typeof VERSION_COLUMNS)[number]>;

/** A version's row with where its content is: a blob, a list, or neither when it is empty. */
export type ObjectRow = VersionRow & Pick<ObjectTable, 'blob_id' | 'content_id'>;

/** The same joined to its blob. */
export type LocatedRow = ObjectRow & { readonly location: string | null };

type RowReads = Pick<ObjectReads, 'findObject' | 'findObjectByHash'>;

/**
 * `hold: 'share'` keeps an object that was found from being replaced or removed until the
 * transaction ends, for engines whose commits run beside their serial transactions.
 */
export function objectReads(db: Db, options: { readonly hold?: 'share' } = {}): RowReads {
  const located = () => (options.hold === 'share' ? locate(db).forShare('objects') : locate(db));
  return {
    async findObject(bucketId, key) {
      const row = await located()
        .where('objects.bucket_id', '=', bucketId)
        .where('objects.key', '=', bytesOfKey(key))
        .executeTakeFirst();
      return row && (await storedObjectOf(db, bucketId, key, row));
    },
    async findObjectByHash(bucketId, contentHash, origin) {
      let query = located()
        .select('objects.key')
        .where('objects.content_hash', '=', contentHash)
        .where('objects.bucket_id', '=', bucketId)
        .orderBy('objects.created_at')
        .orderBy('objects.key')
        .limit(1);
      if (origin !== undefined) query = query.where('objects.origin', '=', origin);
      const row = await query.executeTakeFirst();
      return row && (await storedObjectOf(db, bucketId, keyOfBytes(row.key) as ObjectKey, row));
    },
  };
}

function locate(db: Db) {
  return db
    .selectFrom('objects')
    .leftJoin('blobs', 'blobs.blob_id', 'objects.blob_id')
    .select([
      'objects.version_id',
      'objects.size_bytes',
      'objects.etag',
      'objects.content_hash',
      'objects.content_type',
      'objects.headers',
      'objects.user_metadata',
      'objects.tags',
      'objects.storage_class',
      'objects.tier',
      'objects.origin',
      'objects.created_at',
      'objects.checksum',
      'objects.blob_id',
      'objects.content_id',
      'blobs.location',
    ]);
}

async function storedObjectOf(
  db: Db,
  bucketId: BucketId,
  key: ObjectKey,
  row: LocatedRow,
): Promise<StoredObject> {
  const content =
    row.content_id === null
      ? contentOf(row.size_bytes, row)
      : await contentParts(db, row.content_id);
  return { ...versionOf(bucketId, key, row), content };
}

/** The content of a row that has no list: its one blob, which it holds whole, or nothing. */
export function contentOf(
  sizeBytes: number,
  { blob_id, location }: Pick<LocatedRow, 'blob_id' | 'location'>,
): readonly ContentPart[] {
  if (blob_id === null || location === null) return [];
  return [{ blob: blobOf({ blob_id, size_bytes: sizeBytes, location }), sizeBytes }];
}

async function contentParts(db: Db, contentId: number): Promise<readonly ContentPart[]> {
  const rows = await db
    .selectFrom('content_parts')
    .innerJoin('blobs', 'blobs.blob_id', 'content_parts.blob_id')
    .select([
      'blobs.blob_id',
      'blobs.size_bytes',
      'blobs.location',
      'content_parts.size_bytes as part_bytes',
      'content_parts.checksum',
    ])
    .where('content_parts.content_id', '=', contentId)
    .orderBy('content_parts.position')
    .execute();
  return rows.map((row) => {
    const part = { blob: blobOf(row), sizeBytes: row.part_bytes };
    return row.checksum === null ? part : { ...part, checksum: partChecksumOf(row.checksum) };
  });
}

/** Whether the object's row can name `content` itself, without a list, which keeps checksums. */
export function isInline(content: readonly ContentPart[], sizeBytes: number): boolean {
  const [first] = content;
  if (first === undefined) return true;
  return (
    content.length === 1 &&
    first.sizeBytes === sizeBytes &&
    first.blob.sizeBytes === sizeBytes &&
    first.checksum === undefined
  );
}

export function versionOf(bucketId: BucketId, key: ObjectKey, row: VersionRow): ObjectVersion {
  return {
    bucketId,
    key,
    versionId: row.version_id as 'null',
    sizeBytes: row.size_bytes,
    etag: row.etag as Etag,
    contentHash: orUndefined(row.content_hash as ContentHash | null),
    checksum: checksumOf(row.checksum),
    contentType: row.content_type,
    headers: recordOf(row.headers),
    userMetadata: recordOf(row.user_metadata),
    tags: recordOf(row.tags),
    storageClass: row.storage_class,
    tier: row.tier as Tier,
    origin: row.origin as Origin,
    createdAt: row.created_at as TimeMs,
  };
}

/** A version from cells in the order of `VERSION_COLUMNS`: a third cheaper than rows by name. */
export function versionOfCells(
  bucketId: BucketId,
  key: ObjectKey,
  cells: readonly unknown[],
): ObjectVersion {
  return {
    bucketId,
    key,
    versionId: cells[0] as 'null',
    sizeBytes: cells[1] as number,
    etag: cells[2] as Etag,
    contentHash: orUndefined(cells[3] as ContentHash | null),
    checksum: checksumOf(cells[12] as string | null),
    contentType: cells[4] as string,
    headers: recordOf(cells[5] as string | null),
    userMetadata: recordOf(cells[6] as string | null),
    tags: recordOf(cells[7] as string | null),
    storageClass: cells[8] as string,
    tier: cells[9] as Tier,
    origin: cells[10] as Origin,
    createdAt: cells[11] as TimeMs,
  };
}

export function columnsOfVersion(
  version: ObjectVersion,
  content: Pick<ObjectTable, 'blob_id' | 'content_id'>,
): ObjectTable {
  return {
    bucket_id: version.bucketId,
    key: bytesOfKey(version.key),
    version_id: version.versionId,
    size_bytes: version.sizeBytes,
    etag: version.etag,
    content_hash: version.contentHash ?? null,
    checksum: checksumColumn(version.checksum),
    content_type: version.contentType,
    headers: recordColumn(version.headers),
    user_metadata: recordColumn(version.userMetadata),
    tags: recordColumn(version.tags),
    storage_class: version.storageClass,
    tier: version.tier,
    origin: version.origin,
    blob_id: content.blob_id,
    content_id: content.content_id,
    created_at: version.createdAt,
  };
}
