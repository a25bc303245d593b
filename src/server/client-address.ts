import type { IncomingMessage } from 'node:http';
import { isInBlocks } from '../kit/ip.ts';

/**
 * Where a request comes from: the nearest hop that is no trusted proxy, as `X-Forwarded-For` names
 * them; the connection's other end where that is not trusted itself. `''` once that is gone.
 */
export function clientAddress(
  { socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>,
  trustedProxies: readonly string[],
): string {
  const peer = socket.remoteAddress ?? '';
  if (trustedProxies.length === 0 || !isInBlocks(peer, trustedProxies)) return peer;
  const { 'x-forwarded-for': forwarded = '' } = headers;
  const hops = String(forwarded)
    .split(',')
    .map((hop) => hop.trim())
    .filter((hop) => hop !== '');
  return hops.findLast((hop) => !isInBlocks(hop, trustedProxies)) ?? hops[0] ?? peer;
}
