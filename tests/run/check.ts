/** Runs one of the tools that check the source, and gathers what it says. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type Check = {
  readonly name: string;
  /** In node_modules/.bin. */
  readonly command: string;
  readonly args: readonly string[];
};

export type CheckOutcome = {
  readonly name: string;
  readonly isPassed: boolean;
  readonly output: string;
  readonly durationMs: number;
};

export async function runCheck(
  check: Check,
  options: { readonly root: string; readonly signal: AbortSignal },
): Promise<CheckOutcome> {
  const startedMs = performance.now();
  const command = join(options.root, 'node_modules', '.bin', check.command);
  const child = spawn(command, check.args, {
    cwd: options.root,
    signal: options.signal,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = Promise.withResolvers<number | null>();
  child.on('error', exited.reject);
  child.on('close', exited.resolve);
  const [exitCode, stdout, stderr] = await Promise.all([
    exited.promise,
    text(child.stdout),
    text(child.stderr),
  ]);
  return {
    name: check.name,
    isPassed: exitCode === 0,
    output: stdout + stderr,
    durationMs: performance.now() - startedMs,
  };
}
