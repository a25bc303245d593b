/** Which files hold tests, in the order in which they are run. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const LONG = 'tests/long/';

/** Absolute paths, sorted. `only`: at or below one of these paths, seen from the root. */
export function findTestFiles(
  root: string,
  options: { readonly isLong: boolean; readonly only: readonly string[] | undefined },
): readonly string[] {
  const { isLong, only } = options;
  return globSync(['src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'], { cwd: root })
    .filter((file) => isLong || !file.startsWith(LONG))
    .filter((file) => only === undefined || only.some((path) => isAtOrBelow(file, path)))
    .sort()
    .map((file) => join(root, file));
}

/** Whether one of the files names `module`, so that what it needs must be made ready. */
export function isMentioned(files: readonly string[], module: string): boolean {
  return files.some((file) => readFileSync(file, 'utf8').includes(module));
}

function isAtOrBelow(file: string, path: string): boolean {
  const clean = path.replace(/^\.\//, '').replace(/\/+$/, '');
  return file === clean || file.startsWith(`${clean}/`);
}
