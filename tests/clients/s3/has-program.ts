/** Whether a program that a test needs is on this machine. */
import { spawnSync } from 'node:child_process';

export function hasProgram(program: string): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;
}
