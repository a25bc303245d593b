/**
 * The shell of the REST dialects: one Fastify with everything that holds for every route. Byte
 * routes hang on it too, but take their bodies from the raw request (`request-body.ts`).
 */
import { strict as assert } from 'node:assert';
import type { Socket } from 'node:net';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { isServiceError, ServiceError } from '../../core/errors.ts';
import { JSON_BODY_BYTES_MAX } from '../../core/limits.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Random } from '../../core/ports/random.ts';
import { decodeUtf8 } from '../../kit/text.ts';
import type { TlsContext } from '../../kit/tls-pair.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import { boundRest, drainBody } from '../bodies/request-body.ts';
import { readSmallBody } from '../bodies/small-body.ts';
import { parseQuery } from '../schema/raw-query.ts';
import { errorBody, fallbackMessage, type RestAnswer, restAnswer } from '../schema/rest-errors.ts';
import { type ApiServer, NO_COMPILERS, setCompilers } from '../schema/schema-kit.ts';
import { type AccessDeps, admitRequest, CHALLENGE } from './access.ts';
import { allowAnyOrigin, exposeToAnyOrigin } from './cross-origin.ts';
import { holdExpectations } from './expectations.ts';
import { FRAMING_OPTIONS } from './framing.ts';
import { answerMalformed, answerTunnel, OpenAnswers } from './malformed-requests.ts';
import type { PublicOrigin } from './public-origin.ts';
import { reportFailure } from './report-failure.ts';
import { newRequestId } from './request-id.ts';
import { answerS3Request, isS3Request } from './s3-requests.ts';
import type { Shell } from './shell.ts';

export type ApiServerDeps = AccessDeps &
  Shell & {
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
    readonly metrics: Metrics;
  };

export type ApiServerOptions = {
  /** `undefined`: plain HTTP. */
  readonly tls: TlsContext | undefined;
  /** Where the S3 gateway is, for clients that take this for it. */
  readonly s3Url: PublicOrigin;
  /** Shorter ones for tests, which cannot wait for the server's own. */
  readonly timeouts?: ApiTimeouts;
};

export type ApiTimeouts = { readonly idleMs: number; readonly headersMs: number };

/** Node's own limits (contracts/s3.md, "Node-specific duties"). */
const HEADERS_TIMEOUT_MS = 60_000;
/** How often Node looks for heads that take too long. */
const HEADERS_CHECK_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A connection on which nothing moves for so long is a client that went away. */
const IDLE_TIMEOUT_MS = 120_000;
const HEADER_BYTES_MAX = 32 * 1024;
const PARAMETER_LENGTH_MAX = 1024;

export function createApiServer(deps: ApiServerDeps, options: ApiServerOptions): ApiServer {
  const answers = new OpenAnswers();
  const newId = () => newRequestId(deps.random);
  const faults = { clock: deps.clock, newRequestId: newId };
  const server = fastify({
    logger: false,
    schemaController: NO_COMPILERS,
    bodyLimit: JSON_BODY_BYTES_MAX,
    connectionTimeout: options.timeouts?.idleMs ?? IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: newId,
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: PARAMETER_LENGTH_MAX,
      querystringParser: (text) => parseQuery(text) as Record<string, string>,
    },
    clientErrorHandler: (error, socket) => answerMalformed(faults, { socket, answers }, error),
    frameworkErrors: (error, request, reply) => answerUnrouted(deps, error, request, reply),
    ...nodeOptions(options),
  }) as unknown as ApiServer;
  deps.connections.guard(server.server);
  setCompilers(server);
  server.decorateRequest('principal', undefined);
  server.decorateRequest('clientAddress', '');
  server.addHook('onRequest', async (request) => {
    // Now: a connection that is gone does not say any more whose it was.
    request.clientAddress = deps.clients.of(request.raw);
  });
  takeJsonOfAnyType(server, deps);
  observeRequests(server, deps);
  server.addHook('onRoute', ({ method, url, config }) => {
    assert(config?.access !== undefined, `${method} ${url} does not say who may call it.`);
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  server.addHook('onRequest', allowAnyOrigin);
  server.server.on('connect', ({ socket }) => answerTunnel(faults, { socket, answers }));
  server.server.on('timeout', (socket: Socket) => {
    if (!answers.isAwaited(socket)) socket.destroy();
  });
  holdExpectations(server, (request, response) => {
    answers.add(request, response);
    boundRest(request, response, (ms, run) => deps.clock.after(ms, run));
  });
  hideTypeOfBytes(server);
  server.addHook('onRequest', async (request, reply) => {
    if (!isS3Request(request.raw)) return;
    refuseBody(deps, request, reply);
    await answerS3Request(reply, options.s3Url(request.raw));
  });
  server.addHook('onRequest', admitRequest(deps));
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply));
  const answerNotFound = (request: FastifyRequest, reply: FastifyReply) => {
    const message = `There is no ${request.method} at this path.`;
    refuseBody(deps, request, reply);
    return reply
      .code(404)
      .send(errorBody({ status: 404, code: 'not_found', message, requestId: request.id }));
  };
  server.setNotFoundHandler(answerNotFound);
  server.addHook('onRequest', async (request, reply) => {
    // Here already, so that no body is waited for that nobody wants.
    if (request.is404) await answerNotFound(request, reply);
  });
  return server;
}

