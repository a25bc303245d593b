/** Answers with the bytes of a file: own downloads, links and deterministic URLs alike. */

import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isServiceError } from '../../core/errors.ts';
import type { AccountId, BucketId, LinkHash } from '../../core/ids.ts';
import { parseEtagCondition } from '../../core/objects/commit/condition.ts';
import type { StoredObject } from '../../core/objects/object.ts';
import {
  type ObjectReading,
  objectNotFound,
  openObject,
  type ReadRequest,
  viewObject,
} from '../../core/objects/read/read-object.ts';
import type { ByteSink } from '../../core/ports/blob-store.ts';
import { hourOf, type UsageSource } from '../../core/usage.ts';
import { asBuffer } from '../../kit/buffers.ts';
import { parseHttpDate } from '../../kit/http-date.ts';
import type { Caching } from '../../server/bodies/caching.ts';
import { contentRange, objectHeaders } from '../../server/bodies/object-headers.ts';
import { sendBytes } from '../../server/bodies/send-bytes.ts';
import { reportFailure } from '../../server/listener/report-failure.ts';
import type { FilesDeps } from './deps.ts';

/** What is done to the bytes on their way: nothing, or base64 text, which has no ranges. */
type Encoding = 'raw' | 'base64';

export type FileAnswer = {
  readonly find: () => Promise<StoredObject | undefined>;
  readonly encoding: Encoding;
  readonly caching: Caching;
  /** Who pays for what is sent. */
  readonly payer: {
    readonly accountId: AccountId;
    readonly bucketId: BucketId;
    readonly source: UsageSource;
    readonly credential: string;
    readonly link: LinkHash | undefined;
  };
};

/** Sends the bytes; HEAD answers the same head without opening them. */
export async function sendFile(
  deps: FilesDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  answer: FileAnswer,
): Promise<void> {
  const asked = readRequest(request);
  const read = answer.encoding === 'raw' ? asked : { ...asked, range: undefined };
  if (request.method === 'HEAD') return await sendHead(deps, answer, read, reply);
  const opened = await openObject(deps, answer.find, read);
  if (opened.kind === 'fresh') return await sendFresh(deps, opened.object, answer, reply);
  await sendReading(deps, opened, answer, reply);
}

/** The conditions and range that a request states. */
function readRequest(request: FastifyRequest): ReadRequest {
  const { headers } = request;
  const dateOf = (text: string | undefined) =>
    text === undefined
      ? undefined
      : (parseHttpDate(text) as ReadRequest['conditions']['ifModifiedSince']);
  return {
    conditions: {
      ifMatch: parseEtagCondition(headers['if-match']),
      ifNoneMatch: parseEtagCondition(headers['if-none-match']),
      ifModifiedSince: dateOf(headers['if-modified-since']),
      ifUnmodifiedSince: dateOf(headers['if-unmodified-since']),
    },
    range: headers.range,
    ifRange: textOf(headers['if-range']),
  };
}

function textOf(field: string | readonly string[] | undefined): string | undefined {
  return typeof field === 'string' || field === undefined ? field : field.join(', ');
}

async function sendHead(
  deps: FilesDeps,
  answer: FileAnswer,
  read: ReadRequest,
  reply: FastifyReply,
): Promise<void> {
  const object = await answer.find();
  if (object === undefined) throw objectNotFound();
  const view = viewObject(object, read);
  if (view.kind === 'fresh') return await sendFresh(deps, object, answer, reply);
  const { status, headers, lengthBytes } = headOf(deps, view, answer, reply);
  reply.raw.writeHead(status, { ...headers, 'content-length': lengthBytes });
  reply.hijack();
  reply.raw.end();
}

async function sendFresh(
  deps: FilesDeps,
  object: StoredObject,
  answer: FileAnswer,
  reply: FastifyReply,
): Promise<void> {
  const {
    etag,
    'last-modified': modified,
    'cache-control': caching,
  } = headersOf(deps, object, answer);
  reply.headers({ etag, 'last-modified': modified, 'cache-control': caching });
  await reply.code(304).send();
}

function headersOf({ clock }: FilesDeps, object: StoredObject, { caching }: FileAnswer) {
  return objectHeaders(object, { caching, now: clock.now(), fileName: object.key });
}

/** The head of an answer with bytes, also where they do not follow. */
function headOf(
  deps: FilesDeps,
  { object, span, isPartial }: Pick<ObjectReading, 'object' | 'span' | 'isPartial'>,
  answer: FileAnswer,
  reply: FastifyReply,
) {
  const rawBytes = span.end - span.start;
  const given = reply.getHeaders() as OutgoingHttpHeaders;
  if (answer.encoding === 'base64') {
    // The text itself is not encoded, whatever the bytes inside it are.
    const { 'content-encoding': _, ...headers } = headersOf(deps, object, answer);
    return {
      status: 200,
      headers: { ...given, ...headers, ...BASE64_HEADERS },
      lengthBytes: 4 * Math.ceil(rawBytes / 3),
    };
  }
  const partial = isPartial ? { 'content-range': contentRange(span, object.sizeBytes) } : {};
  return {
    status: isPartial ? 206 : 200,
    headers: { ...given, ...headersOf(deps, object, answer), ...partial },
    lengthBytes: rawBytes,
  };
}

const BASE64_HEADERS = { 'content-type': 'text/plain; charset=utf-8', 'accept-ranges': 'none' };

/**
 * Streams an open object, closes it, and counts what went out, also when the reader leaves early.
 */
async function sendReading(
  deps: FilesDeps,
  reading: ObjectReading,
  answer: FileAnswer,
  reply: FastifyReply,
): Promise<void> {
  try {
    const { sentBytes, failure } = await sendBytes(
      reply.raw,
      { ...headOf(deps, reading, answer, reply), onHead: () => reply.hijack() },
      (sink) => (answer.encoding === 'raw' ? reading.send(sink) : sendBase64(reading, sink)),
    );
    countEgress(deps, answer, sentBytes);
    if (failure !== undefined && !isServiceError(failure, 'aborted')) {
      reportFailure(deps, failure, { requestId: reply.request.id }, 'a download was cut');
    }
  } finally {
    await reading.close();
  }
}

/** Base64 of a stream: three bytes give four characters, so up to two are carried over. */
async function sendBase64(reading: ObjectReading, sink: ByteSink): Promise<void> {
  let carried = Buffer.alloc(0);
  await reading.send((chunk) => {
    const bytes = carried.length === 0 ? asBuffer(chunk) : Buffer.concat([carried, chunk]);
    const wholeBytes = bytes.length - (bytes.length % 3);
    carried = Buffer.from(bytes.subarray(wholeBytes));
    if (wholeBytes === 0) return undefined;
    return sink(Buffer.from(bytes.toString('base64', 0, wholeBytes), 'latin1'));
  });
  if (carried.length > 0) await sink(Buffer.from(carried.toString('base64'), 'latin1'));
}

function countEgress(deps: FilesDeps, answer: FileAnswer, sentBytes: number): void {
  deps.metrics.countBytes('out', sentBytes);
  deps.usage.record({
    ...answer.payer,
    hour: hourOf(deps.clock.now()),
    meter: 'egress',
    bytes: BigInt(sentBytes),
    requests: 1,
  });
}
