/** The rows of the table: what is asked of the server, how large, and on how many connections. */
import type { Action } from './load/plan.ts';

export type Unit = 'ops/s' | 'MiB/s' | 'keys/s';

export type Row = {
  readonly name: string;
  readonly action: Action;
  readonly sizeBytes: number;
  readonly connections: number;
  readonly unit: Unit;
};

const KIB = 1024;
export const MIB = KIB * KIB;

const MIXED_SIZES = [4 * KIB, 64 * KIB, MIB];
/** From here on bytes tell more than requests. */
const BULK_BYTES_MIN = MIB;

export const FILES_ROWS: readonly Row[] = [
  ...MIXED_SIZES.flatMap((size) => [1, 16, 64].map((count) => objectRow('put', size, count))),
  ...[1, 4].map((count) => objectRow('put', 64 * MIB, count)),
  ...MIXED_SIZES.flatMap((size) => [1, 16, 64].map((count) => objectRow('get', size, count))),
  ...[1, 4].map((count) => objectRow('get', 64 * MIB, count)),
  ...[1, 16, 64].map((count) => objectRow('head', 4 * KIB, count)),
  ...[1, 16, 64].map((count) => objectRow('delete', 4 * KIB, count)),
  ...[1, 8].map(listRow),
];

/** Rows whose name is one of `only` or begins with one; throws for a word that names none. */
export function selectRows(rows: readonly Row[], only: readonly string[]): readonly Row[] {
  for (const word of only) {
    if (rows.some((row) => isNamed(row, word))) continue;
    throw new Error(`No row is called ${word}. Rows: ${rows.map(({ name }) => name).join(' ')}`);
  }
  return only.length === 0 ? rows : rows.filter((row) => only.some((word) => isNamed(row, word)));
}

export function sizeText(sizeBytes: number): string {
  if (sizeBytes % MIB === 0) return `${sizeBytes / MIB}MiB`;
  return sizeBytes % KIB === 0 ? `${sizeBytes / KIB}KiB` : `${sizeBytes}B`;
}

function isNamed(row: Row, word: string): boolean {
  return row.name === word || row.name.startsWith(`${word}-`);
}

function objectRow(action: Action, sizeBytes: number, connections: number): Row {
  const movesBytes = action === 'put' || action === 'get';
  return {
    name: `${action}-${sizeText(sizeBytes)}-${connections}`,
    action,
    sizeBytes,
    connections,
    unit: movesBytes && sizeBytes >= BULK_BYTES_MIN ? 'MiB/s' : 'ops/s',
  };
}

function listRow(connections: number): Row {
  return {
    name: `list-1000-${connections}`,
    action: 'list',
    sizeBytes: 0,
    connections,
    unit: 'keys/s',
  };
}
