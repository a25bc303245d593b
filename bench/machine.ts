/** The machine that figures belong to. */
import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os';

export type Machine = {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly disk: string;
  readonly node: string;
  readonly commit: string;
  /** Whether what ran differs from the commit. */
  readonly isChanged: boolean;
  /** Over one, five and fifteen minutes before the first row. */
  readonly loadAverage: readonly number[];
};

const TMPFS_MAGIC = 0x0102_1994;

export function describeMachine(root: string, dataDirectory: string): Machine {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    disk: diskOf(dataDirectory),
    node: process.version,
    commit: git(root, ['rev-parse', 'HEAD']) ?? 'unknown',
    isChanged:
      (git(root, ['status', '--porcelain', '--', 'src', 'package-lock.json']) ?? '') !== '',
    loadAverage: loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

/** Whether a directory is kept in memory, where syncs cost nothing and figures mean nothing. */
export function isInMemory(directory: string): boolean {
  return statfsSync(directory).type === TMPFS_MAGIC;
}

/** The device and file system that the directory is on. */
function diskOf(directory: string): string {
  let mounts = '';
  try {
    mounts = readFileSync('/proc/mounts', 'utf8');
  } catch {
    return 'unknown';
  }
  const [best] = mounts
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, at = '']) => at === '/' || directory === at || directory.startsWith(`${at}/`))
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  return best === undefined ? 'unknown' : `${best[2]} on ${best[0]}`;
}

function git(root: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', [...args], { cwd: root, stdio: ['ignore', 'pipe', 'ignore'] })
      .toString()
      .trim();
  } catch {
    // No git, or an unpacked archive.
    return undefined;
  }
}
