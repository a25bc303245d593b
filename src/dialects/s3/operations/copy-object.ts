/** CopyObject. */
import { isServiceError } from '../../../core/errors.ts';
import { canInspect } from '../../../core/identity/access/authorize-objects.ts';
import type { ObjectDescription, ObjectVersion } from '../../../core/objects/object.ts';
import { copyObject as copy, type ObjectCopy } from '../../../core/objects/write/copy-object.ts';
import { xmlText } from '../../../kit/xml/xml-format.ts';
import type { S3Deps } from '../deps.ts';
import { answerXml } from '../wire/answers.ts';
import { checksumElements } from '../wire/checksum-elements.ts';
import { algorithmOf } from '../wire/checksum-headers.ts';
import { copyConditions, writeConditions } from '../wire/conditions.ts';
import type { ObjectCall } from '../wire/exchange.ts';
import { describeObject, refuseUnkept, requireTrueAcl } from '../wire/object-description.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { xmlTime } from '../wire/xml-time.ts';
import { type CopySource, findCopySource, refuseCopyBody } from './copy-source.ts';
import { missingKey } from './get-object.ts';
import { usageOf } from './put-object.ts';

const COPY_BYTES_MAX = 5 * 1024 ** 3;

export async function copyObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const { head, bucket, key } = call;
  const { headers } = head;
  const directives = readDirectives(call);
  requireTrueAcl(headers, { isPublic: bucket.publicRead });
  refuseUnkept(headers);
  refuseCopyBody(call);
  const source = await findCopySource(deps, call);
  // Who may read only because all may does not get the tags.
  const isOpen = canInspect(call.caller.principal, source.bucket, source.key);
  const described = describeObject(headers);
  refuseNothing(call, source, directives);
  const algorithm = headers['x-amz-checksum-algorithm'];
  const wanted: ObjectCopy = {
    source: { ...source, conditions: copyConditions(headers) },
    target: { bucket, key, conditions: writeConditions(headers) },
    describe: (from) => describe(isOpen ? from : { ...from, tags: {} }, described, directives),
    checksum: algorithm === undefined ? undefined : algorithmOf(algorithm),
    sizeBytesMax: COPY_BYTES_MAX,
    usage: usageOf(call),
  };
  // GiBs are not read for nobody.
  const gone = new AbortController();
  call.response.once('close', () => gone.abort());
  const version = await translated(call, source, () => copy(deps, wanted, { signal: gone.signal }));
  answerXml(
    call,
    'CopyObjectResult',
    xmlText('LastModified', xmlTime(version.createdAt)),
    xmlText('ETag', `"${version.etag}"`),
    ...checksumElements(version.checksum),
  );
}

type Directive = 'COPY' | 'REPLACE';
type Directives = { readonly metadata: Directive; readonly tagging: Directive };

function readDirectives({ head }: ObjectCall): Directives {
  return {
    metadata: directiveOf('x-amz-metadata-directive', head.headers['x-amz-metadata-directive']),
    tagging: directiveOf('x-amz-tagging-directive', head.headers['x-amz-tagging-directive']),
  };
}

function directiveOf(name: string, text: string | undefined): Directive {
  if (text === undefined || text === 'COPY') return 'COPY';
  if (text === 'REPLACE') return 'REPLACE';
  throw invalidArgument('Unknown directive.', name, text);
}

/** A copy onto itself that changes nothing is a mistake. */
function refuseNothing(
  { bucket, key, head }: ObjectCall,
  source: CopySource,
  { metadata, tagging }: Directives,
): void {
  const isItself = source.bucket.bucketId === bucket.bucketId && source.key === key;
  const changes =
    metadata === 'REPLACE' ||
    tagging === 'REPLACE' ||
    head.headers['x-amz-storage-class'] !== undefined ||
    head.headers['x-amz-checksum-algorithm'] !== undefined ||
    head.headers['x-amz-website-redirect-location'] !== undefined ||
    head.headers['x-amz-server-side-encryption'] !== undefined;
  if (!isItself || changes) return;
  throw new S3Refusal(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Storage class and redirect are the request's own, whatever the directives say. */
function describe(
  from: ObjectVersion,
  own: ObjectDescription,
  { metadata, tagging }: Directives,
): ObjectDescription {
  const { 'x-amz-website-redirect-location': _, ...kept } = from.headers;
  const redirect = own.headers['x-amz-website-redirect-location'];
  const copied =
    redirect === undefined ? kept : { ...kept, 'x-amz-website-redirect-location': redirect };
  return {
    contentType: metadata === 'COPY' ? from.contentType : own.contentType,
    headers: metadata === 'COPY' ? copied : own.headers,
    userMetadata: metadata === 'COPY' ? from.userMetadata : own.userMetadata,
    tags: tagging === 'COPY' ? from.tags : own.tags,
    storageClass: own.storageClass,
    tier: own.tier,
    origin: own.origin,
  };
}

async function translated<T>(
  call: ObjectCall,
  source: CopySource,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isServiceError(error, 'object_not_found')) {
      throw missingKey({ ...call, bucket: source.bucket }, source.key);
    }
    if (isServiceError(error, 'body_too_large')) {
      throw new S3Refusal(
        'InvalidRequest',
        'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
      );
    }
    throw error;
  }
}
