/** The arithmetic of lists of uploads: as of objects, and within one key by upload. */
import type { UploadQuery } from '../../core/ports/metadata/uploads.ts';
import { commonPrefixOf, type ListRange, listRangeOf } from './list-range.ts';

export type UploadRange = ListRange & {
  /** Of this key only uploads above this id. */
  readonly marker: UploadMarker | undefined;
};

export type UploadMarker = { readonly key: string; readonly uploadId: string };

/** Answers the range of `query`, or `undefined` when nothing can be in it. */
export function uploadRangeOf(query: UploadQuery): UploadRange | undefined {
  const { after, prefix, delimiter } = query;
  if (after?.kind !== 'afterUpload') return withMarker(listRangeOf({ ...query, after }), undefined);
  const { key, uploadId } = after;
  if (commonPrefixOf(key, prefix, delimiter) === key) {
    return withMarker(listRangeOf({ ...query, after: { kind: 'afterKey', key } }), undefined);
  }
  const range = withMarker(listRangeOf({ ...query, after: undefined }), { key, uploadId });
  const first = Buffer.from(key.toWellFormed(), 'utf8');
  if (range === undefined || Buffer.compare(range.lower, first) >= 0) return range;
  if (range.upper !== undefined && Buffer.compare(first, range.upper) >= 0) return undefined;
  return { ...range, lower: first };
}

function withMarker(
  range: ListRange | undefined,
  marker: UploadMarker | undefined,
): UploadRange | undefined {
  return range && { ...range, marker };
}
