/** What all listeners share of the house around their dialects. */
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../observe/log.ts';
import { ClientAddresses } from './client-address.ts';

export type Shell = {
  readonly clients: ClientAddresses;
};

export type ShellOptions = {
  /** Addresses and CIDR blocks whose `X-Forwarded-*` is believed. */
  readonly trustedProxies: readonly string[];
};

export function openShell(
  deps: { readonly clock: Clock; readonly log: Log },
  options: ShellOptions,
): Shell {
  return {
    clients: new ClientAddresses({ trustedProxies: options.trustedProxies, log: deps.log }),
  };
}
