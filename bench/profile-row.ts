/** `--profile ROW`: the row alone, on a server that samples itself. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Effort } from './effort.ts';
import type { GeneratorProcess } from './load/generator-process.ts';
import { Bench, type Sample } from './measure.ts';
import { summarizeProfiles } from './profile.ts';
import type { ProtocolName, Row } from './rows.ts';
import { startPinfold } from './targets/pinfold.ts';

export type ProfileRun = {
  readonly root: string;
  readonly protocol: ProtocolName;
  /** For the server's data. */
  readonly directory: string;
  /** Where profiles and their summary are kept. */
  readonly resultDirectory: string;
  readonly effort: Effort;
};

/** Often enough for a microsecond a request to show in a few seconds; costs a few percent. */
const SAMPLE_US = 250;
const LINES = 40;

/** The summary; it also stands beside the profiles, which Chromium's developer tools open. */
export async function profileRow(
  generator: GeneratorProcess,
  row: Row,
  run: ProfileRun,
): Promise<string> {
  const { root, directory, resultDirectory } = run;
  mkdirSync(resultDirectory, { recursive: true });
  const sample = await runProfiled(generator, row, run);
  const { load, windowUs } = sample;
  const summary = [
    `${row.name}: ${sample.rate.toFixed(0)} ${row.unit}, p50 ${load.p50Us.toFixed(0)} us, p99 ${load.p99Us.toFixed(0)} us,`,
    `server CPU ${sample.serverCpuUs?.toFixed(1) ?? '?'} us a request with the profiler in it (all threads, and the kernel),`,
    `generator CPU ${sample.generatorCpuUs.toFixed(1)} us. (program) is native code and system calls outside JavaScript.`,
    '',
    summarizeProfiles(resultDirectory, {
      root,
      windows: [{ start: windowUs.start, end: windowUs.end }],
      requests: load.requests,
      lines: LINES,
    }),
  ].join('\n');
  writeFileSync(join(resultDirectory, 'summary.txt'), summary);
  const files = readdirSync(resultDirectory).length;
  return `${summary}\n${files} files in ${directory === resultDirectory ? directory : resultDirectory}\n`;
}

async function runProfiled(
  generator: GeneratorProcess,
  row: Row,
  { root, protocol, directory, resultDirectory, effort }: ProfileRun,
): Promise<Sample> {
  const nodeArgs = [
    '--cpu-prof',
    `--cpu-prof-dir=${resultDirectory}`,
    `--cpu-prof-interval=${SAMPLE_US}`,
  ];
  // The profiles are written when the server ends.
  const line = { name: 'pinfold', root, directory, nodeArgs, protocol };
  await using target = await startPinfold(line);
  return await new Bench(generator, effort).measure(row, target);
}
