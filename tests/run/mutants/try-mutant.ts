/** Runs the tests that reach a mutant, the quick ones first, until one notices it. */
import { join, relative } from 'node:path';
import type { CoveringTest } from './covering-tests.ts';
import type { Mutant } from './find-mutants.ts';
import { type Change, MUTANT_SETTING } from './mutated-module.ts';
import { runTestFile } from './run-test-file.ts';

export type MutantOutcome =
  | { readonly kind: 'noticed'; readonly by: string }
  | { readonly kind: 'survived'; readonly tests: number };

/** A mutant may wait for what never comes. */
const PATIENCE = 6;
const TIMEOUT_MS_MIN = 30_000;

export async function tryMutant(
  mutant: Mutant,
  options: { readonly root: string; readonly tests: readonly CoveringTest[] },
): Promise<MutantOutcome> {
  const { root } = options;
  const { start, end, text } = mutant;
  const change: Change = { file: join(root, mutant.path), start, end, text };
  const settings = {
    [MUTANT_SETTING]: JSON.stringify(change),
    NODE_OPTIONS: `--import=${new URL('mutated-module.ts', import.meta.url).href}`,
  };
  const reaching = options.tests.filter(({ reaches }) => reaches(mutant.path, start));
  for (const { file, durationMs } of reaching) {
    const timeoutMs = Math.max(TIMEOUT_MS_MIN, durationMs * PATIENCE);
    const outcome = await runTestFile(file, { root, settings, timeoutMs });
    if (outcome === 'passed') continue;
    return { kind: 'noticed', by: `${relative(root, join(root, file))} ${outcome}` };
  }
  return { kind: 'survived', tests: reaching.length };
}
