import type { ObjectChecksum, PlainChecksum } from '../../../core/objects/object.ts';
import { type Xml, xmlText } from '../../../kit/xml/xml-format.ts';

/** Checksums of an object as results say them: `<ChecksumCRC32>` and the type. */
export function checksumElements(checksum: ObjectChecksum | undefined): readonly Xml[] {
  if (checksum === undefined) return [];
  const { second, type } = checksum;
  return [
    checksumElement(checksum),
    ...(second === undefined ? [] : [checksumElement(second)]),
    xmlText('ChecksumType', type),
  ];
}

/** The value alone, as results about parts say it. */
export function checksumElement({ algorithm, value }: PlainChecksum): Xml {
  return xmlText(`Checksum${algorithm}`, value);
}
