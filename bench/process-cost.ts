/** What a process and its children cost, read from Linux' /proc; elsewhere it stays unknown. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** `sysconf(_SC_CLK_TCK)` is 100 on every Linux that Node runs on. */
const US_PER_TICK = 10_000;

export type Memory = { readonly rssMib: number; readonly peakMib: number };

/** Processor time so far of the process, its threads and its children, user and system. */
export function treeCpuUs(pid: number): number | undefined {
  if (!existsSync('/proc/self/stat')) return undefined;
  let us = 0;
  for (const one of treeOf(pid)) {
    const stat = readProc(one, 'stat');
    // The command's name may hold anything but ends with the last parenthesis.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
    us += (Number(fields?.[11] ?? 0) + Number(fields?.[12] ?? 0)) * US_PER_TICK;
  }
  return us;
}

/** Processor time that the whole machine has spent on anything so far. */
export function machineCpuUs(): number | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  const [, user, nice, system, , , irq, softIrq, steal] = readFileSync('/proc/stat', 'utf8')
    .slice(0, 512)
    .split('\n', 1)
    .flatMap((line) => line.split(/\s+/));
  const busy = [user, nice, system, irq, softIrq, steal];
  return busy.reduce((ticks, field) => ticks + Number(field ?? 0), 0) * US_PER_TICK;
}

/** Resident memory now and at most since `resetPeak`, of the whole tree. */
export function treeMemory(pid: number): Memory | undefined {
  if (!existsSync('/proc/self/status')) return undefined;
  let rssKib = 0;
  let peakKib = 0;
  for (const one of treeOf(pid)) {
    const status = readProc(one, 'status') ?? '';
    rssKib += Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    peakKib += Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0);
  }
  return { rssMib: rssKib / 1024, peakMib: peakKib / 1024 };
}

/** Lets the peak begin again from what is resident now. */
export function resetPeak(pid: number): void {
  try {
    for (const one of treeOf(pid)) writeFileSync(`/proc/${one}/clear_refs`, '5');
  } catch {
    // Not ours to reset, or no Linux: the peak is then that of the whole life.
  }
}

function treeOf(pid: number): readonly number[] {
  const tasks = readTasks(pid);
  const children = tasks.flatMap((task) =>
    (readProc(pid, `task/${task}/children`) ?? '').split(' ').filter((word) => word !== ''),
  );
  return [pid, ...children.flatMap((child) => treeOf(Number(child)))];
}

function readTasks(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readProc(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    // It ended while the tree was walked.
    return undefined;
  }
}
