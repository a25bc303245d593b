/** What is not well-formed HTTP gets an S3 error too, wherever anything can still be said. */
import type { Socket } from 'node:net';
import { xmlDocument } from '../../kit/xml/xml-format.ts';
import { newRequestId } from '../../server/listener/request-id.ts';
import type { S3Deps } from './deps.ts';
import { errorElement, HOST_ID, statusOf } from './wire/answers.ts';
import { S3Refusal } from './wire/s3-refusal.ts';

/** How long a sender of nonsense has to read its answer. */
const LINGER_MS = 1000;

type Deps = Pick<S3Deps, 'random' | 'clock'>;
type Connection = { readonly socket: Socket; readonly isAnswering: boolean };

/** Answers a connection whose bytes are no HTTP, then ends it. */
export function answerNonsense(
  deps: Deps,
  connection: Connection & { readonly isSending: boolean },
  error: NodeJS.ErrnoException,
): void {
  if (error.code === 'ECONNRESET') connection.socket.destroy();
  else endWith(deps, connection, refusalOf(error.code, connection.isSending));
}

/** Answers a CONNECT, which Node hands over as a bare connection, then ends it. */
export function refuseTunnel(deps: Deps, connection: Connection): void {
  endWith(deps, connection, new S3Refusal('MethodNotAllowed', undefined, { Method: 'CONNECT' }));
}

function endWith(deps: Deps, { socket, isAnswering }: Connection, refusal: S3Refusal): void {
  if (!socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  socket.end(answerOf(deps, refusal));
  const cancel = deps.clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', cancel);
}

function refusalOf(code: string | undefined, isSending: boolean): S3Refusal {
  switch (code) {
    case 'HPE_INVALID_EOF_STATE':
      return isSending ? new S3Refusal('IncompleteBody') : malformed();
    case 'HPE_HEADER_OVERFLOW':
      return new S3Refusal('RequestHeaderSectionTooLarge');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new S3Refusal('RequestTimeout');
    default:
      return malformed();
  }
}

function malformed(): S3Refusal {
  return new S3Refusal('BadRequest', 'The request is not well-formed HTTP/1.1.');
}

function answerOf({ random, clock }: Deps, refusal: S3Refusal): string {
  const requestId = newRequestId(random);
  const document = xmlDocument(errorElement(refusal, { resource: '/', requestId }));
  const head = [
    `HTTP/1.1 ${statusOf(refusal)} ${refusal.code}`,
    'content-type: application/xml',
    `content-length: ${Buffer.byteLength(document)}`,
    `x-amz-request-id: ${requestId}`,
    `x-amz-id-2: ${HOST_ID}`,
    `date: ${new Date(clock.now()).toUTCString()}`,
    'server: Pinfold',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${document}`;
}
