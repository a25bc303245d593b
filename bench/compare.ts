/** A report beside an older one: ratios, and what became slower. It never decides anything. */
import { REPORT_FORM, type Report, type RowReport } from './report-form.ts';

/** Less than this is what a machine does by itself. */
const REGRESSION = 0.1;

export function compareReports(report: Report, baseline: Report): string {
  // Reports of before S3 name no protocol.
  if ((baseline.protocol ?? 'files') !== report.protocol) {
    return `The baseline is of ${baseline.protocol ?? 'files'} and cannot be compared.\n`;
  }
  if (baseline.form !== REPORT_FORM) {
    return `The baseline is of another form (${baseline.form}) and cannot be compared.\n`;
  }
  const old = new Map(baseline.rows.map((row) => [keyOf(row), row]));
  const lines = report.rows.flatMap((row) => {
    const before = old.get(keyOf(row));
    return before === undefined ? [] : [compareRow(row, before)];
  });
  const regressions = lines.filter(({ isRegression }) => isRegression);
  return [
    `Against ${baseline.machine.commit.slice(0, 12)} of ${baseline.startedAt} (1.00 is as before):`,
    'row and server                    rate   server CPU    p99',
    ...lines.map(({ text }) => text),
    machinesDiffer(report, baseline)
      ? 'NOTE: the machines differ, so the ratios say little.'
      : `${regressions.length} of ${lines.length} rows are over 10 % slower or costlier.`,
    '',
  ].join('\n');
}

function compareRow(row: RowReport, before: RowReport) {
  const rate = row.rate.median / before.rate.median;
  const cpu =
    row.serverCpuUs === null || before.serverCpuUs === null
      ? undefined
      : row.serverCpuUs.median / before.serverCpuUs.median;
  const isSlower = rate < 1 - REGRESSION;
  const isCostlier = cpu !== undefined && cpu > 1 + REGRESSION;
  const isRegression = isSlower || isCostlier;
  // Runs of both that overlap may be the machine's doing.
  const isSure = isSlower && row.rate.max < before.rate.min;
  const mark = isRegression ? `  ${isSure || isCostlier ? 'SLOWER' : 'slower?'}` : '';
  const text = [
    keyOf(row).padEnd(32),
    rate.toFixed(2).padStart(6),
    (cpu?.toFixed(2) ?? '-').padStart(12),
    (row.p99Us / before.p99Us).toFixed(2).padStart(6),
  ].join(' ');
  return { isRegression, text: `${text}${mark}` };
}

function keyOf({ row, target }: RowReport): string {
  return `${row} ${target}`;
}

function machinesDiffer(report: Report, baseline: Report): boolean {
  const { machine: a } = report;
  const { machine: b } = baseline;
  return a.cores !== b.cores || a.cpu !== b.cpu || a.memoryGib !== b.memoryGib;
}
