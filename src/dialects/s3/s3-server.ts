/**
 * The S3 listener, directly on Node's HTTP: raw paths and headers, no framework in the way of
 * bytes (contracts/s3.md, "Node-specific duties").
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createServer, createTlsServer } from '../../kit/node-http.ts';
import type { TlsContext } from '../../kit/tls-pair.ts';
import { boundRest } from '../../server/bodies/request-body.ts';
import {
  FRAMING_ANSWERS,
  FRAMING_OPTIONS,
  findFramingFault,
} from '../../server/listener/framing.ts';
import type { S3Deps } from './deps.ts';
import { answerNonsense, refuseTunnel } from './nonsense.ts';
import { type Incoming, type Known, serveRequest } from './serve-request.ts';
import { S3Refusal } from './wire/s3-refusal.ts';

export type S3ServerOptions = {
  /** `undefined`: plain HTTP. */
  readonly tls: TlsContext | undefined;
  /** Shorter ones for tests, which cannot wait for the server's own. */
  readonly timeouts?: { readonly idleMs: number; readonly headersMs: number };
};

const HEADERS_TIMEOUT_MS = 60_000;
const HEADERS_CHECK_MS = 10_000;
/** Above that of any proxy, or its next request meets a closing connection. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A connection on which nothing moves for so long has lost its client. */
const IDLE_TIMEOUT_MS = 120_000;
/**
 * Requests of a connection are served one after another, or each that came early would hold its
 * buffers until its turn to be answered. What sends more ahead than this reads no answers.
 */
const WAITING_MAX = 64;
/** AWS takes 8 KB of headers; twice that is refused by Node. */
const HEADER_BYTES_MAX = 16 * 1024;

export function createS3Server(deps: S3Deps, options: S3ServerOptions): Server {
  const headersTimeout = options.timeouts?.headersMs ?? HEADERS_TIMEOUT_MS;
  const http = {
    maxHeaderSize: HEADER_BYTES_MAX,
    headersTimeout,
    connectionsCheckingInterval: Math.min(HEADERS_CHECK_MS, headersTimeout),
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: 0,
    ...FRAMING_OPTIONS,
    noDelay: true,
  };
  const server =
    options.tls === undefined
      ? createServer(http)
      : createTlsServer({ ...http, ...options.tls, handshakeTimeout: headersTimeout });
  deps.connections.guard(server);
  const open = new OpenExchanges(deps);
  server.on('request', (request, response) => open.serve(request, response, {}));
  server.on('checkContinue', (request, response) =>
    open.serve(request, response, { isExpectingContinue: true }),
  );
  // S3 serves whoever expects something else, and RFC 9110 (10.1.1) lets a server ignore that.
  server.on('checkExpectation', (request, response) => open.serve(request, response, {}));
  server.on('connect', ({ socket }) =>
    refuseTunnel(deps, { socket, isAnswering: open.isAnswering(socket) }),
  );
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerNonsense(
      deps,
      { socket, isAnswering: open.isAnswering(socket), isSending: open.isSending(socket) },
      error,
    ),
  );
  server.timeout = options.timeouts?.idleMs ?? IDLE_TIMEOUT_MS;
  server.on('timeout', (socket: Socket) => open.endIdle(socket));
  return server;
}

/** The newest exchange of a connection. */
type Open = {
  readonly incoming: Incoming;
  known: Known | undefined;
  /** Resolves when its answer is out, or the connection gone. */
  readonly ended: Promise<void>;
  /** It waits for the one before it on its connection until then. */
  isBegun: boolean;
  /** Of its connection: how many are not answered yet. */
  readonly line: { length: number };
};

/** The exchanges under way, by connection. */
class OpenExchanges {
  readonly #deps: S3Deps;
  readonly #bySocket = new WeakMap<Socket, Open>();

  constructor(deps: S3Deps) {
    this.#deps = deps;
  }

  serve(
    request: IncomingMessage,
    response: ServerResponse,
    { isExpectingContinue = false }: { readonly isExpectingContinue?: boolean },
  ): void {
    const fault = headFault(request);
    const incoming: Incoming = { request, response, isExpectingContinue, fault };
    const { socket } = request;
    const before = this.#bySocket.get(socket);
    const line = before?.line ?? { length: 0 };
    if (line.length > WAITING_MAX) {
      socket.destroy();
      return;
    }
    line.length += 1;
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const open: Open = { incoming, known: undefined, ended, isBegun: false, line };
    this.#bySocket.set(socket, open);
    const startedAt = this.#deps.clock.now();
    // Now: a connection that is gone does not say any more whose it was.
    const address = this.#deps.clients.of(request);
    response.once('close', () => {
      resolve();
      line.length -= 1;
      if (this.#bySocket.get(socket) === open) this.#bySocket.delete(socket);
      const ms = this.#deps.clock.now() - startedAt;
      observe(this.#deps, incoming, { known: open.known, ms, address });
    });
    boundRest(request, response, (ms, run) => this.#deps.clock.after(ms, run));
    if (before === undefined) this.#begin(open);
    else void before.ended.then(() => socket.destroyed || this.#begin(open));
  }

  #begin(open: Open): void {
    const { incoming } = open;
    open.isBegun = true;
    serveRequest(this.#deps, incoming, (begun) => {
      open.known = begun;
    }).catch((error: unknown) => {
      this.#deps.log.error({ err: error }, 'an answer failed');
      incoming.response.destroy();
    });
  }

  isAnswering(socket: Socket): boolean {
    const open = this.#bySocket.get(socket);
    return open !== undefined && (!open.isBegun || open.incoming.response.headersSent);
  }

  /** Whether the head of a request came, and its body has not ended. */
  isSending(socket: Socket): boolean {
    return this.#bySocket.get(socket)?.incoming.request.complete === false;
  }

  /**
   * A reader that stopped reading is cut. Who has no answer yet waits for us, as a copy of many
   * bytes takes its time; how long a body may take is the watch's to say.
   */
  endIdle(socket: Socket): void {
    const open = this.#bySocket.get(socket);
    if (open === undefined || open.incoming.response.headersSent || !open.isBegun) socket.destroy();
  }
}

function headFault(request: IncomingMessage): S3Refusal | undefined {
  const fault = findFramingFault(request);
  switch (fault) {
    case undefined:
      return undefined;
    case 'no_host':
      return new S3Refusal('MissingSecurityHeader', undefined, { MissingHeaderName: 'host' });
    case 'unknown_coding':
      return new S3Refusal('NotImplemented', undefined, { Header: 'Transfer-Encoding' });
    case 'two_hosts':
    case 'old_coding':
      return new S3Refusal('BadRequest', FRAMING_ANSWERS[fault].message);
  }
}

type Observed = {
  readonly known: Known | undefined;
  readonly ms: number;
  /** The client's, or that of the proxy before it that is not trusted. */
  readonly address: string;
};

function observe(
  { metrics, log }: S3Deps,
  { request, response }: Incoming,
  { known, ms, address }: Observed,
): void {
  const route = known?.operation ?? 'none';
  const { statusCode: status } = response;
  const method = request.method ?? '';
  metrics.observeHttp({ listener: 's3', method, route, status, seconds: ms / 1000 });
  const principal = known?.caller?.principal;
  log.access({
    requestId: known?.requestId ?? '',
    method,
    route,
    status,
    ms,
    account: principal?.accountId,
    credential: principal?.credential.kind,
    address,
    isWhole: response.writableFinished,
  });
}
