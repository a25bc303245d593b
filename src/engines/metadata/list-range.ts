/** The arithmetic of listings: what part of a bucket's keys a query spans, in bytes of UTF-8. */
import { strict as assert } from 'node:assert';

import type { ListQuery } from '../../core/ports/metadata/objects.ts';

/** A query with its bounds; `prefix` and `delimiter` are what UTF-8 can say. */
export type ListRange = {
  readonly prefix: string;
  readonly delimiter: string;
  /** The first key that may be listed. */
  readonly lower: Buffer;
  /** The first key that may not; `undefined`: no bound. */
  readonly upper: Buffer | undefined;
};

/** Answers the range of `query`, or `undefined` when nothing can be in it. */
export function listRangeOf(query: ListQuery): ListRange | undefined {
  assert(Number.isSafeInteger(query.limit) && query.limit >= 1, 'a page has at least one entry');
  const prefix = query.prefix.toWellFormed();
  const delimiter = query.delimiter.toWellFormed();
  const first = Buffer.from(prefix, 'utf8');
  const upper = successorOf(first);
  const after = lowerAfter(query, prefix, delimiter);
  if (after === undefined) return undefined;
  const lower = Buffer.compare(after, first) > 0 ? after : first;
  if (upper !== undefined && Buffer.compare(lower, upper) >= 0) return undefined;
  return { prefix, delimiter, lower, upper };
}

/**
 * The first key after the query's position; `undefined` when no key can follow it. A key inside a
 * common prefix leaves that in while keys after it remain; only the prefix itself skips all of it.
 */
function lowerAfter(query: ListQuery, prefix: string, delimiter: string): Buffer | undefined {
  const { after } = query;
  if (after === undefined) return Buffer.alloc(0);
  const position = (after.kind === 'afterKey' ? after.key : after.prefix).toWellFormed();
  const isPrefix =
    after.kind === 'afterPrefix' || commonPrefixOf(position, prefix, delimiter) === position;
  if (isPrefix) return successorOf(Buffer.from(position, 'utf8'));
  return Buffer.from(`${position}\0`, 'utf8');
}

/** The common prefix that `key` is rolled up into, if it is. */
export function commonPrefixOf(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '' || !key.startsWith(prefix)) return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

/**
 * The least bytes above everything that begins with `bytes`; `undefined` when there is none. UTF-8
 * never holds 0xff, so only the empty prefix has none.
 */
export function successorOf(bytes: Uint8Array): Buffer | undefined {
  const last = bytes.at(-1);
  if (last === undefined) return undefined;
  assert(last < 0xff, 'UTF-8 holds no 0xff');
  const successor = Buffer.from(bytes);
  successor[successor.length - 1] = last + 1;
  return successor;
}
