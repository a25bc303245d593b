/** Runs test files, each in a process of its own, and says a line a file, then every failure. */
import { relative } from 'node:path';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import type { Skip } from './skips.ts';

export type TestOutcome = { readonly isPassed: boolean; readonly skips: readonly Skip[] };

/** One server and one client of a test use a core each, so two files at once fill two. */
const FILES_AT_ONCE = 2;
/**
 * Longer than any test takes on a busy machine, also those that start Python for each step: one
 * that hangs fails by name.
 */
const TEST_TIMEOUT_MS = 4 * 60_000;
const LONG_TEST_TIMEOUT_MS = 60 * 60_000;
const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  `--import=${new URL('end-of-file.ts', import.meta.url).href}`,
];

export async function runTestFiles(
  files: readonly string[],
  options: { readonly root: string; readonly signal: AbortSignal; readonly isLong?: boolean },
): Promise<TestOutcome> {
  const stream = run({
    files,
    concurrency: options.isLong === true ? 1 : FILES_AT_ONCE,
    isolation: 'process',
    execArgv: NODE_FLAGS,
    timeout: options.isLong === true ? LONG_TEST_TIMEOUT_MS : TEST_TIMEOUT_MS,
    signal: options.signal,
    cwd: options.root,
  });
  const reporter = new spec();
  reporter.pipe(process.stdout, { end: false });
  const skips: Skip[] = [];
  let failures = 0;
  for await (const event of stream as AsyncIterable<TestEvent>) {
    const skip = skipOf(event);
    if (skip !== undefined) skips.push(skip);
    if (event.type === 'test:fail') failures += 1;
    const line = fileLine(event, options.root);
    if (line !== undefined) process.stdout.write(line);
    if (!isQuiet(event)) reporter.write(event);
  }
  const ended = Promise.withResolvers<void>();
  reporter.on('end', ended.resolve);
  reporter.end();
  await ended.promise;
  return { isPassed: failures === 0 && !options.signal.aborted, skips };
}

/** What passed is counted a file at a time; naming each would hide what failed. */
function isQuiet({ type }: TestEvent): boolean {
  return type === 'test:pass' || type === 'test:start';
}

function skipOf(event: TestEvent): Skip | undefined {
  if (event.type !== 'test:pass') return undefined;
  const { name, file = '', skip = false } = event.data;
  return skip === false ? undefined : { name, file, reason: skip === true ? '' : skip };
}

function fileLine(event: TestEvent, root: string): string | undefined {
  if (event.type !== 'test:summary') return undefined;
  const { counts, duration_ms: durationMs, file, success } = event.data;
  // The one without a file is the whole run's; the reporter prints that.
  if (file === undefined) return undefined;
  const mark = success ? '✔' : '✖';
  return `${mark} ${relative(root, file)}: ${counts.tests} (${Math.round(durationMs)} ms)\n`;
}
