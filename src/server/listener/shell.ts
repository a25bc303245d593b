/** What all listeners share of the house around their dialects. */
import { UnderWay } from '../../core/objects/write/under-way.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { isLoopback } from '../../kit/ip.ts';
import { SharedRoom } from '../../kit/shared-room.ts';
import type { Log } from '../../observe/log.ts';
import { Occasions } from '../../observe/occasions.ts';
import { BodyWatch } from '../bodies/body-watch.ts';
import { ClientAddresses } from './client-address.ts';
import { Connections } from './connections.ts';

export type Shell = {
  readonly clients: ClientAddresses;
  readonly connections: Connections;
  readonly occasions: Occasions;
  /** Watches the pace of every body. */
  readonly watch: BodyWatch;
  /** Where every small body is gathered, whoever sends it and for whatever. */
  readonly memory: SharedRoom;
  readonly underWay: UnderWay;
};

export type ShellOptions = {
  /** Addresses and CIDR blocks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
  /** Of one listener; `undefined`: no limit. */
  readonly maxConnections: number | undefined;
  /** Without a proved credential; `undefined`: no limit. */
  readonly connectionsPerAddress: number | undefined;
  /** What all small bodies together may take of memory. */
  readonly bodyMemoryBytes: number;
};

export function openShell(
  deps: { readonly clock: Clock; readonly log: Log },
  options: ShellOptions,
): Shell {
  const { trustedProxies } = options;
  const clients = new ClientAddresses({ trustedProxies, log: deps.log });
  const memory = openMemory(options.bodyMemoryBytes);
  const occasions = new Occasions({ log: deps.log, after: (ms, run) => deps.clock.after(ms, run) });
  return {
    occasions,
    watch: new BodyWatch(deps.clock),
    memory,
    underWay: new UnderWay(memory),
    clients,
    connections: new Connections(
      { clock: deps.clock, occasions },
      {
        perAddress: options.connectionsPerAddress,
        perListener: options.maxConnections,
        // Loopback is the machine itself, and a trusted proxy speaks for many.
        isFree: (address) => isLoopback(address) || clients.isTrusted(address),
      },
    ),
  };
}

/** Enough for a sign-in or a change of settings, which nobody else's bodies are in the way of. */
const OWN_BYTES = 4 * 1024;

/** Half of it is the most that one account takes, or one address without a credential. */
function openMemory(sharedBytes: number): SharedRoom {
  return new SharedRoom({ ownBytes: OWN_BYTES, sharedBytes, ownerBytes: sharedBytes / 2 });
}
