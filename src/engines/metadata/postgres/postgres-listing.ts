/** Listings over PostgreSQL: one statement a page, common prefixes by a recursive seek. */
import { type RawBuilder, sql } from 'kysely';

import type { ObjectKey } from '../../../core/ids.ts';
import type { ListEntry, ListPage, ListQuery } from '../../../core/ports/metadata/objects.ts';
import { commonPrefixOf, type ListRange, listRangeOf, successorOf } from '../list-range.ts';
import { keyOfBytes } from '../rows/columns.ts';
import { VERSION_COLUMNS, type VersionRow, versionOf } from '../rows/objects.ts';
import type { Db } from '../schema.ts';

type KeyedRow = VersionRow & { readonly key: Uint8Array };

const COLUMNS = sql.join(VERSION_COLUMNS.map((name) => sql.ref(`o.${name}`)));

export async function listObjects(db: Db, query: ListQuery): Promise<ListPage> {
  const range = listRangeOf(query);
  if (range === undefined) return { entries: [], isTruncated: false };
  const statement = range.delimiter === '' ? plainRows(query, range) : seekRows(query, range);
  const { rows } = await statement.execute(db);
  const entries = rows.slice(0, query.limit).map((row) => entryOf(row, query, range));
  return { entries, isTruncated: rows.length > query.limit };
}

function plainRows(query: ListQuery, range: ListRange): RawBuilder<KeyedRow> {
  return sql<KeyedRow>`select o.key, ${COLUMNS} from objects o
    where o.bucket_id = ${query.bucketId} and o.key >= ${range.lower} ${belowUpper(range)}
    order by o.key limit ${query.limit + 1}`;
}

/**
 * Hops from entry to entry: the key after a plain one, or the first above all that share a common
 * prefix. What is above a prefix is the prefix with its last byte raised, and a prefix ends with
 * the delimiter, so that is the text before the delimiter and the delimiter's own successor.
 */
function seekRows(query: ListQuery, range: ListRange): RawBuilder<KeyedRow> {
  const delimiter = Buffer.from(range.delimiter, 'utf8');
  const above = successorOf(delimiter);
  const start = Buffer.byteLength(range.prefix, 'utf8') + 1;
  const at = sql`position(${delimiter}::bytea in substring(hop.key from ${start}::int))`;
  const first = (lower: RawBuilder<unknown>) => sql`(select o.key from objects o
    where o.bucket_id = ${query.bucketId} and o.key >= ${lower} ${belowUpper(range)}
    order by o.key limit 1)`;
  const next = sql`case when ${at} > 0
    then substring(hop.key for ${start}::int - 1 + ${at} - 1) || ${above}::bytea
    else hop.key || '\\x00'::bytea end`;
  return sql<KeyedRow>`with recursive hop (key, number) as (
      select ${first(sql`${range.lower}::bytea`)}, 1
      union all
      select ${first(next)}, hop.number + 1 from hop
      where hop.key is not null and hop.number <= ${query.limit}
    )
    select o.key, ${COLUMNS} from hop
    join objects o on o.bucket_id = ${query.bucketId} and o.key = hop.key
    order by hop.number`;
}

function belowUpper({ upper }: ListRange): RawBuilder<unknown> {
  return upper === undefined ? sql`` : sql`and o.key < ${upper}`;
}

/** A row that is rolled up is the first of its group: only its common prefix is told. */
function entryOf(row: KeyedRow, query: ListQuery, { prefix, delimiter }: ListRange): ListEntry {
  const key = keyOfBytes(row.key);
  const group = commonPrefixOf(key, prefix, delimiter);
  if (group !== undefined) return { kind: 'prefix', prefix: group };
  return { kind: 'object', object: versionOf(query.bucketId, key as ObjectKey, row) };
}
