/** The Python environment of the client tests, which the test runner makes. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');

export function pythonFolder(root: string): string {
  return join(root, '.cache', 'python');
}

export function pythonProgram(root: string): string {
  return join(pythonFolder(root), 'bin', 'python');
}

/** `undefined` when the runner could not make it: such tests are skipped, loudly. */
export function findPython(): string | undefined {
  const program = pythonProgram(ROOT);
  return existsSync(program) ? program : undefined;
}
