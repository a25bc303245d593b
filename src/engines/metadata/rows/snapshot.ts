/**
 * A snapshot's pages in SQL that both engines speak; the caller holds the transaction that it is.
 */
import { type RawBuilder, sql } from 'kysely';

import type {
  AccountId,
  AccountSlug,
  BlobId,
  BlobLocation,
  BucketId,
  BucketName,
  LinkHash,
} from '../../../core/ids.ts';
import type {
  ContentListId,
  MetadataSnapshot,
  NamedBlob,
  OwnedContent,
  OwnerRow,
} from '../../../core/ports/metadata/snapshot.ts';
import type { Db, Int8 } from '../schema.ts';
import { bigintOf, keyOfBytes } from './columns.ts';

/** A page takes a few milliseconds, in which SQLite serves nobody else. */
const PAGE_ROWS = 1000;

/** `turn` is awaited before each page, so that others may have theirs. */
export function rowSnapshot(db: Db, turn: () => Promise<void>): MetadataSnapshot {
  const walk = <Row>(of: Walk<Row>) => pagesOf<Row>(db, { ...of, turn });
  return {
    accounts: () =>
      mapped(walk(ACCOUNTS), (row) => ({
        accountId: row.account_id as AccountId,
        slug: row.slug as AccountSlug,
        defaultBucketId: row.default_bucket_id as BucketId,
        storedBytes: bigintOf(row.stored_bytes),
        countedBytes: bigintOf(row.counted_bytes),
      })),
    buckets: () =>
      mapped(walk(BUCKETS), (row) => ({
        bucketId: row.bucket_id as BucketId,
        accountId: row.account_id as AccountId,
        name: row.name as BucketName,
      })),
    async *owners() {
      yield* mapped(walk(OBJECTS), (row) => ownerOf('object', row));
      yield* mapped(walk(VERSIONS), (row) => ownerOf('version', row));
      yield* mapped(walk(PARTS), (row) => ownerOf('part', row));
    },
    openUploads: () =>
      mapped(walk(OPEN_UPLOADS), (row) => ({
        bucketId: row.bucket_id as BucketId,
        describedBytes: row.described_bytes,
      })),
    lists: () =>
      mapped(walk(LISTS), (row) => ({
        listId: row.content_id as ContentListId,
        partCount: row.part_count,
      })),
    listParts: () =>
      mapped(walk(LIST_PARTS), (row) => ({
        listId: row.content_id as ContentListId,
        blobId: row.blob_id as BlobId,
        sizeBytes: row.size_bytes,
        blob: namedBlobOf(row),
      })),
    blobs: () =>
      mapped(walk(BLOBS), (row) => ({
        blobId: row.blob_id as BlobId,
        sizeBytes: row.size_bytes,
        location: row.location as BlobLocation,
        owners: row.owners,
        isDead: row.died_at !== null,
      })),
    links: () =>
      mapped(walk(LINKS), (row) => ({
        hash: row.hash as LinkHash,
        accountId: row.account_id as AccountId,
        bucketId: row.bucket_id as BucketId,
      })),
  };
}

/** A table in the order of its primary key, page by page behind the last key that was seen. */
type Walk<Row> = {
  /** `select … from …`, without conditions. */
  readonly rows: RawBuilder<unknown>;
  /** The columns of the primary key. */
  readonly key: readonly RawBuilder<unknown>[];
  /** A key below every one that stands. */
  readonly start: readonly (string | number | Uint8Array)[];
  readonly keyOf: (row: Row) => readonly (string | number | Uint8Array)[];
};

async function* pagesOf<Row>(
  db: Db,
  { rows, key, start, keyOf, turn }: Walk<Row> & { readonly turn: () => Promise<void> },
): AsyncGenerator<readonly Row[]> {
  let after = start;
  for (;;) {
    await turn();
    const page = await sql<Row>`${rows} where (${sql.join(key)}) > (${sql.join(after)})
      order by ${sql.join(key)} limit ${PAGE_ROWS}`.execute(db);
    const last = page.rows.at(-1);
    if (last === undefined) return;
    yield page.rows;
    if (page.rows.length < PAGE_ROWS) return;
    after = keyOf(last);
  }
}

async function* mapped<Row, T>(
  pages: AsyncIterable<readonly Row[]>,
  toValue: (row: Row) => T,
): AsyncGenerator<readonly T[]> {
  for await (const page of pages) yield page.map(toValue);
}

type NamedCells = { readonly named_bytes: number | null; readonly named_died_at: number | null };

type OwnerCells = NamedCells & {
  readonly bucket_id: number | null;
  readonly key: Uint8Array | null;
  readonly size_bytes: number;
  readonly described_bytes: number;
  readonly blob_id: number | null;
  readonly content_id: number | null;
  readonly list_bytes: number | null;
};

function ownerOf(kind: OwnerRow['kind'], row: OwnerCells): OwnerRow {
  return {
    kind,
    bucketId: (row.bucket_id ?? undefined) as BucketId | undefined,
    key: row.key === null ? '' : keyOfBytes(row.key),
    sizeBytes: row.size_bytes,
    describedBytes: row.described_bytes,
    content: ownedContentOf(row),
  };
}

