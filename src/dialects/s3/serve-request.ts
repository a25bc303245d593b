/**
 * One request from its head to its answer, in the contract's order: routing, authentication, the
 * bucket, permission, then the operation itself (contracts/s3.md, "Consistency and order of
 * checks").
 */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { isServiceError } from '../../core/errors.ts';
import { drainBody, isDrainable } from '../../server/bodies/request-body.ts';
import { reportFailure } from '../../server/listener/report-failure.ts';
import { newRequestId } from '../../server/listener/request-id.ts';
import { authenticate } from './access/authenticate.ts';
import { getBucket, requireAccess, requireExpectedOwner } from './access/bucket-access.ts';
import type { Caller } from './access/caller.ts';
import { findPageAccess, type PageAccess } from './access/cors.ts';
import { limitRequests } from './access/limit-requests.ts';
import { requireHashOfNothing } from './access/payload.ts';
import { answerPreflight } from './access/preflight.ts';
import { refuseVirtualHost } from './access/virtual-host.ts';
import type { S3Deps } from './deps.ts';
import { detectOperation } from './operations/detect-operation.ts';
import { BUCKET_HANDLERS, OBJECT_HANDLERS, SERVICE_HANDLERS } from './operations/handlers.ts';
import {
  type Access,
  OPERATIONS,
  type Operation,
  type OperationName,
  type Refused,
} from './operations/operation-table.ts';
import { requireKnownParameters } from './parameters/require-known-parameters.ts';
import {
  answerDocument,
  type DocumentAnswer,
  errorElement,
  errorHeaders,
  findRefusal,
  HOST_ID,
  statusOf,
} from './wire/answers.ts';
import type { Call, Exchange } from './wire/exchange.ts';
import { findBucketText, type RequestHead, readHead, splitTarget } from './wire/request-head.ts';
import { S3_CODES } from './wire/s3-codes.ts';
import { S3Refusal } from './wire/s3-refusal.ts';

/** A request as the listener got it. */
export type Incoming = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The sender waits for `100 Continue` before it sends the body. */
  isExpectingContinue: boolean;
  /** What Node would have refused by itself. */
  readonly fault: S3Refusal | undefined;
};

/** What became known of a request, for its answer and the access line. */
export type Known = {
  readonly requestId: string;
  operation: OperationName | 'Preflight' | undefined;
  caller: Caller | undefined;
};

/** Answers `incoming`; `onKnown` gets what fills as it becomes known. */
export async function serveRequest(
  deps: S3Deps,
  incoming: Incoming,
  onKnown: (known: Known) => void,
): Promise<void> {
  const { request, response } = incoming;
  const known: Known = {
    requestId: newRequestId(deps.random),
    operation: undefined,
    caller: undefined,
  };
  onKnown(known);
  const baseHeaders = baseHeadersOf(known.requestId);
  const sendContinue = () => {
    if (!incoming.isExpectingContinue) return;
    incoming.isExpectingContinue = false;
    response.writeContinue();
  };
  try {
    if (incoming.fault !== undefined) throw incoming.fault;
    const { origin } = request.headers;
    const page = origin === undefined ? undefined : await findPage(deps, request, origin);
    if (page !== undefined) Object.assign(baseHeaders, page.headers);
    const head = readHead(request);
    const { isExpectingContinue } = incoming;
    const exchange: Exchange = {
      requestId: known.requestId,
      request,
      response,
      head,
      baseHeaders,
      exposed: page?.exposed ?? [],
      sendContinue,
      shell: deps,
      isExpectingContinue,
    };
    if (head.method === 'OPTIONS') {
      known.operation = 'Preflight';
      await answerPreflight(deps, exchange);
      return;
    }
    known.operation = detectOperation(head);
    known.caller = await callerOf(deps, exchange, known.operation);
    if (known.caller.kind === 'key') {
      deps.connections.prove(request.socket, known.caller.principal.accountId);
    }
    await limitRequests(deps, known.caller, request);
    await refuseVirtualHost(deps, head, known.caller);
    await operate(deps, exchange, known.operation, known.caller);
  } catch (error) {
    answerFailure(deps, incoming, { error, known, baseHeaders });
  }
}

function baseHeadersOf(requestId: string): Record<string, string> {
  return { server: 'Pinfold', 'x-amz-request-id': requestId, 'x-amz-id-2': HOST_ID };
}

/** What lets the page of `origin` read the answer, also where the request cannot be read. */
async function findPage(
  deps: S3Deps,
  request: IncomingMessage,
  origin: string,
): Promise<PageAccess | undefined> {
  if (request.method === 'OPTIONS') return undefined;
  // AWS lets this header speak for the method on any request; s3-tests look for it.
  const method = request.headers['access-control-request-method'] ?? request.method ?? 'GET';
  return await findPageAccess(deps, { bucket: findBucketText(request), method, origin });
}

/** A form names its signer in its fields, so that it looks anonymous until they are read. */
async function callerOf(
  deps: S3Deps,
  { head, request }: Exchange,
  operation: OperationName,
): Promise<Caller> {
  if (operation !== 'PostObject') return await authenticate(deps, head, request);
  return { kind: 'anonymous', principal: undefined, payload: { kind: 'unsigned' } };
}

