/**
 * What clients are told of where a listener is: what the operator says, or, where a server listens
 * on its own machine alone, the name by which the client found it.
 */
import type { IncomingMessage } from 'node:http';
import type { ClientAddresses } from './client-address.ts';

export type Asked = Pick<IncomingMessage, 'headers' | 'socket'>;

/** An origin without a slash at its end; of one request, or in general. */
export type PublicOrigin = (asked?: Asked) => string;

export type OriginOptions = {
  /** What is told in general. */
  readonly origin: () => string;
  /** Whether the operator chose it, or clients elsewhere reach the listener too. */
  readonly isFixed: boolean;
  readonly isTls: boolean;
  readonly clients: Pick<ClientAddresses, 'isTrusted'>;
};

/** Tells the origin of the listener that was asked. */
export function publicOrigin({ origin, isFixed, isTls, clients }: OriginOptions): PublicOrigin {
  return (asked) => {
    const host = asked?.headers.host;
    if (isFixed || asked === undefined || host === undefined || !HOST.test(host)) return origin();
    // A proxy on this machine may speak TLS for us.
    const isTrusted = clients.isTrusted(asked.socket.remoteAddress ?? '');
    const isForwarded = isTrusted && asked.headers['x-forwarded-proto'] === 'https';
    return `${isTls || isForwarded ? 'https' : 'http'}://${host.toLowerCase()}`;
  };
}

/**
 * Tells the origin of another listener of the same server to who asked this one: the same name, if
 * it was asked with its own port and not through something in between.
 */
export function neighbourOrigin(
  options: OriginOptions,
  ports: { readonly own: () => number; readonly other: () => number },
): PublicOrigin {
  const told = publicOrigin(options);
  return (asked) => {
    const own = `:${ports.own()}`;
    const url = told(asked);
    if (asked?.headers.host?.endsWith(own) !== true || !url.endsWith(own)) return options.origin();
    return `${url.slice(0, -own.length)}:${ports.other()}`;
  };
}

/** A name or an address, perhaps with a port; nothing that could be more than a host in a URL. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]{0,252})|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;
