/** Runs one test file by itself, with settings of its own. */
import { spawn } from 'node:child_process';

export type FileOutcome = 'passed' | 'failed' | 'hung';

const FLAGS = ['--disable-warning=ExperimentalWarning', '--test-reporter=dot', '--expose-gc'];

export async function runTestFile(
  file: string,
  options: {
    readonly root: string;
    readonly settings: Readonly<Record<string, string>>;
    readonly timeoutMs: number;
  },
): Promise<FileOutcome> {
  const child = spawn(process.execPath, [...FLAGS, file], {
    cwd: options.root,
    env: { ...process.env, ...options.settings },
    stdio: 'ignore',
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const end = () => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    } catch {
      // The group is gone.
    }
  };
  const done = Promise.withResolvers<FileOutcome>();
  const timer = setTimeout(() => done.resolve('hung'), options.timeoutMs);
  child.on('error', done.reject);
  child.on('exit', (code) => done.resolve(code === 0 ? 'passed' : 'failed'));
  try {
    return await done.promise;
  } finally {
    clearTimeout(timer);
    end();
  }
}
