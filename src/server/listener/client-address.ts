/** Where requests come from: one answer for every listener, log line and counter. */
import type { IncomingMessage } from 'node:http';
import { canonicalAddress, isInBlocks } from '../../kit/ip.ts';
import type { Log } from '../../observe/log.ts';

export type Arrival = Pick<IncomingMessage, 'socket' | 'headers'>;

/** What a proxy says of the one before it. */
const FORWARDING = ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'] as const;

export class ClientAddresses {
  readonly #trustedProxies: readonly string[];
  readonly #log: Pick<Log, 'warn'>;
  #hasWarned = false;

  /** `trustedProxies`: addresses and CIDR blocks whose `X-Forwarded-*` is believed. */
  constructor(options: {
    readonly trustedProxies: readonly string[];
    readonly log: Pick<Log, 'warn'>;
  }) {
    this.#trustedProxies = options.trustedProxies;
    this.#log = options.log;
  }

  /**
   * The nearest hop that is no trusted proxy, as `X-Forwarded-For` names them; the connection's
   * other end where that is not trusted itself, or where what it names is no address. Canonical;
   * `''` once the connection is gone.
   */
  of({ socket, headers }: Arrival): string {
    const text = socket.remoteAddress ?? '';
    const peer = canonicalAddress(text) ?? text;
    if (!this.isTrusted(peer)) {
      if (!this.#hasWarned) this.#warnOf(peer, headers);
      return peer;
    }
    const { 'x-forwarded-for': forwarded = '' } = headers;
    const hops = String(forwarded)
      .split(',')
      .map((hop) => withoutPort(hop.trim()))
      .filter((hop) => hop !== '');
    const hop = hops.findLast((name) => !this.isTrusted(name)) ?? hops[0];
    return hop === undefined ? peer : (canonicalAddress(hop) ?? peer);
  }

  /** Whether an address is a trusted proxy's. */
  isTrusted(address: string): boolean {
    return this.#trustedProxies.length > 0 && isInBlocks(address, this.#trustedProxies);
  }

  /** Behind a proxy that nobody declared all clients are one, and share its limits. */
  #warnOf(peer: string, headers: Arrival['headers']): void {
    const field = FORWARDING.find((name) => headers[name] !== undefined);
    if (field === undefined) return;
    this.#hasWarned = true;
    this.#log.warn(
      { peer, field, setting: 'PINFOLD_TRUSTED_PROXIES' },
      'a proxy that is not declared forwards requests; its clients are counted as one',
    );
  }
}

/** Some proxies name the client's port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const named = /^(?<v4>[\d.]+):\d+$|^\[(?<v6>[^\]]*)\](?::\d+)?$/.exec(hop)?.groups;
  return named?.['v4'] ?? named?.['v6'] ?? hop;
}
