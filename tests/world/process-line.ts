/** Runs `pinfold` as a process of its own, with nothing of this one's environment but the path. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

export type ProcessLine = {
  readonly directory: string;
  readonly argv: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
};

export type PinfoldProcess = ChildProcessByStdio<null, Readable, Readable>;

/** No test waits longer for a process; what still runs then is ended and seen as a signal. */
const LIFE_MS_MAX = 60_000;

export function spawnPinfold({ directory, argv, variables = {} }: ProcessLine): PinfoldProcess {
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...argv], {
    cwd: directory,
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIFE_MS_MAX,
    killSignal: 'SIGKILL',
  });
}

/** Runs a command to its end. */
export async function runPinfold(line: ProcessLine) {
  const child = spawnPinfold(line);
  const [result, notes, exitCode] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    exitCodeOf(child),
  ]);
  return { exitCode, result, notes };
}

/** The exit code, or the signal that ended it. */
export async function exitCodeOf(child: PinfoldProcess): Promise<number | string> {
  const [code, signal] = await once(child, 'exit');
  return code ?? signal;
}

/** Starts a server on free ports and waits until it says where it is. */
export async function startPinfold(directory: string, variables: ProcessLine['variables'] = {}) {
  const child = spawnPinfold({
    directory,
    argv: ['serve'],
    variables: {
      PINFOLD_API_PORT: '0',
      PINFOLD_S3_PORT: '0',
      PINFOLD_METRICS_PORT: '0',
      ...variables,
    },
  });
  child.stdout.resume();
  const exited = exitCodeOf(child);
  let notes = '';
  const greeted = new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      notes += String(chunk);
      const url = /API +(\S+)\n[\s\S]*Ctrl-C/.exec(notes)?.[1];
      if (url !== undefined) resolve(url);
    });
    exited.then((code) => reject(new Error(`pinfold serve ended with ${code}: ${notes}`)), reject);
  });
  const url = await greeted;
  return { child, url, exited, notes: () => notes };
}
