/** The rows of the table: what is asked of the server, how large, and on how many connections. */
import type { Action } from './load/plan.ts';
import { type Wanted, wantedOfS3 } from './wanted.ts';

export type Unit = 'ops/s' | 'MiB/s' | 'keys/s' | 'pages/s';

export type Row = {
  readonly name: string;
  readonly action: Action;
  readonly sizeBytes: number;
  readonly connections: number;
  readonly payload: 'signed' | 'unsigned';
  readonly unit: Unit;
  readonly wanted: Wanted | undefined;
};

/** What clients speak in a run: each protocol has rows of its own. */
export type ProtocolName = 'files' | 's3';

const KIB = 1024;
export const MIB = KIB * KIB;

const MIXED_SIZES = [4 * KIB, 64 * KIB, MIB];
/** From here on bytes tell more than requests. */
const BULK_BYTES_MIN = MIB;

const FILES_ROWS: readonly Row[] = [
  ...MIXED_SIZES.flatMap((size) => objectRows('put', size, [1, 16, 64])),
  ...objectRows('put', 64 * MIB, [1, 4]),
  ...MIXED_SIZES.flatMap((size) => objectRows('get', size, [1, 16, 64])),
  ...objectRows('get', 64 * MIB, [1, 4]),
  ...objectRows('head', 4 * KIB, [1, 16, 64]),
  ...objectRows('delete', 4 * KIB, [1, 16, 64]),
  ...listRows('list', [1, 8]),
];

/** The connections are those that the targets name, besides 1, 16 and 64. */
const S3_ROWS: readonly Row[] = [
  ...objectRows('put', 4 * KIB, [1, 16, 64]),
  ...objectRows('put', 64 * KIB, [1, 16, 64]),
  ...objectRows('put', MIB, [1, 8, 16, 64]),
  ...objectRows('put', 64 * MIB, [1, 4]),
  ...objectRows('put', 64 * MIB, [1, 4]).map(asUnsigned),
  ...objectRows('get', 4 * KIB, [1, 16, 64]),
  ...objectRows('get', 64 * KIB, [1, 16, 64]),
  ...objectRows('get', MIB, [1, 8, 16, 64]),
  ...objectRows('get', 64 * MIB, [1, 4]),
  ...objectRows('head', 4 * KIB, [1, 16, 64]),
  ...objectRows('delete', 4 * KIB, [1, 16, 64]),
  ...listRows('list', [1, 8, 16, 64]),
  ...listRows('list-delimiter', [1, 16, 64]),
].map((row) => ({ ...row, wanted: wantedOfS3(row.name) }));

export const ROWS: Readonly<Record<ProtocolName, readonly Row[]>> = {
  files: FILES_ROWS,
  s3: S3_ROWS,
};

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

function objectRows(
  action: Action,
  sizeBytes: number,
  connections: readonly number[],
): readonly Row[] {
  const movesBytes = action === 'put' || action === 'get';
  return connections.map((count) => ({
    name: `${action}-${sizeText(sizeBytes)}-${count}`,
    action,
    sizeBytes,
    connections: count,
    payload: 'signed',
    unit: movesBytes && sizeBytes >= BULK_BYTES_MIN ? 'MiB/s' : 'ops/s',
    wanted: undefined,
  }));
}

function asUnsigned(row: Row): Row {
  const name = row.name.replace(/-(\d+)$/, '-unsigned-$1');
  return { ...row, name, payload: 'unsigned' };
}

/** Pages of 1,000 keys, or one page of the prefixes that all keys share. */
function listRows(
  action: 'list' | 'list-delimiter',
  connections: readonly number[],
): readonly Row[] {
  return connections.map((count) => ({
    name: action === 'list' ? `list-1000-${count}` : `list-delimiter-${count}`,
    action,
    sizeBytes: 0,
    connections: count,
    payload: 'signed',
    unit: action === 'list' ? 'keys/s' : 'pages/s',
    wanted: undefined,
  }));
}
