/** The parts of which a multipart object was completed, as its content and ETag tell them. */
import { ServiceError } from '../errors.ts';
import type { StoredObject } from './object.ts';
import type { ResolvedRange } from './range.ts';

/** One part, numbered from 1 in the order of the bytes. */
export type ObjectPart = {
  readonly partNumber: number;
  readonly start: number;
  readonly sizeBytes: number;
  readonly checksum: string | undefined;
};

/** How many parts the object has; `undefined` for one that was not uploaded in parts. */
export function countParts({ etag }: Pick<StoredObject, 'etag'>): number | undefined {
  const at = etag.lastIndexOf('-');
  return at < 0 ? undefined : Number(etag.slice(at + 1));
}

/** All parts in order. An empty last part has no bytes and so no entry in the content. */
export function partsOf(object: StoredObject): readonly ObjectPart[] {
  const count = countParts(object) ?? 1;
  const parts: ObjectPart[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const piece = object.content[index];
    const sizeBytes = piece?.sizeBytes ?? 0;
    parts.push({ partNumber: index + 1, start, sizeBytes, checksum: piece?.checksum });
    start += sizeBytes;
  }
  return parts;
}

/**
 * The bytes of one part; an object that was not uploaded in parts is its own part 1. Throws
 * `part_not_found`.
 */
export function resolvePart(object: StoredObject, partNumber: number): ResolvedRange {
  const part = partsOf(object)[partNumber - 1];
  if (part === undefined) {
    throw new ServiceError('part_not_found', 'The object has no such part.');
  }
  return { span: { start: part.start, end: part.start + part.sizeBytes }, isPartial: true };
}
