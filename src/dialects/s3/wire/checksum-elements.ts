import type { ObjectChecksum } from '../../../core/objects/object.ts';
import { type Xml, xmlText } from '../../../kit/xml/xml-format.ts';

/** A checksum as results say it: `<ChecksumCRC32>` and its type. */
export function checksumElements(checksum: ObjectChecksum | undefined): readonly Xml[] {
  if (checksum === undefined) return [];
  const { algorithm, value, type } = checksum;
  return [xmlText(`Checksum${algorithm}`, value), xmlText('ChecksumType', type)];
}
