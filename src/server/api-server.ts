/**
 * The shell of the REST dialects: one Fastify with everything that holds for every route. Byte routes
 * hang on it too, but take their bodies from the raw request (`byte-routes.ts`).
 */
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyReply, type FastifyRequest } from 'fastify';
import { isServiceError, ServiceError } from '../core/errors.ts';
import { JSON_BODY_BYTES_MAX } from '../core/limits.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { type AccessDeps, admitRequest } from './access.ts';
import { allowAnyOrigin } from './cross-origin.ts';
import { parseQuery } from './raw-query.ts';
import { drainBody } from './request-body.ts';
import { errorBody, fallbackMessage, type RestAnswer, restAnswer } from './rest-errors.ts';
import { type ApiServer, compileSchema } from './schema-kit.ts';

export type ApiServerDeps = AccessDeps & {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
};

export type ApiServerOptions = {
  /** Addresses and CIDR blocks whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
};

/** Node's own limits (contracts/s3.md, "Node-specific duties"). */
const HEADERS_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A connection on which nothing moves for so long is a client that went away. */
const IDLE_TIMEOUT_MS = 120_000;
const HEADER_BYTES_MAX = 32 * 1024;
const PARAMETER_LENGTH_MAX = 1024;

export function createApiServer(deps: ApiServerDeps, options: ApiServerOptions): ApiServer {
  const http = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout: HEADERS_TIMEOUT_MS,
    noDelay: true,
  };
  const { tls } = options;
  const server = fastify({
    logger: false,
    bodyLimit: JSON_BODY_BYTES_MAX,
    connectionTimeout: IDLE_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: options.trustedProxies.length === 0 ? false : [...options.trustedProxies],
    genReqId: () => Buffer.from(deps.random.bytes(8)).toString('hex').toUpperCase(),
    routerOptions: {
      ignoreTrailingSlash: true,
      maxParamLength: PARAMETER_LENGTH_MAX,
      querystringParser: (text) => parseQuery(text) as Record<string, string>,
    },
    clientErrorHandler: (error, socket) => answerMalformed(deps, error, socket),
    frameworkErrors: (error, request, reply) => answerError(deps, error, request, reply),
    ...(tls === undefined
      ? { http }
      : { https: { ...http, cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) } }),
  }) as unknown as ApiServer;
  server.setValidatorCompiler(compileSchema);
  server.decorateRequest('principal', undefined);
  takeJsonOfAnyType(server);
  holdContinue(server);
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  server.addHook('onRequest', allowAnyOrigin);
  server.addHook('onRequest', admitRequest(deps));
  server.addHook('onResponse', async (request, reply) => observe(deps, request, reply));
  server.setErrorHandler((error, request, reply) => answerError(deps, error, request, reply));
  server.setNotFoundHandler((request, reply) => {
    const message = `There is no ${request.method} at this path.`;
    refuseBody(deps, request, reply);
    return reply
      .code(404)
      .send(errorBody({ status: 404, code: 'not_found', message, requestId: request.id }));
  });
  return server;
}

/** Bodies of the JSON routes: an empty one is `{}`, whatever type is said (curl -d says a form's). */
function takeJsonOfAnyType(server: ApiServer): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser(
    '*',
    { parseAs: 'string' },
    async (_request: unknown, body: string) => {
      if (body === '') return {};
      try {
        return JSON.parse(body) as unknown;
      } catch (cause) {
        const message = 'The body is not a JSON document.';
        throw new ServiceError('invalid_field', message, { details: { field: 'the body' }, cause });
      }
    },
  );
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route reads its body from the raw request, and says itself when it may come. */
    takesBytes?: boolean;
  }
  interface FastifyRequest {
    /** Whether the sender waits for `100 Continue` and has not got it yet. */
    isExpectingContinue: boolean;
  }
}

/** Lets a waiting sender send its body. */
export function sendContinue(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.isExpectingContinue) return;
  request.isExpectingContinue = false;
  reply.raw.writeContinue();
}

/** Node would answer 100 by itself; a refusal must come before it. */
function holdContinue(server: ApiServer): void {
  server.decorateRequest('isExpectingContinue', false);
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.routing(request, response);
  });
  server.addHook('onRequest', async (request) => {
    // Node has sent the request here by `checkContinue` exactly when this holds.
    const expect = request.headers.expect;
    request.isExpectingContinue = expect !== undefined && /100-continue/i.test(expect);
  });
  server.addHook('preParsing', async (request, reply, payload) => {
    if (request.routeOptions.config.takesBytes !== true) sendContinue(request, reply);
    return payload;
  });
}

function answerError(
  deps: ApiServerDeps,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): unknown {
  const { status, body } = answerOf(error, request.id);
  if (status >= 500) {
    deps.log.error(
      { requestId: request.id, route: routeOf(request), err: error },
      'request failed',
    );
  }
  if (reply.raw.headersSent) return reply.raw.destroy();
  refuseBody(deps, request, reply);
  if (isServiceError(error, 'range_not_satisfiable')) {
    reply.header('content-range', `bytes */${error.details['sizeBytes']}`);
  }
  return reply.code(status).header('cache-control', 'no-store').send(body);
}

/** A refused body is read off, or, if its sender still waits, never asked for. */
function refuseBody(deps: ApiServerDeps, request: FastifyRequest, reply: FastifyReply): void {
  if (request.isExpectingContinue) {
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
  const code = FRAMEWORK_CODES[status];
  if (code === undefined || !(error instanceof Error)) {
    const body = errorBody({
      status: 500,
      code: 'internal',
      message: fallbackMessage(500),
      requestId,
    });
    return { status: 500, body };
  }
  return { status, body: errorBody({ status, code, message: error.message, requestId }) };
}

/** What Fastify itself refuses. */
const FRAMEWORK_CODES: Readonly<Record<number, string>> = {
  400: 'bad_request',
  404: 'not_found',
  413: 'body_too_large',
  415: 'unsupported_type',
};

function statusOfFramework(error: unknown): number {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : 500;
}

/** What is not HTTP gets the error shape too, then the connection ends. */
function answerMalformed(
  deps: ApiServerDeps,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const requestId = Buffer.from(deps.random.bytes(8)).toString('hex').toUpperCase();
  const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const isTimeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const status = isTooLarge ? 431 : isTimeout ? 408 : 400;
  const message = isTooLarge
    ? 'The head of the request is too large.'
    : isTimeout
      ? 'The head of the request took too long.'
      : 'The request is not well-formed HTTP/1.1.';
  const body = errorBody({ status, code: 'bad_request', message, requestId });
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${body.error}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
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
  deps.log.info(
    {
      requestId: request.id,
      method: request.method,
      route,
      status,
      ms: Math.round(took * 10) / 10,
      account: request.principal?.accountId,
      credential: request.principal?.credential.kind,
      address: request.ip,
      isWhole: reply.raw.writableFinished,
    },
    'request',
  );
}

/** A route's pattern; paths may hold what only their owner should see. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'none';
}
