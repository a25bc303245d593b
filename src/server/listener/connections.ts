/**
 * Who holds connections. Of those on which no request has proved a credential an address holds so
 * many, and where a listener is full the one goes that is longest without a proof (files-api.md,
 * "Rate limits"). A part of the listener is always left to them: what others hold beyond it gives
 * way, from whoever holds most.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../core/ports/clock.ts';
import { clientBlock } from '../../kit/ip.ts';
import type { Occasions } from '../../observe/occasions.ts';

/**
 * A client may open many at once, each of which proves its credential with its first request: so
 * long they may be more, but not more than so many times as many.
 */
const ARRIVAL_MS = 2000;
const ARRIVALS_FACTOR = 4;

/** One in so many of a listener's places is for those without a proof yet. */
const NEWCOMERS_SHARE = 16;

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
  /** Who proved it last. */
  owner: string | undefined;
  readonly listener: Listener;
};

type Listener = {
  readonly open: Set<Connection>;
  /** Those without a proof, the oldest first. */
  readonly unproved: Set<Connection>;
  /** The others, by who proved them; the one longest without a further proof first. */
  readonly proved: Map<string, Set<Connection>>;
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
    const listener: Listener = { open: new Set(), unproved: new Set(), proved: new Map() };
    const byEnds = new Map<string, Connection>();
    server.on('connection', (socket: Socket) => {
      const holder = this.#holderOf(socket);
      const connection: Connection = { socket, holder, owner: undefined, listener };
      const ends = endsOf(socket);
      listener.open.add(connection);
      listener.unproved.add(connection);
      byEnds.set(ends, connection);
      this.#bySocket.set(socket, connection);
      socket.once('close', () => {
        listener.open.delete(connection);
        disown(connection);
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

  /** A request on it has proved a credential, which is `owner`'s. */
  prove(socket: Socket, owner: string): void {
    const connection = this.#bySocket.get(socket);
    // What was cut may still have a request under way.
    if (connection === undefined || !connection.listener.open.has(connection)) return;
    this.#leave(connection);
    own(connection, owner);
  }

  /** Where each of the others has but one connection, the newcomer is the one too many. */
  #makeRoom({ listener }: Connection): void {
    const { perListener } = this.#limits;
    if (perListener === undefined || listener.open.size <= perListener) return;
    const isTheirs = listener.unproved.size <= Math.max(1, perListener / NEWCOMERS_SHARE);
    const [oldest] = listener.unproved;
    const one = (isTheirs ? oldestOfLargest(listener) : undefined) ?? oldest;
    if (one !== undefined) this.#cut(one, 'connections are all taken; some were cut');
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
    disown(connection);
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

function own(connection: Connection, owner: string): void {
  disown(connection);
  const { proved } = connection.listener;
  const owned = proved.get(owner) ?? new Set();
  connection.owner = owner;
  proved.set(owner, owned.add(connection));
}

function disown(connection: Connection): void {
  const { owner, listener } = connection;
  if (owner === undefined) return;
  const owned = listener.proved.get(owner);
  owned?.delete(connection);
  if (owned?.size === 0) listener.proved.delete(owner);
  connection.owner = undefined;
}

/** Of whoever holds most, and more than one, the connection longest without a further proof. */
function oldestOfLargest({ proved }: Listener): Connection | undefined {
  let largest: ReadonlySet<Connection> | undefined;
  for (const owned of proved.values()) {
    if (owned.size > (largest?.size ?? 1)) largest = owned;
  }
  const [oldest] = largest ?? [];
  return oldest;
}

/** What a connection and the TLS one within it have alike. */
function endsOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
