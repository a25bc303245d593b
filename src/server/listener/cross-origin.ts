/** Browser access: any origin, without credentials (files-api.md, "Service"). */
import type { FastifyReply, FastifyRequest } from 'fastify';

const ALLOWED_HEADERS = [
  'Authorization',
  'X-API-Key',
  'X-Request-Source',
  'X-Cluster',
  'X-CSRF-Token',
  'X-Link-Password',
  'X-User-Id',
  'X-User-App-Key',
  'X-Upload-Id',
  'Payment-Signature',
  // Browser clients of x402 send this name of an answer's header with their requests.
  'Access-Control-Expose-Headers',
  'User-Agent',
  'Content-Type',
  'Cache-Control',
  'Range',
  'If-Range',
  'If-Match',
  'If-None-Match',
  'If-Modified-Since',
  'If-Unmodified-Since',
].join(', ');

export const EXPOSED_HEADERS = [
  'Payment-Required',
  'Payment-Response',
  'Retry-After',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Operation-Id',
  'Location',
  'ETag',
  // Viewers of PDF and download managers read the rest.
  'Accept-Ranges',
  'Content-Range',
  'Content-Length',
  'Content-Encoding',
  'Content-Disposition',
  'Last-Modified',
].join(', ');

const PREFLIGHT_CACHE_SECONDS = '86400';

/** Adds the headers to every answer and answers preflights itself. */
export async function allowAnyOrigin(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  exposeToAnyOrigin(reply);
  const isPreflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  if (!isPreflight) return;
  reply.header('access-control-allow-methods', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  reply.header('access-control-allow-headers', ALLOWED_HEADERS);
  reply.header('access-control-max-age', PREFLIGHT_CACHE_SECONDS);
  await reply.code(204).send();
}

/** Sent to all, also without Origin: a cache must not keep an answer that lacks them. */
export function exposeToAnyOrigin(reply: FastifyReply): void {
  reply.header('access-control-allow-origin', '*');
  reply.header('access-control-expose-headers', EXPOSED_HEADERS);
}
