/** CreateMultipartUpload and AbortMultipartUpload. */
import { abortUpload } from '../../../../core/objects/multipart/abort-upload.ts';
import { createUpload } from '../../../../core/objects/multipart/create-upload.ts';
import type { UploadChecksum } from '../../../../core/objects/multipart/upload.ts';
import { parseUploadChecksum } from '../../../../core/objects/multipart/upload-checksum.ts';
import { sayableText } from '../../../../kit/xml/escape-xml.ts';
import { xmlText } from '../../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../../deps.ts';
import { answerDocument, answerEmpty, resultElement } from '../../wire/answers.ts';
import { algorithmOf, checksumTypeOf } from '../../wire/checksum-headers.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import { describeObject, refuseUnkept, requireTrueAcl } from '../../wire/object-description.ts';
import type { RequestHead } from '../../wire/request-head.ts';
import { S3Refusal } from '../../wire/s3-refusal.ts';
import { uploadAddress } from './upload-address.ts';

export async function createMultipartUpload(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, bucket, key } = call;
  const { headers } = head;
  requireTrueAcl(headers, { isPublic: bucket.publicRead });
  refuseUnkept(headers);
  const checksum = readChecksum(headers);
  const { uploadId } = await createUpload(deps, {
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    key,
    description: describeObject(headers),
    checksum,
  });
  answerDocument(
    call,
    { status: 200, headers: checksum === undefined ? {} : kindHeaders(checksum) },
    resultElement(
      'InitiateMultipartUploadResult',
      xmlText('Bucket', bucket.name),
      xmlText('Key', sayableText(key)),
      xmlText('UploadId', uploadId),
    ),
  );
}

function kindHeaders({ algorithm, type }: UploadChecksum) {
  return { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type };
}

function readChecksum(headers: RequestHead['headers']): UploadChecksum | undefined {
  const algorithm = headers['x-amz-checksum-algorithm'];
  const type = checksumTypeOf(headers);
  if (algorithm !== undefined) return parseUploadChecksum(algorithmOf(algorithm), type);
  if (type === undefined) return undefined;
  throw new S3Refusal(
    'InvalidRequest',
    'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
  );
}

export async function abortMultipartUpload(deps: S3Deps, call: ObjectCall): Promise<void> {
  await abortUpload(deps, uploadAddress(call));
  answerEmpty(call, 204);
}
