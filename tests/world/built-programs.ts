/**
 * Client programs that are built from source before the tests that run them, once per set of
 * sources, and kept in the machine's cache.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolCache } from './tool-cache.ts';

const PROGRAMS = join(import.meta.dirname, '..', 'clients', 's3', 'programs');

export type BuiltProgram = {
  /** Of its folder below tests/clients/s3/programs. */
  readonly name: 'go' | 'rust' | 'mc' | 'caddy';
  /** Everything that it is made of, seen from its folder. */
  readonly sources: string;
};

export const BUILT_PROGRAMS: readonly BuiltProgram[] = [
  { name: 'go', sources: '{go.mod,go.sum,*.go}' },
  { name: 'rust', sources: '{Cargo.toml,Cargo.lock,src/**/*.rs}' },
  // Not ours: a file names the module and its version.
  { name: 'mc', sources: 'module.txt' },
  { name: 'caddy', sources: 'module.txt' },
];

export function sourceFolder({ name }: Pick<BuiltProgram, 'name'>): string {
  return join(PROGRAMS, name);
}

/** Where it stands once it is built; other sources, another place. */
export function programPath(program: BuiltProgram): string {
  const folder = sourceFolder(program);
  const hash = createHash('sha256');
  for (const file of globSync(program.sources, { cwd: folder }).sort()) {
    hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  }
  return join(toolCache(), `s3-round-trip-${program.name}-${hash.digest('hex').slice(0, 16)}`);
}

/** `undefined` when it could not be built: such tests are skipped, loudly. */
export function findBuiltProgram(name: BuiltProgram['name']): string | undefined {
  const program = BUILT_PROGRAMS.find((one) => one.name === name);
  const path = program === undefined ? undefined : programPath(program);
  return path !== undefined && existsSync(path) ? path : undefined;
}
