/** What a run of the benchmarks gives: one document, shown as a table. */
import type { Sample } from './measure.ts';
import type { Memory } from './process-cost.ts';
import { ratioTexts } from './ratios.ts';
import type { Report, RowReport, Spread, TargetReport } from './report-form.ts';
import type { Row } from './rows.ts';
import { tableLines } from './table.ts';

export function reportRow(row: Row, target: string, samples: readonly Sample[]): RowReport {
  const of = (read: (sample: Sample) => number | undefined) =>
    samples.map(read).filter((value) => value !== undefined);
  const cpu = of((sample) => sample.serverCpuUs);
  const others = of((sample) => sample.otherCores);
  const memory = of((sample) => sample.memory?.rssMib);
  const sum = (read: (sample: Sample) => number) =>
    samples.reduce((total, sample) => total + read(sample), 0);
  return {
    row: row.name,
    target,
    unit: row.unit,
    connections: row.connections,
    rate: spread(of((sample) => sample.rate)),
    wanted: row.wanted ?? null,
    p50Us: rounded(median(of((sample) => sample.load.p50Us))),
    p99Us: rounded(median(of((sample) => sample.load.p99Us))),
    serverCpuUs: cpu.length === 0 ? null : spread(cpu),
    generatorCpuUs: rounded(median(of((sample) => sample.generatorCpuUs))),
    otherCores: others.length === 0 ? null : rounded(median(others)),
    rssMib: memory.length === 0 ? null : rounded(memory.at(-1) ?? 0),
    peakMib:
      memory.length === 0 ? null : rounded(Math.max(...of((sample) => sample.memory?.peakMib))),
    requests: sum((sample) => sample.load.requests),
    comparedAnswers: sum((sample) => sample.load.comparedAnswers),
    failures: sum((sample) => sample.load.failures),
    failureTexts: [...new Set(samples.flatMap((sample) => sample.load.failureTexts))],
  };
}

const COLUMNS = [
  'row',
  'server',
  'rate',
  'min-max',
  'to ours',
  'p50 us',
  'p99 us',
  'server CPU us',
  'generator',
  'others',
  'RSS/peak MiB',
] as const;

/** Lines as the rows come in, then all of them in columns. */
export function rowLine(row: RowReport): string {
  return cellsOf(row, undefined).filter(Boolean).join('  ');
}

export function reportText(report: Report): string {
  const { machine, disk } = report;
  const cells = [COLUMNS, ...report.rows.map((row) => cellsOf(row, oursOf(report, row)))];
  const load = machine.loadAverage.join(' ');
  const change = machine.isChanged ? ' with changes' : '';
  return [
    `${machine.cores} cores ${machine.cpu}, ${machine.memoryGib} GiB, ${machine.kernel}, ${machine.disk}`,
    `Node ${machine.node}, commit ${machine.commit.slice(0, 12)}${change}, load average ${load}`,
    `Medians of ${report.runs} runs of ${report.secondsPerRun} s; server and generator share the cores; reads come from the page cache.`,
    `Set: ${Object.entries(report.settings)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    '',
    ...tableLines(cells),
    '',
    ...ratioTexts(report),
    `The disk alone: ${disk.syncsPerSecond.toFixed(0)} appends of 4 KiB with fdatasync a second, p50 ${disk.p50Us.toFixed(0)} us, p99 ${disk.p99Us.toFixed(0)} us.`,
    ...Object.entries(report.targets).map(([name, target]) => targetText(name, target)),
    ...report.skipped.map((words) => `SKIPPED: ${words}`),
    ...report.rows
      .filter(({ failures }) => failures > 0)
      .map(({ row, target, failures, failureTexts }) => {
        return `FAILED: ${row} ${target}: ${failures} answers were wrong: ${failureTexts.join('; ')}`;
      }),
    '',
  ].join('\n');
}

export function reportTarget(
  { words, role }: Pick<TargetReport, 'words' | 'role'>,
  listedKeys: number,
  memory: { readonly idle: Memory | undefined; readonly after: Memory | undefined },
  peakMib: number,
): TargetReport {
  return {
    words,
    role,
    listedKeys,
    idleMib: memory.idle === undefined ? null : rounded(memory.idle.rssMib),
    afterMib: memory.after === undefined ? null : rounded(memory.after.rssMib),
    peakMib: memory.after === undefined ? null : rounded(peakMib),
  };
}

function targetText(name: string, target: TargetReport): string {
  const { words, idleMib, afterMib, peakMib, listedKeys, role } = target;
  const mib = [idleMib, afterMib, peakMib].map((value) => round(value ?? Number.NaN)).join(' / ');
  const memory = idleMib === null ? '' : `; ${mib} MiB resident idle / after the run / at most`;
  const keys = role === 'floor' ? '' : `; ${listedKeys} keys listed`;
  return `${name}: ${words}${memory}${keys}.`;
}

/** Our own figure of the same row, which others are set against; undefined for ours itself. */
function oursOf(report: Report, row: RowReport): RowReport | undefined {
  const ours = report.rows.find((other) => other.row === row.row);
  return ours === row ? undefined : ours;
}

function cellsOf(row: RowReport, ours: RowReport | undefined): readonly string[] {
  const { rate, serverCpuUs: cpu } = row;
  return [
    row.row,
    row.target,
    `${round(rate.median)} ${row.unit}`,
    `${round(rate.min)}-${round(rate.max)}`,
    ours === undefined ? '' : `${(rate.median / ours.rate.median).toFixed(2)}x`,
    round(row.p50Us),
    round(row.p99Us),
    cpu === null ? '-' : `${round(cpu.median)} (${round(cpu.min)}-${round(cpu.max)})`,
    round(row.generatorCpuUs),
    row.otherCores === null ? '-' : row.otherCores.toFixed(2),
    row.rssMib === null ? '-' : `${round(row.rssMib)}/${round(row.peakMib ?? 0)}`,
  ];
}

/** Three digits are more than the noise leaves. */
function round(value: number): string {
  return value < 20 ? value.toFixed(1) : value.toFixed(0);
}

function spread(values: readonly number[]): Spread {
  return {
    median: rounded(median(values)),
    min: rounded(Math.min(...values)),
    max: rounded(Math.max(...values)),
  };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
