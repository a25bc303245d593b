import type { ObjectVersion } from '../object.ts';

type Pairs = Readonly<Record<string, string>>;

/** Whether two readings of a key are of one version that says the same of itself. */
export function isSameVersion(one: ObjectVersion | undefined, other: ObjectVersion): boolean {
  return (
    one !== undefined &&
    one.createdAt === other.createdAt &&
    one.etag === other.etag &&
    one.contentHash === other.contentHash &&
    one.contentType === other.contentType &&
    one.storageClass === other.storageClass &&
    isSamePairs(one.headers, other.headers) &&
    isSamePairs(one.userMetadata, other.userMetadata) &&
    isSamePairs(one.tags, other.tags)
  );
}

function isSamePairs(one: Pairs, other: Pairs): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && one[name] === other[name])
  );
}
