/** Multipart uploads and their parts as rows, and the reads of them for both SQL engines. */
import type {
  AccountId,
  BucketId,
  Etag,
  ObjectKey,
  PartNumber,
  TimeMs,
  UploadId,
} from '../../../core/ids.ts';
import type {
  ListedPart,
  MultipartUpload,
  UploadAddress,
  UploadChecksum,
  UploadPart,
  UploadResult,
} from '../../../core/objects/multipart/upload.ts';
import type { ObjectVersion, Origin, Tier } from '../../../core/objects/object.ts';
import type {
  UploadEntry,
  UploadPage,
  UploadQuery,
  UploadReads,
} from '../../../core/ports/metadata/uploads.ts';
import { commonPrefixOf, successorOf } from '../list-range.ts';
import type { Db, ObjectTable, UploadPartTable, UploadTable } from '../schema.ts';
import { type UploadMarker, type UploadRange, uploadRangeOf } from '../upload-range.ts';
import { checksumColumn, checksumOf, partChecksumColumn, partChecksumOf } from './checksums.ts';
import { bytesOfKey, keyOfBytes, recordColumn, recordOf } from './columns.ts';
import type { Moment } from './moment.ts';

export function uploadReads(db: Db, moment: Moment): UploadReads {
  return {
    async findUpload(uploadId) {
      const row = await db
        .selectFrom('multipart_uploads')
        .selectAll()
        .where('upload_id', '=', uploadId)
        .executeTakeFirst();
      return row && uploadOf(row);
    },
    listUploads: (query) => listUploads(db, query, moment),
    async listParts({ uploadId, after, limit }) {
      const rows = await db
        .selectFrom('upload_parts')
        .selectAll()
        .where('upload_id', '=', uploadId)
        .where('part_number', '>', after)
        .orderBy('part_number')
        .limit(limit)
        .execute();
      return rows.map(partOf);
    },
  };
}

/** From which key on, and of `marker`'s key only what is above its id. */
type Start = { readonly lower: Buffer; readonly marker: UploadMarker | undefined };

/** Without a delimiter a page is one statement. */
async function listUploads(db: Db, query: UploadQuery, moment: Moment): Promise<UploadPage> {
  const range = uploadRangeOf(query);
  if (range === undefined) return { entries: [], isTruncated: false };
  const limit = query.limit + 1;
  if (range.delimiter === '') {
    const rows = await readRun(db, { query, range, start: range, limit });
    const entries = rows.map((row): UploadEntry => ({ kind: 'upload', upload: uploadOf(row) }));
    return { entries: entries.slice(0, query.limit), isTruncated: entries.length > query.limit };
  }
  return await moment((tx) => listGroups(tx, query, range));
}

/**
 * Rows are read in runs as long as the page lacks entries; a run that ends within a common prefix
 * is followed by one above all of it.
 */
async function listGroups(db: Db, query: UploadQuery, range: UploadRange): Promise<UploadPage> {
  const entries: UploadEntry[] = [];
  let start: Start | undefined = range;
  let group: string | undefined;
  while (start !== undefined && entries.length <= query.limit) {
    const wanted: number = query.limit + 1 - entries.length;
    const rows = await readRun(db, { query, range, start, limit: wanted });
    for (const row of rows) {
      const key = keyOfBytes(row.key);
      const itsGroup = commonPrefixOf(key, range.prefix, range.delimiter);
      if (itsGroup === undefined) entries.push({ kind: 'upload', upload: uploadOf(row) });
      else if (itsGroup !== group) entries.push({ kind: 'prefix', prefix: itsGroup });
      group = itsGroup;
    }
    const last = rows.at(-1);
    start = last === undefined || rows.length < wanted ? undefined : startAfter(last, group);
  }
  return { entries: entries.slice(0, query.limit), isTruncated: entries.length > query.limit };
}

function startAfter(row: UploadTable, group: string | undefined): Start | undefined {
  if (group === undefined) {
    const marker = { key: keyOfBytes(row.key), uploadId: row.upload_id };
    return { lower: bytesOfKey(marker.key), marker };
  }
  const lower = successorOf(bytesOfKey(group));
  return lower && { lower, marker: undefined };
}

async function readRun(
  db: Db,
  run: {
    readonly query: UploadQuery;
    readonly range: UploadRange;
    readonly start: Start;
    readonly limit: number;
  },
): Promise<readonly UploadTable[]> {
  const { query, range, start, limit } = run;
  let rows = db
    .selectFrom('multipart_uploads')
    .selectAll()
    .where('bucket_id', '=', query.bucketId)
    .where('completed_at', 'is', null)
    .where('key', '>=', start.lower);
  if (range.upper !== undefined) rows = rows.where('key', '<', range.upper);
  const { marker } = start;
  if (marker !== undefined) {
    rows = rows.where((eb) =>
      eb.or([eb('key', '<>', bytesOfKey(marker.key)), eb('upload_id', '>', marker.uploadId)]),
    );
  }
  return await rows
    .orderBy('key')
    .orderBy('created_at')
    .orderBy('upload_id')
    .limit(limit)
    .execute();
}

