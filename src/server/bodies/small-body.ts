/** The small body of a REST request, for whatever it is read: within its time, in shared memory. */
import type { FastifyRequest } from 'fastify';
import { limitKey } from '../../core/ids.ts';
import { JSON_BODY_BYTES_MAX } from '../../core/limits.ts';
import type { Shell } from '../listener/shell.ts';
import { JSON_TERMS } from './body-watch.ts';
import { gatherBody } from './gather-body.ts';
import { requestBody } from './request-body.ts';

/** Answers what `read` makes of the body. Throws as it and `gatherBody` do, and `body_too_slow`. */
export async function readSmallBody<T>(
  deps: Pick<Shell, 'watch' | 'memory'>,
  request: FastifyRequest,
  read: (body: Buffer) => T,
): Promise<T> {
  const { principal, clientAddress: address } = request;
  const share = deps.memory.open(principal?.accountId ?? limitKey({ address }));
  try {
    const source = requestBody(request.raw, deps.watch, JSON_TERMS);
    return read(await gatherBody(source, { sizeBytesMax: JSON_BODY_BYTES_MAX, share }));
  } finally {
    share.end();
  }
}
