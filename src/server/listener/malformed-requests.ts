/** What is not well-formed HTTP gets the error shape too, wherever anything can still be said. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/ports/clock.ts';
import { errorBody } from '../schema/rest-errors.ts';
import { EXPOSED_HEADERS } from './cross-origin.ts';

/** How long a sender of nonsense has to read its answer. */
const LINGER_MS = 1000;

/** Knows which answers are under way on a connection: nothing may be written in between. */
export class OpenAnswers {
  readonly #bySocket = new WeakMap<Socket, Set<ServerResponse>>();
  readonly #ended = new WeakSet<Socket>();

  add(request: IncomingMessage, response: ServerResponse): void {
    const known = this.#bySocket.get(request.socket);
    const answers = known ?? new Set();
    if (known === undefined) this.#bySocket.set(request.socket, answers);
    answers.add(response);
    response.once('close', () => answers.delete(response));
  }

  /** Whether an answer is under way there of which nothing was sent: its client waits for us. */
  isAwaited(socket: Socket): boolean {
    return [...(this.#bySocket.get(socket) ?? [])].some(({ headersSent }) => !headersSent);
  }

  /** Whether this is the first thing malformed there; Node says it again for all that follows. */
  isFirstFault(socket: Socket): boolean {
    if (this.#ended.has(socket)) return false;
    this.#ended.add(socket);
    return true;
  }

  /**
   * Runs once every whole request has its answer. `hasBegun`: the one whose body is malformed is
   * being answered already.
   */
  afterWholeOnes(socket: Socket, run: (hasBegun: boolean) => void): void {
    const answers = [...(this.#bySocket.get(socket) ?? [])];
    const whole = answers.find(({ req }) => req.complete);
    if (whole === undefined) run(answers.some(({ headersSent }) => headersSent));
    else whole.once('close', () => this.afterWholeOnes(socket, run));
  }
}

type Connection = { readonly socket: Socket; readonly answers: OpenAnswers };

/** Answers a connection whose bytes are no HTTP, then ends it. */
export function answerMalformed(
  deps: { readonly newRequestId: () => string; readonly clock: Pick<Clock, 'after'> },
  { socket, answers }: Connection,
  error: Error & { readonly code?: string },
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  if (!answers.isFirstFault(socket)) return;
  answers.afterWholeOnes(socket, (hasBegun) => {
    if (hasBegun || !socket.writable) {
      socket.destroy();
      return;
    }
    socket.end(answerOf(error.code, deps.newRequestId()));
    const cancel = deps.clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  });
}

/** Node ends a connection that asks for a tunnel, without a word, unless somebody answers it. */
export function answerTunnel(
  deps: Parameters<typeof answerMalformed>[0],
  connection: Connection,
): void {
  answerMalformed(deps, connection, Object.assign(new Error('CONNECT'), { code: TUNNEL_FAULT }));
}

const TUNNEL_FAULT = 'CONNECT';

function answerOf(faultCode: string | undefined, requestId: string): string {
  const { status, message } = problemOf(faultCode);
  const body = errorBody({ status, code: 'bad_request', message, requestId });
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${body.error}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    `x-request-id: ${requestId}`,
    'access-control-allow-origin: *',
    `access-control-expose-headers: ${EXPOSED_HEADERS}`,
    'cache-control: no-store',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}

function problemOf(code: string | undefined): { status: number; message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'The head of the request is too large.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, message: 'The extensions of a chunk are too large.' };
    case TUNNEL_FAULT:
      return { status: 405, message: 'This is no proxy: nothing is tunnelled here.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'The head of the request took too long.' };
    default:
      return { status: 400, message: 'The request is not well-formed HTTP/1.1.' };
  }
}
