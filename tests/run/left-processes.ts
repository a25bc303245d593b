/**
 * Finds processes that outlived the test that started them. Everything started from here on carries
 * a mark in its environment, which Linux shows in /proc; elsewhere nothing is found. The mark is a
 * folder in PATH that does not exist: also a test that hands on a clean environment hands on PATH.
 */
import { readdirSync, readFileSync } from 'node:fs';

const MARK = `/nowhere/pinfold-tests-${process.pid}-${process.hrtime.bigint()}`;

/** From now on, what this process starts carries its mark. */
export function markProcesses(): void {
  process.env['PATH'] += `:${MARK}`;
}

/** Ends them at once, and answers their command lines. */
export function endLeftProcesses(): readonly string[] {
  const ended: string[] = [];
  for (const pid of listProcesses()) {
    if (!readProcFile(pid, 'environ').includes(MARK)) continue;
    ended.push(readProcFile(pid, 'cmdline').replaceAll('\0', ' ').trim());
    process.kill(Number(pid), 'SIGKILL');
  }
  return ended;
}

function listProcesses(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
}

/** Empty when the process ended meanwhile, or is another user's. */
function readProcFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}
