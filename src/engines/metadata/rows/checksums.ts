/** Checksums as text in a column: their words parted by spaces, which none of them holds. */
import type { ObjectChecksum, PartChecksum, PlainChecksum } from '../../../core/objects/object.ts';

/** `algorithm type value`, and behind it `algorithm value` of a second one. */
export function checksumColumn(checksum: ObjectChecksum | undefined): string | null {
  if (checksum === undefined) return null;
  const { algorithm, type, value, second } = checksum;
  return `${algorithm} ${type} ${value}${secondText(second)}`;
}

export function checksumOf(column: string | null): ObjectChecksum | undefined {
  if (column === null) return undefined;
  const [algorithm, type, value = '', ...second] = column.split(' ');
  const checksum = {
    algorithm: algorithm as ObjectChecksum['algorithm'],
    type: type as ObjectChecksum['type'],
    value,
  };
  return second.length === 0 ? checksum : { ...checksum, second: secondOf(second) };
}

/** `value`, by the algorithm of the upload or version, and behind it `algorithm value`. */
export function partChecksumColumn(checksum: PartChecksum | undefined): string | null {
  return checksum === undefined ? null : `${checksum.value}${secondText(checksum.second)}`;
}

export function partChecksumOf(column: string): PartChecksum {
  const [value = '', ...second] = column.split(' ');
  return second.length === 0 ? { value } : { value, second: secondOf(second) };
}

function secondText(second: PlainChecksum | undefined): string {
  return second === undefined ? '' : ` ${second.algorithm} ${second.value}`;
}

function secondOf([algorithm, value = '']: readonly string[]): PlainChecksum {
  return { algorithm: algorithm as PlainChecksum['algorithm'], value };
}