/** Whether the row is that of the whole address. */
export function isAt(row: UploadTable, { accountId, bucketId, key }: UploadAddress): boolean {
  return row.account_id === accountId && row.bucket_id === bucketId && keyOfBytes(row.key) === key;
}

export function columnsOfUpload(upload: MultipartUpload): UploadTable {
  const { description, checksum, completion } = upload;
  return {
    upload_id: upload.uploadId,
    account_id: upload.accountId,
    bucket_id: upload.bucketId,
    key: bytesOfKey(upload.key),
    content_type: description.contentType,
    headers: recordColumn(description.headers),
    user_metadata: recordColumn(description.userMetadata),
    tags: recordColumn(description.tags),
    storage_class: description.storageClass,
    tier: description.tier,
    origin: description.origin,
    checksum_algorithm: checksum?.algorithm ?? null,
    checksum_type: checksum?.type ?? null,
    created_at: upload.createdAt,
    changed_at: upload.changedAt,
    completed_at: completion?.at ?? null,
    result: completion === undefined ? null : resultColumn(completion.result),
  };
}

export function uploadOf(row: UploadTable): MultipartUpload {
  return {
    uploadId: row.upload_id as UploadId,
    accountId: row.account_id as AccountId,
    bucketId: row.bucket_id as BucketId,
    key: keyOfBytes(row.key) as ObjectKey,
    description: {
      contentType: row.content_type,
      headers: recordOf(row.headers),
      userMetadata: recordOf(row.user_metadata),
      tags: recordOf(row.tags),
      storageClass: row.storage_class,
      tier: row.tier as Tier,
      origin: row.origin as Origin,
    },
    checksum:
      row.checksum_algorithm === null
        ? undefined
        : {
            algorithm: row.checksum_algorithm as UploadChecksum['algorithm'],
            type: row.checksum_type as UploadChecksum['type'],
          },
    createdAt: row.created_at as TimeMs,
    changedAt: row.changed_at as TimeMs,
    completion:
      row.completed_at === null
        ? undefined
        : { at: row.completed_at as TimeMs, result: resultOf(row.result ?? '{}') },
  };
}

export function partOf(row: Omit<UploadPartTable, 'upload_id' | 'content_id'>): UploadPart {
  return {
    partNumber: row.part_number as PartNumber,
    sizeBytes: row.size_bytes,
    etag: row.etag as Etag,
    checksum: row.checksum === null ? undefined : partChecksumOf(row.checksum),
    createdAt: row.created_at as TimeMs,
  };
}

export function columnsOfPart(
  uploadId: UploadId,
  part: UploadPart,
  blobId: number | null,
): UploadPartTable {
  return {
    upload_id: uploadId,
    part_number: part.partNumber,
    size_bytes: part.sizeBytes,
    etag: part.etag,
    checksum: partChecksumColumn(part.checksum),
    blob_id: blobId,
    content_id: null,
    created_at: part.createdAt,
  };
}

type ResultDocument = {
  readonly etag: string;
  readonly checksum: string | null;
  readonly list: string;
};

export function resultColumn({ etag, checksum, listHash }: UploadResult): string {
  const document: ResultDocument = { etag, checksum: checksumColumn(checksum), list: listHash };
  return JSON.stringify(document);
}

function resultOf(text: string): UploadResult {
  const { etag, checksum, list } = JSON.parse(text) as ResultDocument;
  return { etag: etag as Etag, checksum: checksumOf(checksum), listHash: list };
}

type PartRow = Pick<UploadPartTable, 'part_number' | 'size_bytes' | 'blob_id' | 'checksum'>;

/** What becomes of an upload's part rows when it is completed. */
export function splitParts<Row extends PartRow>(
  rows: readonly Row[],
  listed: readonly Pick<ListedPart, 'partNumber'>[],
): { readonly named: readonly Row[]; readonly dropped: readonly Row[] } {
  const numbers = new Set<number>(listed.map(({ partNumber }) => partNumber));
  const kept = rows.filter(({ part_number }) => numbers.has(part_number));
  return {
    /** Those of the listed that have bytes. */
    named: kept.filter(({ blob_id }) => blob_id !== null),
    dropped: rows.filter(({ part_number }) => !numbers.has(part_number)),
  };
}

/** The blob that the object's row names itself, if it needs no list (see `isInline`). */
export function inlineBlob(
  version: ObjectVersion,
  named: readonly PartRow[],
): Pick<ObjectTable, 'blob_id' | 'content_id'> | undefined {
  const [first] = named;
  if (first === undefined) return { blob_id: null, content_id: null };
  const isWhole = named.length === 1 && first.size_bytes === version.sizeBytes;
  return isWhole && first.checksum === null
    ? { blob_id: first.blob_id, content_id: null }
    : undefined;
}
