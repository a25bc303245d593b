/** A whole run: servers started, rows measured in turn on each of them, and one report. */
import { join } from 'node:path';
import type { Effort } from './effort.ts';
import { measureDisk } from './limits.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { describeMachine } from './machine.ts';
import { Bench, type Sample } from './measure.ts';
import { type Memory, treeMemory } from './process-cost.ts';
import { reportRow, reportTarget } from './report.ts';
import { REPORT_FORM, type Report, type RowReport } from './report-form.ts';
import type { ProtocolName, Row } from './rows.ts';
import { startFloor } from './targets/floor.ts';
import { hasNginx, startNginx } from './targets/nginx.ts';
import { type PeerWord, startPeer } from './targets/peer.ts';
import { PINFOLD_SETTINGS, startPinfold } from './targets/pinfold.ts';
import type { Target } from './targets/target.ts';

export type BenchOptions = {
  readonly root: string;
  readonly protocol: ProtocolName;
  /** For all data of the run; on the disk that is to be measured. */
  readonly directory: string;
  readonly rows: readonly Row[];
  readonly runs: number;
  readonly effort: Effort;
  readonly peers: readonly PeerWord[];
  /** Whether nginx and servers that do nothing are measured too. */
  readonly beside: 'all' | 'none';
};

export type BenchProgress = {
  readonly onNote: (text: string) => void;
  readonly onRow: (row: RowReport) => void;
};

export async function runBench(
  options: BenchOptions,
  progress: BenchProgress,
  { signal }: { readonly signal: AbortSignal },
): Promise<Report> {
  const { root, protocol, directory, effort } = options;
  const startedAt = new Date().toISOString();
  const machine = describeMachine(root, directory);
  const disk = measureDisk(directory, Math.min(effort.runMs, 1000));
  await using stack = new AsyncDisposableStack();
  const { targets, skipped } = await startTargets(options, stack, progress);
  for (const words of skipped) progress.onNote(`SKIPPED: ${words}`);
  const idle = new Map(targets.map((target) => [target.name, memoryOf(target)]));
  // Made last, so that it is the first to go when the run is broken off.
  const generator = stack.use(GeneratorProcess.start());
  signal.addEventListener('abort', () => generator[Symbol.dispose]());
  const bench = new Bench(generator, effort);
  const rows: RowReport[] = [];
  for (const row of options.rows) {
    const reports = await measureRow(bench, { row, targets, runs: options.runs }, { signal });
    rows.push(...reports);
    reports.forEach(progress.onRow);
  }
  return {
    form: REPORT_FORM,
    protocol,
    startedAt,
    machine,
    runs: options.runs,
    secondsPerRun: effort.runMs / 1000,
    settings: PINFOLD_SETTINGS,
    targets: Object.fromEntries(
      targets.map((target) => {
        const { name } = target;
        const peaks = rows.filter((row) => row.target === name).map(({ peakMib }) => peakMib ?? 0);
        const memory = { idle: idle.get(name), after: memoryOf(target) };
        const listedKeys = bench.listedKeys(target);
        return [name, reportTarget(target, listedKeys, memory, Math.max(0, ...peaks))];
      }),
    ),
    skipped,
    disk,
    rows,
  };
}

async function startTargets(
  options: BenchOptions,
  stack: AsyncDisposableStack,
  { onNote }: BenchProgress,
) {
  const { root, protocol, directory, peers, beside } = options;
  const targets: Target[] = [];
  const skipped: string[] = [];
  const ownDirectory = join(directory, 'pinfold');
  const own = { name: 'pinfold', root, directory: ownDirectory, nodeArgs: [], protocol };
  targets.push(stack.use(await startPinfold(own)));
  for (const peer of peers) {
    const at = { protocol, directory: join(directory, `peer-${peer.name}`), onNote };
    targets.push(stack.use(await startPeer(peer, at)));
  }
  if (beside === 'none' || !options.rows.some(({ action }) => action === 'get')) {
    return { targets, skipped };
  }
  if (hasNginx()) targets.push(stack.use(await startNginx(join(directory, 'nginx'))));
  else skipped.push('nginx is not on the PATH (Debian: apt-get install nginx)');
  const [http, loopback] = await startFloor(join(directory, 'floor'));
  targets.push(stack.use(http), loopback);
  return { targets, skipped };
}

function memoryOf({ pid }: Target): Memory | undefined {
  return pid === undefined ? undefined : treeMemory(pid);
}

/** Targets take turns run by run, so that what else the machine does falls on all of them. */
async function measureRow(
  bench: Bench,
  { row, targets, runs }: { row: Row; targets: readonly Target[]; runs: number },
  { signal }: { readonly signal: AbortSignal },
): Promise<readonly RowReport[]> {
  const taking = targets.filter((target) => target.takes(row));
  const samples = new Map<Target, Sample[]>(taking.map((target) => [target, []]));
  for (let run = 0; run < runs; run += 1) {
    for (const [target, taken] of samples) {
      signal.throwIfAborted();
      taken.push(await bench.measure(row, target));
    }
  }
  return [...samples].map(([target, taken]) => reportRow(row, target.name, taken));
}
