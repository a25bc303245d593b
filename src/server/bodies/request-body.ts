/** A request's body as a source of bytes, with back-pressure and nothing gathered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ServiceError } from '../../core/errors.ts';
import type { ByteSource } from '../../core/ports/byte-source.ts';
import type { BodyPace, BodyTerms, BodyWatch } from './body-watch.ts';

/** The body is read at the pace that `watch` holds its sender to, throwing `body_too_slow`. */
export function requestBody(
  request: IncomingMessage,
  watch: BodyWatch,
  terms: BodyTerms = {},
): ByteSource {
  return {
    declaredBytes: declaredLength(request),
    pipeTo: (sink) =>
      new Promise<void>((resolve, reject) => {
        const finish = (error?: unknown) => {
          request.off('data', take);
          request.off('end', end);
          request.off('error', lose);
          request.off('close', lose);
          pace?.end();
          if (error === undefined) resolve();
          else reject(error);
        };
        let pace: BodyPace | undefined;
        let taking: Promise<void> | undefined;
        const take = (chunk: Buffer) => {
          pace?.add(chunk.byteLength);
          try {
            const wait = sink(chunk);
            taking = wait;
            if (wait === undefined) return;
            request.pause();
            wait.then(() => request.resume(), finish);
          } catch (error) {
            finish(error);
          }
        };
        // A stream that has all of its bytes ends behind the last of them, paused or not.
        const end = () => {
          request.off('close', lose);
          pace?.end();
          if (taking === undefined) finish();
          else taking.then(() => finish(), finish);
        };
        const lose = () =>
          finish(new ServiceError('incomplete_body', 'The body ended before its declared length.'));
        if (request.destroyed && !request.readableEnded) return lose();
        if (request.readableEnded) return finish();
        pace = watch.begin({ ...terms, isReady: () => !request.isPaused(), fail: finish });
        request.on('data', take);
        request.on('end', end);
        request.on('error', lose);
        request.on('close', lose);
      }),
  };
}

/** `Content-Length` as Node's parser has checked it; 0 when there is no body at all. */
function declaredLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  if (length !== undefined) return Number(length);
  return request.headers['transfer-encoding'] === undefined ? 0 : undefined;
}

/** How much of a refused body is read and dropped so that its sender sees the answer. */
const DRAIN_BYTES_MAX = 4 * 1024 * 1024;
const DRAIN_MS_MAX = 2000;

/** Whether a refused body will be read off to its end, so that its connection is good for more. */
export function isDrainable({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? Number.POSITIVE_INFINITY) <= DRAIN_BYTES_MAX;
}

/**
 * Ends a connection whose request was answered before all of its body came, unless the rest comes
 * soon: nobody reads it, and nobody else would look at how long it takes.
 */
export function boundRest(
  request: IncomingMessage,
  response: ServerResponse,
  after: (ms: number, run: () => void) => () => void,
): void {
  response.once('close', () => {
    const { socket } = request;
    if (request.complete || socket.destroyed) return;
    const cancel = after(DRAIN_MS_MAX, () => request.complete || socket.destroy());
    // The socket may serve many more requests.
    const rest = () => {
      cancel();
      socket.off('close', rest);
    };
    request.once('end', rest);
    socket.once('close', rest);
  });
}

/**
 * Reads off what is left of a body that was refused: a socket closed on unread bytes is reset, and
 * the sender would never see why. What sends more than that is cut off. Calls `onEnd` when all of
 * it came.
 */
export function drainBody(
  request: IncomingMessage,
  after: (ms: number, run: () => void) => () => void,
  onEnd: () => void = () => undefined,
): void {
  if (request.readableEnded || request.destroyed) {
    onEnd();
    return;
  }
  let drained = 0;
  const cut = () => request.socket.destroy();
  const cancel = after(DRAIN_MS_MAX, cut);
  request.on('data', (chunk: Buffer) => {
    drained += chunk.length;
    if (drained > DRAIN_BYTES_MAX) cut();
  });
  request.once('end', cancel);
  request.once('end', onEnd);
  request.once('close', cancel);
  request.on('error', () => undefined);
  request.resume();
}
