/** How much memory of a process is resident, as Linux tells it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export function residentBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  assert.ok(kibibytes !== undefined, 'the system says how much memory is resident');
  return Number(kibibytes) * 1024;
}