async function operate(
  deps: S3Deps,
  exchange: Exchange,
  operation: OperationName,
  caller: Caller,
): Promise<void> {
  const { support }: Operation = OPERATIONS[operation];
  const { head } = exchange;
  const takesBytes = support.kind === 'served' && support.takesBytes === true;
  if (caller.payload.kind === 'chunked' && !takesBytes) {
    throw new S3Refusal(
      'InvalidRequest',
      'Streaming payloads go with PutObject and UploadPart only.',
    );
  }
  const serveWithoutBucket = SERVICE_HANDLERS[operation];
  if (serveWithoutBucket !== undefined) {
    requireKnownParameters(operation, head);
    if (!hasBody(exchange.request)) requireHashOfNothing(caller.payload);
    return await serveWithoutBucket(deps, { ...exchange, operation, caller });
  }
  const bucket = await getBucket(deps, head.address.kind === 'service' ? '' : head.address.bucket);
  const access = support.kind === 'served' ? support.access : 'bucket.read';
  const call: Call = { ...exchange, operation, caller, bucket };
  await authorize(deps, call, access);
  requireExpectedOwner(head.headers['x-amz-expected-bucket-owner'], bucket);
  if (support.kind === 'refused') throw refusedOperation(operation, support);
  requireKnownParameters(operation, head);
  if (!takesBytes && !hasBody(exchange.request)) requireHashOfNothing(caller.payload);
  if (head.address.kind === 'object') {
    await OBJECT_HANDLERS[operation]?.(deps, { ...call, key: head.address.key });
  } else {
    const region = access === 'list' ? { 'x-amz-bucket-region': deps.settings.region } : {};
    const baseHeaders = { ...call.baseHeaders, ...region };
    await BUCKET_HANDLERS[operation]?.(deps, { ...call, baseHeaders });
  }
}

/** The codes of what a bucket does not have say enough; others leave open what was refused. */
function refusedOperation(operation: OperationName, { code, reason }: Refused): S3Refusal {
  const isVague = code === 'NotImplemented' || code === 'InvalidRequest';
  return new S3Refusal(
    code,
    isVague ? `${operation} is not served (${reason}).` : S3_CODES[code].message,
  );
}

/** Some operations look for themselves what may be done, and to which keys. */
async function authorize(deps: S3Deps, call: Call, access: Access): Promise<void> {
  if (access === 'own' || access === 'service' || access === 'bucket.create') return;
  const { address, query } = call.head;
  const name = address.kind === 'object' ? address.key : (query.get('prefix') ?? '');
  await requireAccess(deps, { caller: call.caller, bucket: call.bucket, access, name });
}

/** Answers an error, or ends the connection where an answer has begun. */
function answerFailure(
  deps: S3Deps,
  incoming: Incoming,
  failure: {
    readonly error: unknown;
    readonly known: Known;
    readonly baseHeaders: Readonly<Record<string, string>>;
  },
): void {
  const { request, response } = incoming;
  const { error, known, baseHeaders } = failure;
  const refusal = toldTo(known, findRefusal(error) ?? new S3Refusal('InternalError'));
  const { requestId, operation } = known;
  const status = statusOf(refusal);
  if (status === 500 || (status > 501 && isServiceError(error))) {
    reportFailure(deps, error, { requestId, route: operation });
  }
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { closing, endBy } = endOf(deps, incoming, refusal);
  answerDocument(
    { response, baseHeaders, head: { ...EMPTY_HEAD, method: request.method ?? 'GET' } },
    {
      status,
      headers: { ...errorHeaders(refusal), ...regionHeaders(deps, operation), ...closing },
      ...(endBy === undefined ? {} : { endBy }),
    },
    errorElement(refusal, { resource: resourceOf(request), requestId }),
  );
}

const CLOSING = { connection: 'close' };

/**
 * What becomes of the connection of who was refused. What is left of a body is read off; who sends
 * more than that is told that the connection will end, or the next request would be lost with it.
 */
function endOf(
  { clock }: S3Deps,
  { request, isExpectingContinue, fault }: Incoming,
  { code }: S3Refusal,
): Pick<DocumentAnswer, 'endBy'> & { readonly closing?: OutgoingHttpHeaders } {
  // Whose head cannot be trusted is not read on: what follows may be anybody's request.
  if (isExpectingContinue || fault !== undefined || code === 'RequestTimeout')
    return { closing: CLOSING };
  if (!hasBody(request)) return {};
  const drain = (onEnd?: () => void) =>
    drainBody(request, (ms, run) => clock.after(ms, run), onEnd);
  if (!isDrainable(request)) return { closing: CLOSING, endBy: drain };
  drain();
  return {};
}

/** Who comes with a browser, or without a key by mistake, is not left with two words. */
function toldTo({ operation, caller }: Known, refusal: S3Refusal): S3Refusal {
  const isUnsigned = caller?.kind === 'anonymous' && operation !== 'PostObject';
  if (!isUnsigned || refusal.code !== 'AccessDenied') return refusal;
  return new S3Refusal(
    refusal.code,
    'This is an S3 gateway: requests are signed with an S3 key, and this one is not.',
    refusal.facts,
  );
}

/** Clients look for a bucket's region with HEAD, whether or not they may see the bucket. */
function regionHeaders(
  { settings }: S3Deps,
  operation: Known['operation'],
): Readonly<Record<string, string>> {
  return operation === 'HeadBucket' ? { 'x-amz-bucket-region': settings.region } : {};
}

const EMPTY_HEAD: RequestHead = {
  method: 'GET',
  rawPath: '/',
  rawQuery: '',
  rawHeaders: [],
  address: { kind: 'service' },
  query: new Map(),
  headers: {},
};

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The path without its query, which may hold a signature. */
function resourceOf({ url = '/' }: IncomingMessage): string {
  return Buffer.from(splitTarget(url).rawPath, 'latin1').toString('utf8');
}
