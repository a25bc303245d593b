/** Listings over `node:sqlite`: pages of rows in one statement, common prefixes by seeking. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

import type { BucketId, ObjectKey } from '../../../core/ids.ts';
import type { ListEntry, ListPage, ListQuery } from '../../../core/ports/metadata/objects.ts';
import { commonPrefixOf, type ListRange, listRangeOf } from '../list-range.ts';
import { VERSION_COLUMNS, versionOfCells } from '../rows/objects.ts';

/** The cells of `VERSION_COLUMNS`, then the key as text. */
type KeyedCells = readonly unknown[];

const KEY_CELL = VERSION_COLUMNS.length;

type ListStatements = {
  /** Whole rows from a key on. */
  readonly rows: StatementSync;
  /**
   * First keys: from a key on, then after all that share the common prefix of the one before, as
   * long as that had one.
   */
  readonly leaps: StatementSync;
};

/** UTF-8 never holds 0xff: above every key. */
const ABOVE_ALL = Buffer.from([0xff]);

export function sqliteListing(connection: DatabaseSync): (query: ListQuery) => ListPage {
  const columns = `${VERSION_COLUMNS.join()}, cast(key as text) key_text`;
  // The text has another name than the column, which the order would otherwise mean.
  const range = 'from objects where bucket_id = ? and key >= ? and key < ? order by key';
  const statements: ListStatements = {
    rows: connection.prepare(`select ${columns} ${range} limit ?`),
    // 0xff is above whatever follows a prefix in UTF-8. A step a row: 256 prefixes in a third of
    // the time that 256 statements take.
    leaps: connection.prepare(`with recursive leap (found, step) as (
      select (select key from objects where bucket_id = :bucket and key >= :lower and key < :upper
        order by key limit 1), 1
      union all
      select (select key from objects where bucket_id = :bucket and key < :upper and key >=
          cast(substr(found, 1, :prefixBytes + instr(substr(found, :prefixBytes + 1), :delimiter)
            + length(:delimiter) - 1) || x'ff' as blob)
        order by key limit 1), step + 1
      from leap where step < :limit and instr(substr(found, :prefixBytes + 1), :delimiter) > 0)
      select cast(found as text) from leap where found is not null`),
  };
  statements.rows.setReturnArrays(true);
  statements.leaps.setReturnArrays(true);
  return (query) => {
    const range = listRangeOf(query);
    if (range === undefined) return { entries: [], isTruncated: false };
    if (range.delimiter === '') return listRows(statements, query, range);
    const read = () => listGroups(statements, query, range);
    // Within a transaction its statements are of one moment already.
    return connection.isTransaction ? read() : inReadTransaction(connection, read);
  };
}

/** Holds no other read up: what it reads is read before it returns. */
function inReadTransaction<T>(connection: DatabaseSync, read: () => T): T {
  connection.exec('begin');
  try {
    return read();
  } finally {
    // A disk that failed under it has ended it already.
    if (connection.isTransaction) connection.exec('commit');
  }
}

function listRows(statements: ListStatements, query: ListQuery, range: ListRange): ListPage {
  const { bucketId, limit } = query;
  const rows = readRows(statements, { bucketId, range, lower: range.lower, limit: limit + 1 });
  const entries = rows.slice(0, limit).map((row) => entryOf(bucketId, row));
  return { entries, isTruncated: rows.length > limit };
}

/**
 * Rows are read in runs; a run ends at the first row that is rolled up. Common prefixes that follow
 * each other are leapt over in one statement, which reads only keys.
 */
function listGroups(statements: ListStatements, query: ListQuery, range: ListRange): ListPage {
  const { bucketId, limit } = query;
  const entries: ListEntry[] = [];
  let lower: Buffer | undefined = range.lower;
  let runLength = 1;
  while (lower !== undefined) {
    // One more than fits shows whether anything follows.
    const room = limit - entries.length + 1;
    const groups = leapGroups(statements, { bucketId, range, lower, limit: room });
    for (const prefix of groups.prefixes) entries.push({ kind: 'prefix', prefix });
    if (groups.prefixes.length > 0) runLength = 1;
    if (groups.plainKey === undefined || entries.length >= limit) {
      const isTruncated = entries.length > limit || groups.plainKey !== undefined;
      return { entries: entries.slice(0, limit), isTruncated };
    }
    lower = Buffer.from(groups.plainKey, 'utf8');
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
  return { entries, isTruncated: false };
}

/** Common prefixes that follow each other, and the first key after them that is in none. */
function leapGroups(
  statements: ListStatements,
  run: {
    readonly bucketId: BucketId;
    readonly range: ListRange;
    readonly lower: Buffer;
    readonly limit: number;
  },
): { readonly prefixes: readonly string[]; readonly plainKey: string | undefined } {
  const { prefix, delimiter, upper } = run.range;
  const rows = statements.leaps.all({
    bucket: run.bucketId,
    lower: run.lower,
    upper: upper ?? ABOVE_ALL,
    prefixBytes: Buffer.byteLength(prefix),
    delimiter: Buffer.from(delimiter, 'utf8'),
    limit: run.limit,
  });
  const keys = rows as unknown as readonly (readonly [string])[];
  const prefixes: string[] = [];
  for (const [key] of keys) {
    const group = commonPrefixOf(key, prefix, delimiter);
    if (group === undefined) return { prefixes, plainKey: key };
    prefixes.push(group);
  }
  return { prefixes, plainKey: undefined };
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
