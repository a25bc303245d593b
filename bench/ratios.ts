/** How servers stand to ours in the same run, and ours to what it is built for. */
import type { Report, RowReport } from './report-form.ts';
import { tableLines } from './table.ts';
import { MEMORY_WANTED, TUNED_PEERS } from './wanted.ts';

/** Nothing where there is nothing to compare. */
export function ratioTexts(report: Report): readonly string[] {
  return [...peerLines(report), ...wantedLines(report)];
}

const PEER_COLUMNS = ['row', 'server', 'rate', 'p50', 'p99', 'server CPU', 'RSS'];

function peerLines(report: Report): readonly string[] {
  const lines = report.rows.flatMap((row) => {
    const ours = oursOf(report, row.row);
    if (ours === undefined || ours === row) return [];
    return [
      [
        row.row,
        row.target,
        ratio(row.rate.median, ours.rate.median),
        ratio(row.p50Us, ours.p50Us),
        ratio(row.p99Us, ours.p99Us),
        ratio(row.serverCpuUs?.median, ours.serverCpuUs?.median),
        ratio(row.rssMib ?? undefined, ours.rssMib ?? undefined),
      ],
    ];
  });
  if (lines.length === 0) return [];
  return [
    "In units of Pinfold's: less is slower in the rate, and better in what follows it.",
    ...tableLines([PEER_COLUMNS, ...lines]),
    '',
  ];
}

const WANTED_COLUMNS = ['row', '', 'wanted', 'ours', 'best peer', 'wanted', 'ours to it'];

function wantedLines(report: Report): readonly string[] {
  const lines = report.rows
    .filter((row) => report.targets[row.target]?.role === 'ours' && row.wanted !== null)
    .filter((row) => row === oursOf(report, row.row))
    .flatMap((row) => wantedCells(report, row));
  if (lines.length === 0) return [];
  return [
    'What is wanted of Pinfold, and how far ahead of the best peer with its defaults:',
    ...tableLines([WANTED_COLUMNS, ...lines, ...memoryCells(report)]),
    '',
  ];
}

function wantedCells(report: Report, row: RowReport): readonly (readonly string[])[] {
  const { wanted, rate, serverCpuUs } = row;
  if (wanted === null) return [];
  const isReached = rate.median >= wanted.rate;
  const cells = [
    row.row,
    isReached ? 'reached' : 'SHORT',
    `${wanted.rate} ${row.unit}`,
    `${figure(rate.median)} (${ratio(rate.median, wanted.rate)})`,
    ...aheadCells(report, row),
  ];
  const { cpuUsMax } = wanted;
  if (cpuUsMax === undefined || serverCpuUs === null) return [cells];
  const cpu = serverCpuUs.median;
  return [
    cells,
    [
      '  server CPU',
      cpu <= cpuUsMax ? 'reached' : 'OVER',
      `${cpuUsMax} us at most`,
      `${figure(cpu)} (${ratio(cpu, cpuUsMax)})`,
    ],
  ];
}

function aheadCells(report: Report, { row, rate, wanted }: RowReport): readonly string[] {
  const { ahead, aheadNotOf = [] } = wanted ?? {};
  if (ahead === undefined) return [];
  const [best] = report.rows
    .filter((other) => other.row === row && report.targets[other.target]?.role === 'peer')
    .filter(({ target }) => !aheadNotOf.includes(target) && !TUNED_PEERS.includes(target))
    .sort((a, b) => b.rate.median - a.rate.median);
  if (best === undefined) return [];
  const factor = rate.median / best.rate.median;
  const mark = factor >= ahead ? 'reached' : 'SHORT';
  return [
    `${best.target} ${figure(best.rate.median)}`,
    `${ahead}x`,
    `${factor.toFixed(2)}x ${mark}`,
  ];
}

function memoryCells(report: Report): readonly (readonly string[])[] {
  const ours = Object.values(report.targets).find(({ role }) => role === 'ours');
  if (ours === undefined || ours.idleMib === null) return [];
  const { idleMib, peakMib } = MEMORY_WANTED;
  return [
    memoryLine('memory idle', ours.idleMib, idleMib),
    memoryLine('memory at most', ours.peakMib ?? Number.NaN, peakMib),
  ];
}

function memoryLine(name: string, mib: number, mibMax: number): readonly string[] {
  const mark = mib <= mibMax ? 'reached' : 'OVER';
  return [name, mark, `${mibMax} MiB at most`, `${figure(mib)} (${ratio(mib, mibMax)})`];
}

/** The first of ours is this checkout. */
function oursOf({ rows }: Report, name: string): RowReport | undefined {
  return rows.find(({ row }) => row === name);
}

function ratio(value: number | undefined, unit: number | undefined): string {
  if (value === undefined || unit === undefined || unit === 0) return '-';
  return `${(value / unit).toFixed(2)}x`;
}

function figure(value: number): string {
  return value < 20 ? value.toFixed(1) : value.toFixed(0);
}
