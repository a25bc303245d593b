/** What is not well-formed HTTP gets the error shape too, wherever anything can still be said. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../core/ports/clock.ts';
import type { Random } from '../core/ports/random.ts';
import { newRequestId } from './request-id.ts';
import { errorBody } from './rest-errors.ts';

/** How long a sender of nonsense has to read its answer. */
const LINGER_MS = 1000;

/** Knows which answers are under way on a connection: nothing may be written in between. */
export class OpenAnswers {
  readonly #bySocket = new WeakMap<Socket, Set<ServerResponse>>();

  add(request: IncomingMessage, response: ServerResponse): void {
    const known = this.#bySocket.get(request.socket);
    const answers = known ?? new Set();
    if (known === undefined) this.#bySocket.set(request.socket, answers);
    answers.add(response);
    response.once('close', () => answers.delete(response));
  }

  /** Whether the next bytes on the connection would be read as the answer to what was malformed. */
  isFree(socket: Socket): boolean {
    const answers = [...(this.#bySocket.get(socket) ?? [])];
    return answers.every(({ headersSent, req }) => !headersSent && !req.complete);
  }
}

/** Answers a connection whose bytes are no HTTP, then ends it. */
export function answerMalformed(
  deps: { readonly random: Random; readonly clock: Pick<Clock, 'after'> },
  connection: { readonly socket: Socket; readonly answers: OpenAnswers },
  error: Error & { readonly code?: string },
): void {
  const { socket, answers } = connection;
  if (error.code === 'ECONNRESET' || !socket.writable || !answers.isFree(socket)) {
    socket.destroy();
    return;
  }
  const { status, message } = problemOf(error.code);
  const requestId = newRequestId(deps.random);
  const body = errorBody({ status, code: 'bad_request', message, requestId });
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${body.error}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    `x-request-id: ${requestId}`,
    'access-control-allow-origin: *',
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  const cancel = deps.clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}

function problemOf(code: string | undefined): { status: number; message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, message: 'The head of the request is too large.' };
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return { status: 413, message: 'The extensions of a chunk are too large.' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, message: 'The head of the request took too long.' };
    default:
      return { status: 400, message: 'The request is not well-formed HTTP/1.1.' };
  }
}
