/**
 * What the head of a request must say of where it ends and whom it is for, one answer for every
 * listener: servers and proxies that differ on it take one request for two (RFC 9112, sections 3.2,
 * 6.1 and 11.2).
 */
import type { IncomingMessage } from 'node:http';

/** Checks that Node answers in its own words, and not alike in every listener, are off. */
export const FRAMING_OPTIONS = { requireHostHeader: false, insecureHTTPParser: false } as const;

export type FramingFault = 'no_host' | 'two_hosts' | 'old_coding' | 'unknown_coding';

/** What is said of a fault, and with which status; the connection ends in every case. */
export const FRAMING_ANSWERS: Readonly<
  Record<FramingFault, { readonly status: 400 | 501; readonly message: string }>
> = {
  no_host: { status: 400, message: 'The request has no Host.' },
  two_hosts: { status: 400, message: 'The request has more than one Host.' },
  old_coding: { status: 400, message: 'HTTP/1.0 has no Transfer-Encoding.' },
  unknown_coding: {
    status: 501,
    message: 'The only transfer coding understood is chunked.',
  },
};

export function findFramingFault(
  request: Pick<IncomingMessage, 'httpVersion' | 'headers' | 'rawHeaders'>,
): FramingFault | undefined {
  const isOld = request.httpVersion === '1.0';
  const hosts = countHosts(request.rawHeaders);
  if (hosts > 1) return 'two_hosts';
  if (hosts === 0 && !isOld) return 'no_host';
  const coding = request.headers['transfer-encoding'];
  if (coding === undefined) return undefined;
  if (isOld) return 'old_coding';
  return coding.trim().toLowerCase() === 'chunked' ? undefined : 'unknown_coding';
}

/** Node keeps the first only, and proxies may go by the last. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}
