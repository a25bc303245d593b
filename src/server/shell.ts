/** What all listeners share of the house around their dialects. */
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../observe/log.ts';
import { Occasions } from '../observe/occasions.ts';
import { ClientAddresses } from './client-address.ts';
import { Connections, freePeersOf } from './connections.ts';

export type Shell = {
  readonly clients: ClientAddresses;
  readonly connections: Connections;
  readonly occasions: Occasions;
};

export type ShellOptions = {
  /** Addresses and CIDR blocks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
  /** Of one listener; `undefined`: no limit. */
  readonly maxConnections: number | undefined;
  /** Without a proved credential; `undefined`: no limit. */
  readonly connectionsPerAddress: number | undefined;
};

export function openShell(
  deps: { readonly clock: Clock; readonly log: Log },
  options: ShellOptions,
): Shell {
  const { trustedProxies } = options;
  const occasions = new Occasions({ log: deps.log, after: (ms, run) => deps.clock.after(ms, run) });
  return {
    occasions,
    clients: new ClientAddresses({ trustedProxies, log: deps.log }),
    connections: new Connections(
      { clock: deps.clock, occasions },
      {
        perAddress: options.connectionsPerAddress,
        perListener: options.maxConnections,
        freePeers: freePeersOf(trustedProxies),
      },
    ),
  };
}
