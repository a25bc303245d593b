/** Which test files reach which places of the sources, told by V8's own counts. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runTestFile } from './run-test-file.ts';

/** A test file, how long it takes, and whether it reaches a place of a source. */
export type CoveringTest = {
  readonly file: string;
  readonly durationMs: number;
  readonly reaches: (path: string, offset: number) => boolean;
};

type Range = {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
};
type Script = {
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly Range[] }[];
};

const TIMEOUT_MS = 5 * 60_000;

/**
 * Runs a test file, and answers what it reaches of `paths`; `undefined` when it does not pass.
 * Processes that are killed leave no counts: what only they reach is not seen.
 */
export async function coverTest(
  file: string,
  options: { readonly root: string; readonly paths: readonly string[] },
): Promise<CoveringTest | undefined> {
  const { root, paths } = options;
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-coverage-'));
  try {
    const startedMs = performance.now();
    const settings = { NODE_V8_COVERAGE: folder };
    const outcome = await runTestFile(file, { root, settings, timeoutMs: TIMEOUT_MS });
    if (outcome !== 'passed') return undefined;
    const durationMs = performance.now() - startedMs;
    const pathsByUrl = new Map(paths.map((path) => [pathToFileURL(join(root, path)).href, path]));
    const scripts = new Map<string, Script[]>();
    for (const name of await readdir(folder)) {
      for (const script of await readScripts(join(folder, name))) {
        const path = pathsByUrl.get(script.url);
        if (path !== undefined) scripts.set(path, [...(scripts.get(path) ?? []), script]);
      }
    }
    const reaches = (path: string, offset: number) =>
      (scripts.get(path) ?? []).some((script) => countAt(script, offset) > 0);
    return { file, durationMs, reaches };
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readScripts(file: string): Promise<readonly Script[]> {
  try {
    return (JSON.parse(await readFile(file, 'utf8')) as { result: Script[] }).result;
  } catch {
    // Half written by a process that was killed.
    return [];
  }
}

/** The count of the smallest range around the place. */
function countAt({ functions }: Script, offset: number): number {
  let smallest: Range | undefined;
  for (const { ranges } of functions) {
    for (const range of ranges) {
      if (offset < range.startOffset || offset >= range.endOffset) continue;
      if (smallest === undefined || lengthOf(range) <= lengthOf(smallest)) smallest = range;
    }
  }
  return smallest?.count ?? 0;
}

function lengthOf({ startOffset, endOffset }: Range): number {
  return endOffset - startOffset;
}
