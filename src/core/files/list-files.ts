import { ServiceError } from '../errors.ts';
import { authorize } from '../identity/access/authorize.ts';
import { LIST_LIMIT_MAX } from '../limits.ts';
import type { MetadataReads } from '../ports/metadata/metadata.ts';
import type { ListEntry, ListPosition } from '../ports/metadata/objects.ts';
import type { Principal } from '../principal.ts';

export type FileListQuery = {
  readonly prefix: string;
  readonly delimiter: string;
  /** 1 to 1000. */
  readonly limit: number;
  readonly cursor: string | undefined;
};

export type FileListing = {
  readonly entries: readonly ListEntry[];
  readonly nextCursor: string | undefined;
};

/** A page of the account's files in order of the bytes of their names. Throws `invalid_cursor`. */
export async function listFiles(
  deps: { readonly metadata: Pick<MetadataReads, 'listObjects'> },
  principal: Principal,
  query: FileListQuery,
): Promise<FileListing> {
  authorize(principal, 'files.list');
  if (query.limit < 1 || query.limit > LIST_LIMIT_MAX) {
    throw new ServiceError('invalid_field', `limit is 1 to ${LIST_LIMIT_MAX}.`, {
      details: { field: 'limit' },
    });
  }
  const page = await deps.metadata.listObjects({
    bucketId: principal.defaultBucketId,
    prefix: query.prefix,
    delimiter: query.delimiter,
    after: query.cursor === undefined ? undefined : parseCursor(query.cursor),
    limit: query.limit,
  });
  const last = page.isTruncated ? page.entries.at(-1) : undefined;
  return { entries: page.entries, nextCursor: last && formatCursor(positionAfter(last)) };
}

function positionAfter(entry: ListEntry): ListPosition {
  return entry.kind === 'object'
    ? { kind: 'afterKey', key: entry.object.key }
    : { kind: 'afterPrefix', prefix: entry.prefix };
}

/**
 * Version byte, then `k` or `p`, then the text; base64url, so that it is opaque and needs no
 * escape.
 */
export function formatCursor(position: ListPosition): string {
  const text = position.kind === 'afterKey' ? `1k${position.key}` : `1p${position.prefix}`;
  return Buffer.from(text, 'utf8').toString('base64url');
}

export function parseCursor(text: string): ListPosition {
  const bytes = Buffer.from(text, 'base64url');
  const decoded = bytes.toString('utf8');
  const rest = decoded.slice(2);
  // Only what `formatCursor` makes is taken: the text must come back the same.
  const isCanonical = Buffer.from(decoded, 'utf8').toString('base64url') === text && rest !== '';
  if (isCanonical && decoded.startsWith('1k')) return { kind: 'afterKey', key: rest };
  if (isCanonical && decoded.startsWith('1p')) return { kind: 'afterPrefix', prefix: rest };
  throw new ServiceError('invalid_cursor', 'The cursor is not one that a listing gave.', {
    details: { field: 'cursor' },
  });
}
