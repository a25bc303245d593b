/** UploadPartCopy: a part out of bytes that are here already. */
import { isServiceError } from '../../../../core/errors.ts';
import { copyPart } from '../../../../core/objects/multipart/copy-part.ts';
import { xmlText } from '../../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../../deps.ts';
import { answerXml } from '../../wire/answers.ts';
import { checksumElement } from '../../wire/checksum-elements.ts';
import { copyConditions } from '../../wire/conditions.ts';
import type { ObjectCall } from '../../wire/exchange.ts';
import { refuseUnkept } from '../../wire/object-description.ts';
import { invalidArgument } from '../../wire/s3-refusal.ts';
import { xmlTime } from '../../wire/xml-time.ts';
import { findCopySource, refuseCopyBody } from '../copy-source.ts';
import { missingKey } from '../get-object.ts';
import { partNumberOf, uploadAddress } from './upload-address.ts';

export async function uploadPartCopy(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { headers } = call.head;
  refuseUnkept(headers);
  const partNumber = partNumberOf(call);
  refuseCopyBody(call);
  const address = uploadAddress(call);
  const range = readRange(headers['x-amz-copy-source-range']);
  const { bucket, key } = await findCopySource(deps, call);
  const copy = {
    address,
    partNumber,
    find: () => deps.metadata.findObject(bucket.bucketId, key),
    conditions: copyConditions(headers),
    range,
  };
  // GiBs are not copied for nobody.
  const gone = new AbortController();
  call.response.once('close', () => gone.abort());
  try {
    const { part, checksum } = await copyPart(deps, copy, { signal: gone.signal });
    answerXml(
      call,
      'CopyPartResult',
      xmlText('LastModified', xmlTime(part.createdAt)),
      xmlText('ETag', `"${part.etag}"`),
      checksumElement(checksum),
    );
  } catch (error) {
    if (isServiceError(error, 'object_not_found')) throw missingKey({ ...call, bucket }, key);
    if (!isServiceError(error, 'range_not_satisfiable')) throw error;
    throw rangeUnfit(headers['x-amz-copy-source-range'] ?? '');
  }
}

/** Both ends must be said. Throws `InvalidArgument`. */
function readRange(
  text: string | undefined,
): { readonly first: number; readonly last: number } | undefined {
  if (text === undefined) return undefined;
  const match = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text.trim());
  const first = Number(match?.[1]);
  const last = Number(match?.[2]);
  if (match === null || last < first) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      text,
    );
  }
  return { first, last };
}

function rangeUnfit(text: string) {
  return invalidArgument(
    'Range specified is not valid for source object',
    'x-amz-copy-source-range',
    text,
  );
}
