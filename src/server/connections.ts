/**
 * Who holds connections. One on which a request has proved a credential stays; of the others an
 * address holds so many, and where a listener is full the one goes that is longest without a proof
 * (files-api.md, "Rate limits").
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../core/ports/clock.ts';
import { clientBlock } from '../kit/ip.ts';
import type { Occasions } from '../observe/occasions.ts';

/**
 * A client may open many at once, each of which proves its credential with its first request: so
 * long they may be more, but not more than so many times as many.
 */
const ARRIVAL_MS = 2000;
const ARRIVALS_FACTOR = 4;

export type ConnectionLimits = {
  /** Of one address without a proved credential, on all listeners; `undefined`: no limit. */
  readonly perAddress: number | undefined;
  /** Of one listener; `undefined`: no limit. */
  readonly perListener: number | undefined;
  /** Whether an address is not held to `perAddress`. */
  readonly isFree: (address: string) => boolean;
};

type Connection = {
  readonly socket: Socket;
  /** Whose it is; `undefined`: not counted by address. */
  readonly holder: string | undefined;
  readonly listener: {
    readonly open: Set<Connection>;
    /** Those without a proof, the oldest first. */
    readonly unproved: Set<Connection>;
  };
};

export class Connections {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #occasions: Pick<Occasions, 'warn'>;
  readonly #limits: ConnectionLimits;
  /** By the socket that requests have, which is not the connection's own under TLS. */
  readonly #bySocket = new WeakMap<Socket, Connection>();
  /** Without a proof, by whose they are. */
  readonly #held = new Map<string, number>();

  constructor(
    deps: { readonly clock: Pick<Clock, 'after'>; readonly occasions: Pick<Occasions, 'warn'> },
    limits: ConnectionLimits,
  ) {
    this.#clock = deps.clock;
    this.#occasions = deps.occasions;
    this.#limits = limits;
  }

  /** Holds a listener to the limits; call it once, before it listens. */
  guard(server: Server): void {
    const listener = { open: new Set<Connection>(), unproved: new Set<Connection>() };
    const byEnds = new Map<string, Connection>();
    server.on('connection', (socket: Socket) => {
      const connection = { socket, holder: this.#holderOf(socket), listener };
      const ends = endsOf(socket);
      listener.open.add(connection);
      listener.unproved.add(connection);
      byEnds.set(ends, connection);
      this.#bySocket.set(socket, connection);
      socket.once('close', () => {
        listener.open.delete(connection);
        if (byEnds.get(ends) === connection) byEnds.delete(ends);
        this.#leave(connection);
      });
      this.#countIn(connection);
      this.#makeRoom(connection);
    });
    server.on('secureConnection', (socket: Socket) => {
      const connection = byEnds.get(endsOf(socket));
      if (connection !== undefined) this.#bySocket.set(socket, connection);
    });
  }

  /** A request on it has proved a credential. */
  prove(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection !== undefined) this.#leave(connection);
  }

  /** Where all have proved a credential, the newcomer is the one that has not. */
  #makeRoom({ listener: { open, unproved } }: Connection): void {
    const { perListener } = this.#limits;
    if (perListener === undefined || open.size <= perListener) return;
    const [oldest] = unproved;
    if (oldest !== undefined) this.#cut(oldest, 'connections are all taken; some were cut');
  }

  #countIn(connection: Connection): void {
    const { holder } = connection;
    const { perAddress } = this.#limits;
    if (holder === undefined || perAddress === undefined) return;
    const count = (this.#held.get(holder) ?? 0) + 1;
    this.#held.set(holder, count);
    if (count <= perAddress) return;
    const sentence = 'an address has too many connections without a credential; some were cut';
    if (count > perAddress * ARRIVALS_FACTOR) {
      this.#cut(connection, sentence);
      return;
    }
    const cancel = this.#clock.after(ARRIVAL_MS, () => {
      const isOver = (this.#held.get(holder) ?? 0) > perAddress;
      if (isOver && connection.listener.unproved.has(connection)) this.#cut(connection, sentence);
    });
    connection.socket.once('close', cancel);
  }

  #cut(connection: Connection, sentence: string): void {
    this.#leave(connection);
    connection.listener.open.delete(connection);
    this.#occasions.warn({ address: connection.holder }, sentence);
    connection.socket.destroy();
  }

  /** It is gone, or proved: neither is in anybody's way. */
  #leave(connection: Connection): void {
    const { holder, listener } = connection;
    if (!listener.unproved.delete(connection) || holder === undefined) return;
    const rest = (this.#held.get(holder) ?? 0) - 1;
    if (rest > 0) this.#held.set(holder, rest);
    else this.#held.delete(holder);
  }

  #holderOf({ remoteAddress = '' }: Socket): string | undefined {
    return this.#limits.isFree(remoteAddress) ? undefined : clientBlock(remoteAddress);
  }
}

/** What a connection and the TLS one within it have alike. */
function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