function ownedContentOf(row: OwnerCells): OwnedContent {
  if (row.blob_id !== null) {
    return { kind: 'blob', blobId: row.blob_id as BlobId, blob: namedBlobOf(row) };
  }
  if (row.content_id === null) return { kind: 'none' };
  const listId = row.content_id as ContentListId;
  return { kind: 'list', listId, sizeBytes: row.list_bytes ?? undefined };
}

function namedBlobOf(row: NamedCells): NamedBlob {
  if (row.named_bytes === null) return undefined;
  return { sizeBytes: row.named_bytes, isDead: row.named_died_at !== null };
}

const EMPTY = new Uint8Array();

const ACCOUNTS: Walk<{
  readonly account_id: string;
  readonly slug: string;
  readonly default_bucket_id: number;
  readonly stored_bytes: Int8;
  readonly counted_bytes: Int8;
}> = {
  rows: sql`select account_id, slug, default_bucket_id, stored_bytes, counted_bytes from accounts`,
  key: [sql`account_id`],
  start: [''],
  keyOf: (row) => [row.account_id],
};

const BUCKETS: Walk<{
  readonly bucket_id: number;
  readonly account_id: string;
  readonly name: string;
}> = {
  rows: sql`select bucket_id, account_id, name from buckets`,
  key: [sql`bucket_id`],
  start: [0],
  keyOf: (row) => [row.bucket_id],
};

/** Of an owner `o` of any kind: the content it names, joined to what that is. */
const OWNED = sql`o.size_bytes, o.blob_id, o.content_id, b.size_bytes named_bytes,
  b.died_at named_died_at, (select cast(sum(p.size_bytes) as bigint) from content_parts p
    where p.content_id = o.content_id) list_bytes`;

/** Of a row `o` with a description: the octets of what `describedBytes` of the core adds up. */
const DESCRIBED = sql`octet_length(o.key) + octet_length(o.content_type)
  + coalesce(octet_length(o.headers), 0) + coalesce(octet_length(o.user_metadata), 0)
  + coalesce(octet_length(o.tags), 0) described_bytes`;

const OBJECTS: Walk<OwnerCells & { readonly bucket_id: number; readonly key: Uint8Array }> = {
  rows: sql`select o.bucket_id, o.key, ${DESCRIBED}, ${OWNED}
    from objects o left join blobs b on b.blob_id = o.blob_id`,
  key: [sql`o.bucket_id`, sql`o.key`],
  start: [0, EMPTY],
  keyOf: (row) => [row.bucket_id, row.key],
};

const VERSIONS: Walk<
  OwnerCells & {
    readonly bucket_id: number;
    readonly key: Uint8Array;
    readonly version_id: string;
  }
> = {
  rows: sql`select o.bucket_id, o.key, o.version_id, ${DESCRIBED}, ${OWNED}
    from object_versions o left join blobs b on b.blob_id = o.blob_id`,
  key: [sql`o.bucket_id`, sql`o.key`, sql`o.version_id`],
  start: [0, EMPTY, ''],
  keyOf: (row) => [row.bucket_id, row.key, row.version_id],
};

const PARTS: Walk<OwnerCells & { readonly upload_id: string; readonly part_number: number }> = {
  rows: sql`select o.upload_id, o.part_number, u.bucket_id, u.key, 0 described_bytes, ${OWNED}
    from upload_parts o left join blobs b on b.blob_id = o.blob_id
    left join multipart_uploads u on u.upload_id = o.upload_id`,
  key: [sql`o.upload_id`, sql`o.part_number`],
  start: ['', 0],
  keyOf: (row) => [row.upload_id, row.part_number],
};

const OPEN_UPLOADS: Walk<{
  readonly upload_id: string;
  readonly bucket_id: number;
  readonly described_bytes: number;
}> = {
  rows: sql`select o.upload_id, o.bucket_id, ${DESCRIBED}
    from (select * from multipart_uploads where completed_at is null) as o`,
  key: [sql`o.upload_id`],
  start: [''],
  keyOf: (row) => [row.upload_id],
};

const LISTS: Walk<{ readonly content_id: number; readonly part_count: number }> = {
  rows: sql`select content_id, part_count from contents`,
  key: [sql`content_id`],
  start: [0],
  keyOf: (row) => [row.content_id],
};

const LIST_PARTS: Walk<
  NamedCells & {
    readonly content_id: number;
    readonly position: number;
    readonly blob_id: number;
    readonly size_bytes: number;
  }
> = {
  rows: sql`select p.content_id, p.position, p.blob_id, p.size_bytes, b.size_bytes named_bytes,
    b.died_at named_died_at from content_parts p left join blobs b on b.blob_id = p.blob_id`,
  key: [sql`p.content_id`, sql`p.position`],
  start: [0, -1],
  keyOf: (row) => [row.content_id, row.position],
};

const BLOBS: Walk<{
  readonly blob_id: number;
  readonly size_bytes: number;
  readonly location: string;
  readonly owners: number;
  readonly died_at: number | null;
}> = {
  rows: sql`select blob_id, size_bytes, location, owners, died_at from blobs`,
  key: [sql`blob_id`],
  start: [0],
  keyOf: (row) => [row.blob_id],
};

const LINKS: Walk<{
  readonly hash: string;
  readonly account_id: string;
  readonly bucket_id: number;
}> = {
  rows: sql`select hash, account_id, bucket_id from public_links`,
  key: [sql`hash`],
  start: [''],
  keyOf: (row) => [row.hash],
};
