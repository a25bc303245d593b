/** What is not well-formed HTTP gets an S3 error too, wherever anything can still be said. */
import type { Socket } from 'node:net';
import { xmlDocument } from '../../kit/xml/xml-format.ts';
import { newRequestId } from '../../server/request-id.ts';
import type { S3Deps } from './deps.ts';
import { errorElement, HOST_ID, statusOf } from './wire/answers.ts';
import { S3Refusal } from './wire/s3-refusal.ts';

/** How long a sender of nonsense has to read its answer. */
const LINGER_MS = 1000;

/** Answers a connection whose bytes are no HTTP, then ends it. */
export function answerNonsense(
  deps: Pick<S3Deps, 'random' | 'clock'>,
  connection: {
    readonly socket: Socket;
    readonly isAnswering: boolean;
    readonly isSending: boolean;
  },
  error: NodeJS.ErrnoException,
): void {
  const { socket, isAnswering, isSending } = connection;
  if (error.code === 'ECONNRESET' || !socket.writable || isAnswering) {
    socket.destroy();
    return;
  }
  socket.end(answerOf(refusalOf(error.code, isSending), newRequestId(deps.random)));
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

function answerOf(refusal: S3Refusal, requestId: string): string {
  const document = xmlDocument(errorElement(refusal, { resource: '/', requestId }));
  const head = [
    `HTTP/1.1 ${statusOf(refusal)} ${refusal.code}`,
    'content-type: application/xml',
    `content-length: ${Buffer.byteLength(document)}`,
    `x-amz-request-id: ${requestId}`,
    `x-amz-id-2: ${HOST_ID}`,
    'server: Pinfold',
    'connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${document}`;
}
