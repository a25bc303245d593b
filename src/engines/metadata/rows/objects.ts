/** Objects as rows, and the reads of them that need no engine's own SQL. */
import { sql } from 'kysely';

import type { BucketId, ContentHash, Etag, ObjectKey, TimeMs } from '../../../core/ids.ts';
import type {
  ContentPart,
  ObjectVersion,
  Origin,
  StoredObject,
  Tier,
} from '../../../core/objects/object.ts';
import type { ContentHashReads } from '../../../core/ports/metadata/content-hashes.ts';
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

/**
 * The same joined to what it names: its blob, or its list as `listColumn` writes it. One statement
 * reads both, so that no Complete comes between an object and its content.
 */
export type LocatedRow = Omit<ObjectRow, 'content_id'> & {
  readonly location: string | null;
  readonly list: string | null;
};

type RowReads = Pick<ObjectReads, 'findObject' | 'findObjectByHash' | 'findLinkedObject'> &
  Pick<ContentHashReads, 'listUnhashed'>;

/** What each engine calls the functions of JSON. */
export type JsonFunctions = { readonly array: string; readonly gather: string };

/**
 * `hold: 'share'` keeps an object that was found from being replaced or removed until the
 * transaction ends, for engines whose commits run beside their serial transactions.
 */
export function objectReads(
  db: Db,
  json: JsonFunctions,
  options: { readonly hold?: 'share' } = {},
): RowReads {
  const all = () => locate(db, json);
  const located = () => (options.hold === 'share' ? all().forShare('objects') : all());
  return {
    async findObject(bucketId, key) {
      const row = await located()
        .where('objects.bucket_id', '=', bucketId)
        .where('objects.key', '=', bytesOfKey(key))
        .executeTakeFirst();
      return row && storedObjectOf(bucketId, key, row);
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
      return row && storedObjectOf(bucketId, keyOfBytes(row.key) as ObjectKey, row);
    },
    async findLinkedObject(hash) {
      const row = await all()
        .innerJoin('public_links', (join) =>
          join
            .onRef('public_links.bucket_id', '=', 'objects.bucket_id')
            .onRef('public_links.key', '=', 'objects.key'),
        )
        .select(['objects.bucket_id', 'objects.key'])
        .where('public_links.hash', '=', hash)
        .executeTakeFirst();
      return (
        row && storedObjectOf(row.bucket_id as BucketId, keyOfBytes(row.key) as ObjectKey, row)
      );
    },
    async listUnhashed({ after, limit }) {
      let rows = all()
        .select(['objects.bucket_id', 'objects.key'])
        .where('objects.content_hash', 'is', null)
        .orderBy('objects.created_at')
        .orderBy('objects.bucket_id')
        .orderBy('objects.key')
        .limit(limit);
      if (after !== undefined) {
        const { createdAt, bucketId, key } = after;
        rows = rows.where(
          sql<boolean>`(objects.created_at, objects.bucket_id, objects.key) >
            (${createdAt}, ${bucketId}, ${bytesOfKey(key)})`,
        );
      }
      return (await rows.execute()).map((row) =>
        storedObjectOf(row.bucket_id as BucketId, keyOfBytes(row.key) as ObjectKey, row),
      );
    },
  };
}

function locate(db: Db, json: JsonFunctions) {
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
      'blobs.location',
      sql<string | null>`${sql.raw(listColumn('objects', json))}`.as('list'),
    ]);
}

/** The cells of a part in a list: its blob's number, size and place, its own size and checksum. */
type PartCells = readonly [number, number, string, number, string | null];

/** The list of an object in the row `object`, in order; null when it has none. */
export function listColumn(object: string, { array, gather }: JsonFunctions): string {
  return `case when ${object}.content_id is null then null else (select cast(
    ${gather}(${array}(listed.blob_id, listed.size_bytes, listed.location, p.size_bytes, p.checksum)
      order by p.position) as text)
    from content_parts p join blobs listed on listed.blob_id = p.blob_id
    where p.content_id = ${object}.content_id) end`;
}

function storedObjectOf(bucketId: BucketId, key: ObjectKey, row: LocatedRow): StoredObject {
  return { ...versionOf(bucketId, key, row), content: contentOf(row.size_bytes, row) };
}

/** The content of a row: its list, or the one blob that it holds whole, or nothing. */
export function contentOf(
  sizeBytes: number,
  { blob_id, location, list }: Pick<LocatedRow, 'blob_id' | 'location' | 'list'>,
): readonly ContentPart[] {
  if (list !== null) return (JSON.parse(list) as readonly PartCells[]).map(partOfCells);
  if (blob_id === null || location === null) return [];
  return [{ blob: blobOf({ blob_id, size_bytes: sizeBytes, location }), sizeBytes }];
}

function partOfCells([blob_id, size_bytes, location, sizeBytes, checksum]: PartCells): ContentPart {
  const part = { blob: blobOf({ blob_id, size_bytes, location }), sizeBytes };
  return checksum === null ? part : { ...part, checksum: partChecksumOf(checksum) };
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
