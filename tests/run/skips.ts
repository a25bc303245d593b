/** Tests that were skipped, and those that may be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Skip = { readonly file: string; readonly name: string; readonly reason: string };

/** A skip that CI accepts: the test's name, the reason it gives, and why that is no loss there. */
export type AllowedSkip = {
  readonly name: string;
  readonly reason: string;
  readonly because: string;
};

export function readAllowedSkips(root: string): readonly AllowedSkip[] {
  const text = readFileSync(join(root, 'tests', 'allowed-skips.json'), 'utf8');
  return JSON.parse(text) as AllowedSkip[];
}

export function unexpectedSkips(
  skips: readonly Skip[],
  allowed: readonly AllowedSkip[],
): readonly Skip[] {
  return skips.filter(
    ({ name, reason }) => !allowed.some((one) => one.name === name && one.reason === reason),
  );
}
