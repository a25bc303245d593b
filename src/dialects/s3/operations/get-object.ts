/** GetObject and HeadObject. */

import type { OutgoingHttpHeaders } from 'node:http';
import { isServiceError, type ServiceError } from '../../../core/errors.ts';
import { canInspect, isListable } from '../../../core/identity/access/authorize-objects.ts';
import { PARTS_MAX } from '../../../core/limits.ts';
import type { ObjectVersion, StoredObject } from '../../../core/objects/object.ts';
import { countParts, findChecksum } from '../../../core/objects/read/object-parts.ts';
import {
  objectNotFound,
  openObject,
  type ReadRequest,
  viewObject,
} from '../../../core/objects/read/read-object.ts';
import { credentialLabel } from '../../../core/principal.ts';
import { hourOf } from '../../../core/usage.ts';
import { contentRange } from '../../../server/bodies/object-headers.ts';
import { sendBytes } from '../../../server/bodies/send-bytes.ts';
import { reportFailure } from '../../../server/listener/report-failure.ts';
import { exposingAlso } from '../access/cors.ts';
import type { S3Deps } from '../deps.ts';
import { answerEmpty } from '../wire/answers.ts';
import { checksumHeaders } from '../wire/checksum-headers.ts';
import { readConditions } from '../wire/conditions.ts';
import type { Call, ObjectCall } from '../wire/exchange.ts';
import { invalidArgument, S3Refusal } from '../wire/s3-refusal.ts';
import { requireNullVersion } from './version-id.ts';

export async function getObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const request = readRequest(call);
  const opened = await found(call, () =>
    openObject(deps, () => deps.metadata.findObject(call.bucket.bucketId, call.key), request),
  );
  if (opened.kind === 'fresh') return answerFresh(call, opened.object);
  try {
    const { sentBytes, failure } = await sendBytes(
      call.response,
      { ...headOf(call, request, opened), onHead: () => undefined },
      (sink) => opened.send(sink),
    );
    countEgress(deps, call, sentBytes);
    if (failure !== undefined && !isServiceError(failure, 'aborted')) {
      reportFailure(deps, failure, { requestId: call.requestId }, 'a download was cut');
    }
  } finally {
    await opened.close();
  }
}

export async function headObject(deps: S3Deps, call: ObjectCall): Promise<void> {
  const request = readRequest(call);
  const view = await found(call, async () => {
    const object = await deps.metadata.findObject(call.bucket.bucketId, call.key);
    if (object === undefined) throw objectNotFound();
    return viewObject(object, request);
  });
  if (view.kind === 'fresh') return answerFresh(call, view.object);
  const { status, headers, lengthBytes } = headOf(call, request, view);
  call.response.writeHead(status, { ...headers, 'content-length': lengthBytes });
  call.response.end();
}

/** Only who may list is told that a key does not exist. */
async function found<T>(call: ObjectCall, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (isServiceError(error, 'object_not_found')) throw missingKey(call, call.key);
    if (isServiceError(error, 'range_not_satisfiable')) throw rangeUnfit(call, error);
    throw error;
  }
}

/** Clients built on AWS's CRT read by this that an object is empty, and that their read is done. */
function rangeUnfit({ head }: ObjectCall, { details }: ServiceError): S3Refusal {
  return new S3Refusal('InvalidRange', undefined, {
    RangeRequested: head.headers['range'] ?? '',
    ActualObjectSize: Number(details['sizeBytes']),
  });
}

export function missingKey({ caller, bucket }: Call, key: string): S3Refusal {
  return isListable(caller.principal, bucket, key)
    ? new S3Refusal('NoSuchKey', undefined, { Key: key })
    : new S3Refusal('AccessDenied');
}

function readRequest({ head, caller }: ObjectCall): ReadRequest {
  const { headers, query } = head;
  if (query.size > 0) {
    requireNullVersion(query);
    if (caller.kind === 'anonymous') refuseOverrides(query);
  }
  const partNumber = partNumberOf(query);
  if (partNumber !== undefined && headers['range'] !== undefined) {
    throw new S3Refusal(
      'InvalidRequest',
      'Cannot specify both Range header and partNumber query parameter',
    );
  }
  return {
    conditions: readConditions(headers),
    range: headers['range'],
    ifRange: headers['if-range'],
    partNumber,
  };
}

function partNumberOf(query: ReadonlyMap<string, string>): number | undefined {
  const text = query.get('partNumber');
  if (text === undefined) return undefined;
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= PARTS_MAX) return number;
  throw invalidArgument(
    `Part number must be an integer between 1 and ${PARTS_MAX}, inclusive`,
    'partNumber',
    text,
  );
}

