/** Bytes on their way out: heads late, so that a damaged first block is still an error answer. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { ServiceError } from '../../core/errors.ts';
import type { ByteSink } from '../../core/ports/blob-store.ts';

export type ByteAnswer = {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  /** Exactly how many bytes follow. */
  readonly lengthBytes: number;
  /** Called when the head is written; a failure before it can still be answered. */
  readonly onHead: () => void;
};

/**
 * Streams an answer of known length. `produce` sends all of it through the sink; the head goes out
 * with the first chunk, and a failure after that destroys the connection, so that a cut answer
 * never looks whole. Answers how it went: what `produce` threw before the head is thrown on, what
 * came later is `failure`. `sentBytes` were handed to the system.
 */
export async function sendBytes(
  response: ServerResponse,
  answer: ByteAnswer,
  produce: (sink: ByteSink) => Promise<void>,
): Promise<{ readonly sentBytes: number; readonly failure: unknown }> {
  let sentBytes = 0;
  let onClose: (() => void) | undefined;
  // A reader that leaves makes the sink fail, and that ends the producer; no signal is needed.
  const closed = () => {
    if (!response.writableFinished) onClose?.();
  };
  response.once('close', closed);
  const writeHead = () => {
    response.writeHead(answer.status, { ...answer.headers, 'content-length': answer.lengthBytes });
    answer.onHead();
  };
  const sink: ByteSink = (chunk) => {
    if (!response.headersSent) writeHead();
    return new Promise<void>((resolve, reject) => {
      onClose = () => reject(new ServiceError('aborted', 'The reader went away.'));
      if (response.destroyed) return onClose();
      const done = (error?: Error | null) => {
        if (error)
          return reject(new ServiceError('aborted', 'The reader went away.', { cause: error }));
        sentBytes += chunk.byteLength;
        resolve();
      };
      const isLast = sentBytes + chunk.byteLength === answer.lengthBytes;
      // Ending with the last chunk sends head and body of a small object in one write.
      if (isLast) response.end(chunk, done);
      else response.write(chunk, done);
    });
  };
  try {
    await produce(sink);
    if (!response.headersSent) {
      writeHead();
      response.end();
    }
    return { sentBytes, failure: undefined };
  } catch (error) {
    if (!response.headersSent) throw error;
    response.destroy();
    return { sentBytes, failure: error };
  } finally {
    response.off('close', closed);
  }
}
