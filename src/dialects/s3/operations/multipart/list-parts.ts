/** ListParts: what has arrived of an upload. */

import { listParts as pageOfParts } from '../../../../core/objects/multipart/list-parts.ts';
import type { MultipartUpload, UploadPart } from '../../../../core/objects/multipart/upload.ts';
import { DEFAULT_CHECKSUM } from '../../../../core/objects/write/kept-checksums.ts';
import { type Xml, xmlElement, xmlText } from '../../../../kit/xml/xml-format.ts';
import { ownerElement } from '../../access/owner.ts';
import type { S3Deps } from '../../deps.ts';
import { answerXml } from '../../wire/answers.ts';
import { checksumElement } from '../../wire/checksum-elements.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import { invalidArgument, S3Refusal } from '../../wire/s3-refusal.ts';
import { xmlTime } from '../../wire/xml-time.ts';
import { readPageLength, readUploadEncoding } from '../list-query.ts';
import { uploadAddress } from './upload-address.ts';

export async function listParts(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { query } = call.head;
  const limit = readPageLength(query, 'max-parts');
  const after = readMarker(query.get('part-number-marker'));
  const encoding = readUploadEncoding(query);
  const page = await pageOfParts(deps, { address: uploadAddress(call), after, limit });
  const account = await deps.metadata.findAccount(call.bucket.accountId);
  if (account === undefined) throw new S3Refusal('AccessDenied');
  const { upload, parts, isTruncated } = page;
  answerXml(
    call,
    'ListPartsResult',
    xmlText('Bucket', call.bucket.name),
    xmlText('Key', encoding.of(call.key)),
    xmlText('UploadId', upload.uploadId),
    ownerElement('Initiator', account),
    ownerElement('Owner', account),
    xmlText('StorageClass', upload.description.storageClass),
    xmlText('PartNumberMarker', after),
    xmlText('NextPartNumberMarker', parts.at(-1)?.partNumber ?? after),
    xmlText('MaxParts', limit),
    xmlText('EncodingType', encoding.kind),
    xmlText('IsTruncated', isTruncated),
    upload.checksum && xmlText('ChecksumAlgorithm', upload.checksum.algorithm),
    upload.checksum && xmlText('ChecksumType', upload.checksum.type),
    ...parts.map((part) => partElement(upload, part)),
  );
}

function readMarker(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidArgument('part-number-marker is a number.', 'part-number-marker', text);
}

function partElement({ checksum }: MultipartUpload, part: UploadPart): Xml {
  const { algorithm } = checksum ?? DEFAULT_CHECKSUM;
  return xmlElement(
    'Part',
    xmlText('PartNumber', part.partNumber),
    xmlText('LastModified', xmlTime(part.createdAt)),
    xmlText('ETag', `"${part.etag}"`),
    xmlText('Size', part.sizeBytes),
    part.checksum && checksumElement({ algorithm, value: part.checksum.value }),
  );
}