/** Headers of the answer that an authenticated request may choose. */
const OVERRIDES: Readonly<Record<string, string>> = {
  'response-content-type': 'content-type',
  'response-content-language': 'content-language',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-cache-control': 'cache-control',
  'response-expires': 'expires',
};

function refuseOverrides(query: ReadonlyMap<string, string>): void {
  for (const name of Object.keys(OVERRIDES)) {
    if (query.has(name)) {
      throw new S3Refusal(
        'InvalidRequest',
        'Request specific response headers cannot be used for anonymous GET requests.',
      );
    }
  }
}

function overridesOf(query: ReadonlyMap<string, string>): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, header] of Object.entries(OVERRIDES)) {
    const value = query.get(name);
    if (value === undefined) continue;
    // A header is one line of latin1.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
      throw invalidArgument('This cannot stand in a header.', name, value);
    headers[header] = Buffer.from(value, 'utf8').toString('latin1');
  }
  return headers;
}

type Answered = {
  readonly object: StoredObject;
  readonly span: { readonly start: number; readonly end: number };
  readonly isPartial: boolean;
};

function headOf(
  call: ObjectCall,
  { partNumber }: ReadRequest,
  answered: Answered,
): {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly lengthBytes: number;
} {
  const { baseHeaders, head } = call;
  const { object, span, isPartial } = answered;
  const headers: OutgoingHttpHeaders = { ...baseHeaders, ...objectHeaders(call, object) };
  const lengthBytes = span.end - span.start;
  Object.assign(headers, exposureOf(call, object));
  const isWhole = !isPartial;
  if (head.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(findChecksum(object, answered, partNumber)));
  }
  if (partNumber !== undefined) {
    const count = countParts(object);
    if (count !== undefined) headers['x-amz-mp-parts-count'] = count;
  }
  if (head.query.size > 0) Object.assign(headers, overridesOf(head.query));
  // No content range can say an empty part.
  if (isWhole || lengthBytes === 0) return { status: 200, headers, lengthBytes };
  headers['content-range'] = contentRange(span, object.sizeBytes);
  return { status: 206, headers, lengthBytes };
}

/** A page may read the metadata too, where a pattern of its rule means it. */
function exposureOf(
  { baseHeaders, exposed }: ObjectCall,
  { userMetadata }: ObjectVersion,
): OutgoingHttpHeaders {
  const said = baseHeaders['access-control-expose-headers'];
  const names = Object.keys(userMetadata).map((name) => `x-amz-meta-${name}`);
  if (typeof said !== 'string' || names.length === 0) return {};
  return { 'access-control-expose-headers': exposingAlso(said, exposed, names) };
}

/** What is said of an object besides its bytes. */
function objectHeaders(
  { caller, bucket, key }: ObjectCall,
  object: ObjectVersion,
): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    'content-type': object.contentType,
    etag: `"${object.etag}"`,
    'last-modified': new Date(object.createdAt).toUTCString(),
    'accept-ranges': 'bytes',
  };
  for (const name in object.headers) headers[name] = object.headers[name];
  for (const name in object.userMetadata) headers[`x-amz-meta-${name}`] = object.userMetadata[name];
  let tagCount = 0;
  for (const _name in object.tags) tagCount += 1;
  // Only who may read the tags is told that there are some.
  if (tagCount > 0 && canInspect(caller.principal, bucket, key)) {
    headers['x-amz-tagging-count'] = tagCount;
  }
  if (object.storageClass !== 'STANDARD') headers['x-amz-storage-class'] = object.storageClass;
  return headers;
}

function answerFresh(call: ObjectCall, object: ObjectVersion): void {
  const { etag, expires, ...headers } = objectHeaders(call, object);
  const caching = headers['cache-control'];
  answerEmpty(call, 304, {
    etag,
    'last-modified': headers['last-modified'],
    ...(caching === undefined ? {} : { 'cache-control': caching }),
    ...(expires === undefined ? {} : { expires }),
  });
}

function countEgress(deps: S3Deps, { bucket, caller }: Call, sentBytes: number): void {
  deps.metrics.countBytes('out', sentBytes);
  const { principal } = caller;
  deps.usage.record({
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    source: 's3',
    credential: principal === undefined ? '' : credentialLabel(principal),
    link: undefined,
    hour: hourOf(deps.clock.now()),
    meter: 'egress',
    bytes: BigInt(sentBytes),
    requests: 1,
  });
}
