/** The parts of which a multipart object was completed, as its content and ETag tell them. */
import type { ChecksumAlgorithm } from '../../../kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import { checksumOf } from '../../../kit/checksums/open-checksum.ts';
import { ServiceError } from '../../errors.ts';
import type { ObjectChecksum, PartChecksum, StoredObject } from '../object.ts';
import { secondAlgorithm } from '../write/kept-checksums.ts';
import type { ResolvedRange } from './range.ts';

/** One part, numbered from 1 in the order of the bytes. */
export type ObjectPart = {
  readonly partNumber: number;
  readonly start: number;
  readonly sizeBytes: number;
  readonly checksum: PartChecksum | undefined;
};

/** How many parts the object has; `undefined` for one that was not uploaded in parts. */
export function countParts({ etag }: Pick<StoredObject, 'etag'>): number | undefined {
  const [, count] = etag.split('-');
  return count === undefined ? undefined : Number(count);
}

/** All parts in order. An empty last part has no bytes and so no entry in the content. */
export function partsOf(object: StoredObject): readonly ObjectPart[] {
  const count = countParts(object) ?? 1;
  const parts: ObjectPart[] = [];
  let start = 0;
  for (let index = 0; index < count; index += 1) {
    const piece = object.content[index];
    const sizeBytes = piece?.sizeBytes ?? 0;
    const checksum = piece === undefined ? checksumOfNothing(object) : piece.checksum;
    parts.push({ partNumber: index + 1, start, sizeBytes, checksum });
    start += sizeBytes;
  }
  return parts;
}

/** What an empty last part has, where the parts before it have theirs. */
function checksumOfNothing({ checksum, content }: StoredObject): PartChecksum | undefined {
  const [first] = content;
  if (checksum === undefined || (first !== undefined && first.checksum === undefined)) {
    return undefined;
  }
  const sumOf = (algorithm: ChecksumAlgorithm) =>
    formatChecksumValue(checksumOf(algorithm, NOTHING));
  const value = sumOf(checksum.algorithm);
  const second = secondAlgorithm(checksum.algorithm);
  if (second === undefined) return { value };
  return { value, second: { algorithm: second, value: sumOf(second) } };
}

const NOTHING = new Uint8Array(0);

/**
 * The checksum that is kept of exactly the bytes that are answered: of the whole object, or of the
 * one part that they are. An object that was not uploaded in parts is its own part 1.
 */
export function findChecksum(
  object: StoredObject,
  { span, isPartial }: ResolvedRange,
  partNumber: number | undefined,
): ObjectChecksum | undefined {
  const { checksum } = object;
  if (checksum === undefined || !isPartial) return checksum;
  const isWhole = span.start === 0 && span.end === object.sizeBytes;
  if (countParts(object) === undefined) return isWhole ? checksum : undefined;
  const parts = partsOf(object);
  const part =
    partNumber === undefined
      ? parts.find(({ start, sizeBytes }) => start === span.start && start + sizeBytes === span.end)
      : parts[partNumber - 1];
  if (part?.checksum !== undefined) {
    const { algorithm, type } = checksum;
    return { algorithm, type, ...part.checksum };
  }
  return isWhole && partNumber === undefined ? checksum : undefined;
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
