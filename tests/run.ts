/**
 * What `npm test` runs: readies what the tests need, checks types and style, runs the test files
 * and answers with the exit code. `--check` only checks, `--long` tries longer and runs tests/long
 * too, `--only PATH` (may be repeated) runs the test files at or below a path.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPrograms, findUnbuilt } from './run/build-programs.ts';
import { runCheck } from './run/check.ts';
import { endLeftProcesses, markProcesses } from './run/left-processes.ts';
import { readyPython } from './run/python.ts';
import { runTestFiles, type TestOutcome } from './run/run-test-files.ts';
import { readAllowedSkips, unexpectedSkips } from './run/skips.ts';
import { installSystemPackages } from './run/system-packages.ts';
import { findTestFiles, isMentioned } from './run/test-files.ts';
import { startPostgres } from './world/postgres.ts';

const ROOT = join(import.meta.dirname, '..');
const TIDY = 'tests/tidy.test.ts';

const { values: options } = parseArgs({
  options: {
    check: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
  },
});

const startedMs = performance.now();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not ask.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

try {
  process.exitCode = (await runAll(interruption.signal)) ? 0 : 1;
} catch (error) {
  if (!interruption.signal.aborted) throw error;
}
if (interruption.signal.aborted) process.exitCode = 130;
say(`${process.exitCode === 0 ? 'passed' : 'FAILED'} in ${seconds(performance.now() - startedMs)}`);

/** Whether everything held. */
async function runAll(signal: AbortSignal): Promise<boolean> {
  const files = findTestFiles(ROOT, { isLong: options.long, only: options.only });
  const isWhole = options.only === undefined;
  if (options.check) {
    const failures = await runChecks(signal);
    const tidy = await runTestFiles([join(ROOT, TIDY)], { root: ROOT, signal });
    return conclude(failures, tidy);
  }
  if (files.length === 0) {
    say(`no test files below ${options.only?.join(', ')}`);
    return false;
  }
  // Changes the machine first, so that everything after it finds the same machine.
  await installSystemPackages(say, { signal });
  const wanted = (module: string) => isMentioned(files, module);
  const checks = isWhole ? runChecks(signal) : Promise.resolve([]);
  if (wanted('world/python.ts')) await readyPython(ROOT, say, { signal });
  await using postgres = wanted('world/postgres.ts') ? await startPostgres() : undefined;
  if (postgres !== undefined) process.env['PINFOLD_TEST_DATABASE_URL'] = postgres.url;
  if (options.long) process.env['PINFOLD_TEST_LONG'] = '1';
  const failures = await checks;
  markProcesses();
  const tests = await runBuilding(files, signal);
  const left = endLeftProcesses();
  for (const command of left) failures.push(`a test left a process running: ${command}`);
  return conclude(failures, tests);
}

/** Runs what needs no compiler while the compilers are at work, and then the rest. */
async function runBuilding(files: readonly string[], signal: AbortSignal): Promise<TestOutcome> {
  const settings = { root: ROOT, signal, isLong: options.long };
  const unbuilt = findUnbuilt(files);
  if (unbuilt.files.length === 0) return await runTestFiles(files, settings);
  const others = files.filter((file) => !unbuilt.files.includes(file));
  const [first] = await Promise.all([
    runTestFiles(others, settings),
    buildPrograms(unbuilt.programs, say, { signal }),
  ]);
  const second = await runTestFiles(unbuilt.files, settings);
  return {
    isPassed: first.isPassed && second.isPassed,
    skips: [...first.skips, ...second.skips],
  };
}

/** What failed, in words; each check's own output is printed as it ends. */
async function runChecks(signal: AbortSignal): Promise<string[]> {
  const outcomes = await Promise.all([
    runCheck({ name: 'types', command: 'tsc', args: ['--noEmit'] }, { root: ROOT, signal }),
    runCheck(
      { name: 'lint', command: 'biome', args: ['ci', '--colors=off', '--error-on-warnings', '.'] },
      { root: ROOT, signal },
    ),
  ]);
  for (const { name, output, isPassed, durationMs } of outcomes) {
    say(`${isPassed ? '✔' : '✖'} ${name} (${seconds(durationMs)})`);
    if (!isPassed) process.stdout.write(output);
  }
  return outcomes.filter(({ isPassed }) => !isPassed).map(({ name }) => `check failed: ${name}`);
}

function conclude(failures: readonly string[], tests: TestOutcome): boolean {
  for (const { file, name, reason } of tests.skips) {
    say(`SKIPPED: ${relative(ROOT, file)}: ${name}: ${reason}`);
  }
  if (tests.skips.length > 0) say(`${tests.skips.length} tests were skipped`);
  const isStrict = process.env['CI'] === 'true';
  const unexpected = isStrict ? unexpectedSkips(tests.skips, readAllowedSkips(ROOT)) : [];
  for (const { name } of unexpected) say(`✖ a skip that tests/allowed-skips.json lacks: ${name}`);
  for (const failure of failures) say(`✖ ${failure}`);
  return tests.isPassed && failures.length === 0 && unexpected.length === 0;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(durationMs: number): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
