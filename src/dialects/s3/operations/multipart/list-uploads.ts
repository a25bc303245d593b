/** ListMultipartUploads: uploads that are neither completed nor aborted. */
import { listUploads } from '../../../../core/objects/multipart/list-uploads.ts';
import type { MultipartUpload } from '../../../../core/objects/multipart/upload.ts';
import type { UploadEntry, UploadPosition } from '../../../../core/ports/metadata/uploads.ts';
import { type Xml, xmlElement, xmlList, xmlText } from '../../../../kit/xml/xml-format.ts';
import { ownerElement } from '../../access/owner.ts';
import type { S3Deps } from '../../deps.ts';
import { answerXml } from '../../wire/answers.ts';
import type { Call } from '../../wire/exchange.ts';
import { S3Refusal } from '../../wire/s3-refusal.ts';
import { xmlTime } from '../../wire/xml-time.ts';
import {
  type NameEncoding,
  prefixElement,
  readPageLength,
  readUploadEncoding,
} from '../list-query.ts';
import { formatUploadMarker, parseUploadMarker } from './upload-marker.ts';

export async function listMultipartUploads(deps: S3Deps, call: Call): Promise<void> {
  const { query } = call.head;
  const encoding = readUploadEncoding(query);
  const limit = readPageLength(query, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  // Without a key it says nothing.
  const uploadMarker = keyMarker === '' ? '' : (query.get('upload-id-marker') ?? '');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = positionOf(keyMarker, uploadMarker);
  const { bucketId } = call.bucket;
  const page = await listUploads(deps, { bucketId, prefix, delimiter, after, limit });
  const account = await deps.metadata.findAccount(call.bucket.accountId);
  if (account === undefined) throw new S3Refusal('AccessDenied');
  const last = page.isTruncated ? page.entries.at(-1) : undefined;
  const people = xmlList([ownerElement('Initiator', account), ownerElement('Owner', account)]);
  answerXml(
    call,
    'ListMultipartUploadsResult',
    xmlText('Bucket', call.bucket.name),
    xmlText('KeyMarker', encoding.of(keyMarker)),
    xmlText('UploadIdMarker', uploadMarker),
    ...nextMarkers(last, encoding),
    xmlText('Prefix', encoding.of(prefix)),
    xmlText('Delimiter', delimiter === '' ? undefined : encoding.of(delimiter)),
    xmlText('EncodingType', encoding.kind),
    xmlText('MaxUploads', limit),
    xmlText('IsTruncated', page.isTruncated),
    ...page.entries.map((entry) =>
      entry.kind === 'prefix'
        ? prefixElement(entry.prefix, encoding)
        : uploadElement(entry.upload, encoding, people),
    ),
  );
}

function positionOf(keyMarker: string, uploadMarker: string): UploadPosition | undefined {
  if (keyMarker === '') return undefined;
  const { key = keyMarker, uploadId } = parseUploadMarker(uploadMarker);
  return uploadId === '' ? { kind: 'afterKey', key } : { kind: 'afterUpload', key, uploadId };
}

function nextMarkers(last: UploadEntry | undefined, encoding: NameEncoding): readonly Xml[] {
  if (last === undefined) return [];
  const { key, uploadId } =
    last.kind === 'prefix' ? { key: last.prefix, uploadId: '' } : last.upload;
  const said = encoding.of(key);
  const isWhole = encoding.kind === 'url' || said === key;
  return [
    xmlText('NextKeyMarker', said),
    xmlText('NextUploadIdMarker', isWhole ? uploadId : formatUploadMarker({ key, uploadId })),
  ];
}

function uploadElement(upload: MultipartUpload, encoding: NameEncoding, people: Xml): Xml {
  const { checksum } = upload;
  return xmlElement(
    'Upload',
    xmlText('Key', encoding.of(upload.key)),
    xmlText('UploadId', upload.uploadId),
    people,
    xmlText('StorageClass', upload.description.storageClass),
    xmlText('Initiated', xmlTime(upload.createdAt)),
    checksum && xmlText('ChecksumAlgorithm', checksum.algorithm),
    checksum && xmlText('ChecksumType', checksum.type),
  );
}
