/** What rows are built for: figures of their own, and how far ahead of the best peer. */

export type Wanted = {
  /** In the row's unit. */
  readonly rate: number;
  /** Processor time a request at most. */
  readonly cpuUsMax?: number;
  /** So many times the best peer in the same run. */
  readonly ahead?: number;
  /** Peers that this does not hold for. */
  readonly aheadNotOf?: readonly string[];
};

/** MiB resident at most: right after the start, and in any row. */
export const MEMORY_WANTED = { idleMib: 120, peakMib: 300 } as const;

/** It sends large files without ever reading them, and so without checking a block. */
const BY_SENDFILE = ['versitygw', 'versitygw-kept'];

/** Shown beside the others; how far to be ahead was wanted of peers with their defaults. */
export const TUNED_PEERS: readonly string[] = ['versitygw-kept'];

/** Two cores, the generator on the same two, durable before the answer. */
const S3_WANTED: Readonly<Record<string, Wanted>> = {
  'put-4KiB-1': { rate: 1500, ahead: 1 },
  'put-4KiB-16': { rate: 10_000, cpuUsMax: 100, ahead: 4 },
  'put-4KiB-64': { rate: 10_000, cpuUsMax: 100, ahead: 4 },
  'get-4KiB-1': { rate: 4000, ahead: 1 },
  'get-4KiB-16': { rate: 20_000, ahead: 4 },
  'get-4KiB-64': { rate: 20_000, ahead: 4 },
  'head-4KiB-16': { rate: 22_000, ahead: 2 },
  'delete-4KiB-16': { rate: 12_000, ahead: 2 },
  'put-64KiB-16': { rate: 3000, ahead: 2 },
  'put-1MiB-8': { rate: 260, ahead: 1 },
  'get-1MiB-8': { rate: 1300, ahead: 1, aheadNotOf: BY_SENDFILE },
  'put-64MiB-1': { rate: 220, ahead: 1 },
  'put-64MiB-4': { rate: 320, ahead: 1 },
  'put-64MiB-unsigned-1': { rate: 350, ahead: 1 },
  'put-64MiB-unsigned-4': { rate: 425, ahead: 1 },
  'get-64MiB-1': { rate: 1500, ahead: 1, aheadNotOf: BY_SENDFILE },
  'get-64MiB-4': { rate: 1700, ahead: 1, aheadNotOf: BY_SENDFILE },
  'list-1000-1': { rate: 200_000, ahead: 3 },
  'list-1000-8': { rate: 320_000, ahead: 3 },
  'list-delimiter-1': { rate: 1000, ahead: 1 },
};

export function wantedOfS3(row: string): Wanted | undefined {
  return S3_WANTED[row];
}
