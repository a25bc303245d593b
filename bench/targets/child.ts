/** Servers started as child processes: waited for, and never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

export type Child = AsyncDisposable & {
  readonly pid: number;
  /** Ends it politely, as an operator would; forced after a while. */
  readonly end: () => Promise<void>;
};

export type ChildLine = {
  readonly command: string;
  readonly args: readonly string[];
  readonly directory: string;
  /** The whole environment but the path. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Takes both outputs, as a service's journal would. */
  readonly logFile: string;
};

const START_MS_MAX = 30_000;
const END_MS_MAX = 15_000;
const POLL_MS = 25;

/** Starts a child and waits until `find` sees that it is ready, in its log or otherwise. */
export async function startChild<T>(
  line: ChildLine,
  find: (log: string) => T | undefined | Promise<T | undefined>,
): Promise<{ readonly child: Child; readonly found: T }> {
  const child = spawnChild(line);
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    const log = readFileSync(line.logFile, 'utf8');
    const found = await find(log);
    if (found !== undefined) return { child: heldChild(child), found };
    if (child.exitCode !== null || performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${line.command} did not start:\n${log}`);
    }
    await delay(POLL_MS);
  }
}

function spawnChild(line: ChildLine): ChildProcess {
  const log = openSync(line.logFile, 'w');
  try {
    const child = spawn(line.command, line.args, {
      cwd: line.directory,
      env: { PATH: process.env['PATH'], ...line.variables },
      stdio: ['ignore', log, log],
    });
    // Also when the driver dies of an error that nobody caught.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    return child;
  } finally {
    closeSync(log);
  }
}

function heldChild(child: ChildProcess): Child {
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), END_MS_MAX);
    await exited;
    clearTimeout(force);
  };
  return { pid: child.pid ?? 0, end, [Symbol.asyncDispose]: end };
}
