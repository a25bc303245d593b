/**
 * Loaded before a test file and whatever it starts: one source is read with one change. Which, the
 * runner of mutants says in the environment.
 */
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

export const MUTANT_SETTING = 'PINFOLD_TEST_MUTANT';

export type Change = {
  /** Absolute. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
};

const setting = process.env[MUTANT_SETTING];
if (setting !== undefined) {
  const { file, start, end, text } = JSON.parse(setting) as Change;
  const changedUrl = pathToFileURL(file).href;
  registerHooks({
    load: (url, context, nextLoad) => {
      if (url !== changedUrl) return nextLoad(url, context);
      const source = readFileSync(file, 'utf8');
      const changed = source.slice(0, start) + text + source.slice(end);
      return { format: 'module-typescript', source: changed, shortCircuit: true };
    },
  });
}
