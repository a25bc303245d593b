/** CompleteMultipartUpload: one commit of metadata, so it needs no keep-alives. */
import { isServiceError } from '../../../../core/errors.ts';
import { parsePartNumber } from '../../../../core/ids.ts';
import { PARTS_MAX } from '../../../../core/limits.ts';
import { completeUpload } from '../../../../core/objects/multipart/complete-upload.ts';
import type { ListedPart } from '../../../../core/objects/multipart/upload.ts';
import type { PlainChecksum } from '../../../../core/objects/object.ts';
import { CHECKSUM_ALGORITHMS } from '../../../../kit/checksums/checksum-algorithms.ts';
import { parseChecksumValue } from '../../../../kit/checksums/checksum-value.ts';
import { encodePath } from '../../../../kit/sigv4/percent.ts';
import { sayableText } from '../../../../kit/xml/escape-xml.ts';
import type { XmlElement } from '../../../../kit/xml/xml-element.ts';
import { xmlText } from '../../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../../deps.ts';
import { answerXml } from '../../wire/answers.ts';
import { checksumElements } from '../../wire/checksum-elements.ts';
import { checksumTypeOf, wholeChecksum } from '../../wire/checksum-headers.ts';
import { writeConditions } from '../../wire/conditions.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import { invalidArgument, S3Refusal } from '../../wire/s3-refusal.ts';
import { findXmlBody, LONG_XML_BYTES_MAX } from '../../wire/xml-body.ts';
import { uploadAddress } from './upload-address.ts';

export async function completeMultipartUpload(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, bucket, key } = call;
  const address = uploadAddress(call);
  const conditions = writeConditions(head.headers);
  const stated = readStated(head.headers);
  // Checksums in its headers are of the object, not of this document.
  const root = await findXmlBody(call, LONG_XML_BYTES_MAX, { isChecksumOfBody: false });
  const parts = readParts(root);
  const { etag, checksum } = await completed(deps, { address, parts, conditions, stated });
  answerXml(
    call,
    'CompleteMultipartUploadResult',
    xmlText(
      'Location',
      `${deps.settings.publicUrl(call.request)}/${bucket.name}/${encodePath(key)}`,
    ),
    xmlText('Bucket', bucket.name),
    xmlText('Key', sayableText(key)),
    xmlText('ETag', `"${etag}"`),
    ...checksumElements(checksum),
  );
}

async function completed(...[deps, wanted]: Parameters<typeof completeUpload>) {
  try {
    return await completeUpload(deps, wanted);
  } catch (error) {
    if (isServiceError(error, 'part_too_small')) {
      const { part_number, size_bytes, size_bytes_min, etag } = error.details;
      throw new S3Refusal('EntityTooSmall', undefined, {
        ProposedSize: Number(size_bytes),
        MinSizeAllowed: Number(size_bytes_min),
        PartNumber: Number(part_number),
        ETag: String(etag),
      });
    }
    if (isServiceError(error, 'invalid_part')) {
      const { part_number, etag } = error.details;
      throw new S3Refusal('InvalidPart', undefined, {
        UploadId: wanted.address.uploadId,
        PartNumber: Number(part_number),
        ETag: String(etag),
      });
    }
    throw error;
  }
}

function readParts(root: XmlElement | undefined): readonly ListedPart[] {
  if (root?.name !== 'CompleteMultipartUpload') throw new S3Refusal('MalformedXML');
  const parts = root.children('Part').map(readPart);
  if (parts.length < 1 || parts.length > PARTS_MAX) throw new S3Refusal('MalformedXML');
  return parts;
}

function readPart(part: XmlElement): ListedPart {
  const etag = part
    .childText('ETag')
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  const number = part.childText('PartNumber')?.trim() ?? '';
  if (etag === undefined || etag === '' || !/^-?\d{1,9}$/.test(number)) {
    throw new S3Refusal('MalformedXML');
  }
  return { partNumber: partNumber(number), etag, checksum: partChecksum(part) };
}

function partNumber(text: string) {
  try {
    return parsePartNumber(text);
  } catch (error) {
    if (!isServiceError(error, 'invalid_field')) throw error;
    throw invalidArgument(`PartNumber must be >= 1 and <= ${PARTS_MAX}`, 'PartNumber', text);
  }
}

/** What a part of the list says of its bytes. Throws `InvalidArgument`. */
function partChecksum(part: XmlElement): PlainChecksum | undefined {
  let found: PlainChecksum | undefined;
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const name = `Checksum${algorithm}`;
    const value = part.childText(name)?.trim();
    if (value === undefined || value === '') continue;
    if (found !== undefined) {
      throw invalidArgument('A part can have one checksum only.', name, value);
    }
    if (parseChecksumValue(algorithm, value) === undefined) {
      throw invalidArgument(`Value for ${name} is invalid.`, name, value);
    }
    found = { algorithm, value };
  }
  return found;
}

function readStated(headers: RequestHead['headers']) {
  return {
    checksum: wholeChecksum(headers),
    checksumType: checksumTypeOf(headers),
    sizeBytes: readSize(headers['x-amz-mp-object-size']),
  };
}

function readSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new S3Refusal('InvalidRequest', 'x-amz-mp-object-size is a number of bytes.');
}
