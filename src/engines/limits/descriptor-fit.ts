/**
 * How many connections, readers and segments fit into the descriptors that the system gives this
 * process. Without it whoever opens enough connections makes every other open fail.
 */

/**
 * The database, its log, the lock, listeners, threads, and what jobs and backups open meanwhile.
 */
const OWN_DESCRIPTORS = 128;
/** A connection, and the file that its body goes into or comes from; of each of two listeners. */
const DESCRIPTORS_A_CONNECTION = 4;
/**
 * One answer may be of 10,000 blobs; readers beyond these have their files open while they read.
 */
const OPEN_READERS_MAX = 2048;
/** Segments that are kept open though nobody reads them. */
const OPEN_SEGMENTS_MAX = 512;
/** With fewer of each listener a browser or two, or one parallel upload, stop everybody else. */
const CONNECTIONS_MIN = 16;

/** The fewest descriptors with which a server starts. */
export const DESCRIPTORS_MIN = 256;

export type DescriptorFit = {
  /** Of each listener. */
  readonly connectionsMax: number;
  readonly openReadersMax: number;
  readonly openSegmentsMax: number;
};

/**
 * Fits the wanted connections (of each listener; `undefined` is as many as fit) into `descriptors`,
 * which is `undefined` where there is no limit. Answers `undefined` when they are too few to serve.
 */
export function fitDescriptors(
  descriptors: number | undefined,
  wantedConnections: number | undefined,
): DescriptorFit | undefined {
  const whole = { openReadersMax: OPEN_READERS_MAX, openSegmentsMax: OPEN_SEGMENTS_MAX };
  const free = (descriptors ?? Number.POSITIVE_INFINITY) - OWN_DESCRIPTORS;
  const kept = OPEN_READERS_MAX + OPEN_SEGMENTS_MAX;
  const asManyAsFit = Math.floor((free - kept) / DESCRIPTORS_A_CONNECTION);
  const connections = wantedConnections ?? Math.max(OPEN_SEGMENTS_MAX, asManyAsFit);
  if (connections <= asManyAsFit) return { ...whole, connectionsMax: connections };
  if (free < DESCRIPTORS_MIN - OWN_DESCRIPTORS) return undefined;
  const share = free / (kept + DESCRIPTORS_A_CONNECTION * connections);
  const connectionsMax = Math.min(connections, Math.max(CONNECTIONS_MIN, connections * share));
  const rest = (free - DESCRIPTORS_A_CONNECTION * Math.floor(connectionsMax)) / kept;
  return {
    connectionsMax: Math.floor(connectionsMax),
    openReadersMax: Math.floor(OPEN_READERS_MAX * rest),
    openSegmentsMax: Math.max(1, Math.floor(OPEN_SEGMENTS_MAX * rest)),
  };
}

/**
 * What the system gives this process; Node has raised it to the hard limit when it started.
 * `undefined`: no limit.
 */
export function descriptorLimit(): number | undefined {
  const path = ['userLimits', 'open_files', 'soft'];
  const soft = path.reduce<unknown>(fieldOf, process.report.getReport());
  return typeof soft === 'number' ? soft : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return new Map<string, unknown>(Object.entries(value)).get(name);
}
