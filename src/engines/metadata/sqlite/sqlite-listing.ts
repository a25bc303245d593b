/** Listings over `node:sqlite`: pages of rows in one statement, common prefixes by seeking. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import type { BucketId, ObjectKey } from '../../../core/ids.ts';
import type { ListEntry, ListPage, ListQuery } from '../../../core/ports/metadata/objects.ts';
import { commonPrefixOf, type ListRange, listRangeOf, successorOf } from '../list-range.ts';
import { VERSION_COLUMNS, versionOfCells } from '../rows/objects.ts';

/** The cells of `VERSION_COLUMNS`, then the key as text. */
type KeyedCells = readonly unknown[];

const KEY_CELL = VERSION_COLUMNS.length;

type ListStatements = {
  /** Whole rows from a key on. */
  readonly rows: StatementSync;
  /** The first key from a key on. */
  readonly seek: StatementSync;
};

/** UTF-8 never holds 0xff: above every key. */
const ABOVE_ALL = Buffer.from([0xff]);

export function sqliteListing(connection: DatabaseSync): (query: ListQuery) => ListPage {
  const columns = `${VERSION_COLUMNS.join()}, cast(key as text) key_text`;
  // The text has another name than the column, which the order would otherwise mean.
  const range = 'from objects where bucket_id = ? and key >= ? and key < ? order by key';
  const statements: ListStatements = {
    rows: connection.prepare(`select ${columns} ${range} limit ?`),
    seek: connection.prepare(`select cast(key as text) key_text ${range} limit 1`),
  };
  statements.rows.setReturnArrays(true);
  return (query) => {
    const range = listRangeOf(query);
    if (range === undefined) return { entries: [], isTruncated: false };
    if (range.delimiter === '') return listRows(statements, query, range);
    return listGroups(statements, query, range);
  };
}

function listRows(statements: ListStatements, query: ListQuery, range: ListRange): ListPage {
  const { bucketId, limit } = query;
  const rows = readRows(statements, { bucketId, range, lower: range.lower, limit: limit + 1 });
  const entries = rows.slice(0, limit).map((row) => entryOf(bucketId, row));
  return { entries, isTruncated: rows.length > limit };
}

/**
 * Rows are read in runs; a run ends at the first row that is rolled up, and the next begins after
 * all that share its common prefix. While common prefixes follow each other only keys are read.
 */
function listGroups(statements: ListStatements, query: ListQuery, range: ListRange): ListPage {
  const { bucketId, limit } = query;
  const entries: ListEntry[] = [];
  let lower: Buffer | undefined = range.lower;
  let runLength = 1;
  while (lower !== undefined && entries.length <= limit) {
    const first = seekKey(statements, bucketId, range, lower);
    if (first === undefined) return { entries, isTruncated: false };
    if (entries.length === limit) break;
    const group = commonPrefixOf(first, range.prefix, range.delimiter);
    if (group !== undefined) {
      entries.push({ kind: 'prefix', prefix: group });
      lower = successorOf(Buffer.from(group, 'utf8'));
      runLength = 1;
      continue;
    }
    const wanted = Math.min(runLength, limit - entries.length);
    const rows = readRows(statements, { bucketId, range, lower, limit: wanted });
    lower = undefined;
    for (const row of rows) {
      if (commonPrefixOf(keyOf(row), range.prefix, range.delimiter) !== undefined) break;
      entries.push(entryOf(bucketId, row));
      lower = Buffer.from(`${keyOf(row)}\0`, 'utf8');
    }
    // Plain rows tend to follow plain rows: read twice as many next time.
    runLength *= 2;
  }
  return { entries, isTruncated: lower !== undefined };
}

function seekKey(
  statements: ListStatements,
  bucketId: BucketId,
  range: ListRange,
  lower: Buffer,
): string | undefined {
  const row = statements.seek.get(bucketId, lower, range.upper ?? ABOVE_ALL);
  return row && String(row['key_text']);
}

function readRows(
  statements: ListStatements,
  run: {
    readonly bucketId: BucketId;
    readonly range: ListRange;
    readonly lower: Buffer;
    readonly limit: number;
  },
): readonly KeyedCells[] {
  const upper = run.range.upper ?? ABOVE_ALL;
  const rows = statements.rows.all(run.bucketId, run.lower, upper, run.limit);
  return rows as unknown as readonly KeyedCells[];
}

function entryOf(bucketId: BucketId, cells: KeyedCells): ListEntry {
  return { kind: 'object', object: versionOfCells(bucketId, keyOf(cells), cells) };
}

function keyOf(cells: KeyedCells): ObjectKey {
  return cells[KEY_CELL] as ObjectKey;
}