function nodeOptions({ tls, timeouts }: ApiServerOptions) {
  const headersTimeout = timeouts?.headersMs ?? HEADERS_TIMEOUT_MS;
  const http = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout,
    connectionsCheckingInterval: Math.min(HEADERS_CHECK_MS, headersTimeout),
    ...FRAMING_OPTIONS,
    noDelay: true,
  };
  if (tls === undefined) return { http };
  return { https: { ...http, ...tls, handshakeTimeout: headersTimeout } };
}

/**
 * Bodies of the JSON routes: an empty one is `{}`, whatever type is said (curl -d says a form's).
 */
function takeJsonOfAnyType(server: ApiServer, deps: ApiServerDeps): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', async (request: FastifyRequest) =>
    readSmallBody(deps, request, parseJson),
  );
}

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    // A name must not change on its way in: bytes that are no UTF-8 are refused, not replaced.
    return JSON.parse(decodeUtf8(body) ?? '') as unknown;
  } catch (cause) {
    const message = 'The body is not a JSON document.';
    throw new ServiceError('invalid_field', message, { details: { field: 'the body' }, cause });
  }
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body from the raw request, and says itself when it may come. */
    takesBytes?: boolean;
  }
  interface FastifyRequest {
    /** The type that the sender of bytes says they have; any text. */
    typeOfBytes: string | undefined;
  }
}

/**
 * The framework refuses types that it cannot read; those of stored bytes are none of its business.
 */
function hideTypeOfBytes(server: ApiServer): void {
  server.decorateRequest('typeOfBytes', undefined);
  server.addHook('onRequest', async (request) => {
    if (request.routeOptions.config.takesBytes !== true) return;
    request.typeOfBytes = request.raw.headers['content-type'];
    delete request.raw.headers['content-type'];
  });
}

/** What the framework refuses before any hook has run. */
function answerUnrouted(
  deps: ApiServerDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  request.clientAddress = deps.clients.of(request.raw);
  reply.header('x-request-id', request.id);
  exposeToAnyOrigin(reply);
  reply.raw.once('close', () => observe(deps, request, reply));
  answerError(deps, error, request, reply);
}

function answerError(
  deps: ApiServerDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  const { status, body } = answerOf(error, request.id);
  if (status >= 500) {
    reportFailure(deps, error, { requestId: request.id, route: routeOf(request) });
  }
  if (reply.raw.headersSent) return reply.raw.destroy();
  if (isServiceError(error)) addHeadersOf(error, reply);
  refuseBody(deps, request, reply);
  if (status === 401) reply.header('www-authenticate', CHALLENGE);
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

function addHeadersOf({ code, details }: ServiceError, reply: FastifyReply): void {
  if (code === 'range_not_satisfiable') {
    reply.header('content-range', `bytes */${details['sizeBytes']}`);
  }
  // What comes too slowly is not read off either.
  if (code === 'body_too_slow') reply.header('connection', 'close');
  const { retryAfter } = details;
  if (typeof retryAfter === 'number') reply.header('retry-after', retryAfter);
}

/** A refused body is read off, or, if its sender still waits, never asked for. */
function refuseBody(deps: ApiServerDeps, request: FastifyRequest, reply: FastifyReply): void {
  if (request.isExpectingContinue || reply.getHeader('connection') === 'close') {
    reply.header('connection', 'close');
    return;
  }
  const hasBody =
    request.headers['transfer-encoding'] !== undefined ||
    Number(request.headers['content-length'] ?? 0) > 0;
  if (hasBody) drainBody(request.raw, (ms, run) => deps.clock.after(ms, run));
}

function answerOf(error: unknown, requestId: string): RestAnswer {
  if (isServiceError(error)) return restAnswer(error, requestId);
  const status = statusOfFramework(error);
  if (status < 400 || status > 499 || !(error instanceof Error)) {
    const body = errorBody({
      status: 500,
      code: 'internal',
      message: fallbackMessage(500),
      requestId,
    });
    return { status: 500, body };
  }
  const code = FRAMEWORK_CODES[status] ?? 'bad_request';
  return { status, body: errorBody({ status, code, message: error.message, requestId }) };
}

/** What Fastify itself refuses, where it is not merely a bad request. */
const FRAMEWORK_CODES: Readonly<Record<number, string>> = {
  404: 'not_found',
  413: 'body_too_large',
  415: 'unsupported_type',
};

function statusOfFramework(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
}

declare module 'fastify' {
  interface FastifyRequest {
    isObserved: boolean;
  }
}

/** Every request is observed once: when its answer is out, or when its reader left before. */
function observeRequests(server: ApiServer, deps: ApiServerDeps): void {
  server.decorateRequest('isObserved', false);
  const observeOnce = (request: FastifyRequest, reply: FastifyReply) => {
    if (request.isObserved) return;
    request.isObserved = true;
    observe(deps, request, reply);
  };
  server.addHook('onRequest', async (request, reply) => {
    reply.raw.once('close', () => observeOnce(request, reply));
  });
  server.addHook('onResponse', async (request, reply) => observeOnce(request, reply));
}

function observe(deps: ApiServerDeps, request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request);
  const { statusCode: status } = reply.raw;
  const took = reply.elapsedTime;
  deps.metrics.observeHttp({
    listener: 'api',
    method: request.method,
    route,
    status,
    seconds: took / 1000,
  });
  deps.log.access({
    requestId: request.id,
    method: request.method,
    route,
    status,
    ms: Math.round(took * 10) / 10,
    account: request.principal?.accountId,
    credential: request.principal?.credential.kind,
    address: request.clientAddress,
    isWhole: reply.raw.writableFinished,
  });
}

/** A route's pattern; paths may hold what only their owner should see. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}
