/** Builds the client programs whose sources have changed, or that this machine never built. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  BUILT_PROGRAMS,
  type BuiltProgram,
  programPath,
  sourceFolder,
} from '../world/built-programs.ts';
import { toolCache } from '../world/tool-cache.ts';
import { isMentioned } from './test-files.ts';

const run = promisify(execFile);
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

export type Unbuilt = {
  readonly programs: readonly BuiltProgram[];
  /** The test files that wait for one of them. */
  readonly files: readonly string[];
};

/** What these test files call for by name and this machine has not built yet. */
export function findUnbuilt(files: readonly string[]): Unbuilt {
  const missing = BUILT_PROGRAMS.filter((program) => !existsSync(programPath(program)));
  const waits = (file: string, { name }: BuiltProgram) =>
    isMentioned([file], `findBuiltProgram('${name}')`);
  return {
    programs: missing.filter((program) => files.some((file) => waits(file, program))),
    files: files.filter((file) => missing.some((program) => waits(file, program))),
  };
}

/** Says what it builds; when that fails, says why: the tests that need it are then skipped. */
export async function buildPrograms(
  programs: readonly BuiltProgram[],
  say: (line: string) => void,
  options: { readonly signal: AbortSignal },
): Promise<void> {
  // One after the other: each compiler fills all cores by itself.
  for (const program of programs) {
    say(`building the ${program.name} program of the client tests`);
    try {
      await build(program, options);
    } catch (error) {
      if (options.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      say(`could not build it: ${reason.slice(-4000)}`);
    }
  }
}

async function build(
  program: BuiltProgram,
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  await mkdir(toolCache(), { recursive: true });
  // Beside its place, so that it gets there whole, whoever else builds the same.
  const folder = await mkdtemp(join(toolCache(), 'build-'));
  try {
    const { argv, variables, output } = RECIPES[program.name](folder);
    const [command = '', ...args] = argv;
    // The tests that run meanwhile go first.
    await run('nice', ['-n', '10', command, ...args], {
      cwd: sourceFolder(program),
      env: { ...process.env, ...variables },
      maxBuffer: OUTPUT_BYTES_MAX,
      signal,
    });
    await rename(output, programPath(program));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Recipe = (folder: string) => {
  readonly argv: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly output: string;
};

const RECIPES: Readonly<Record<BuiltProgram['name'], Recipe>> = {
  go: (folder) => {
    const output = join(folder, 'program');
    const argv = ['go', 'build', '-trimpath', '-ldflags=-s', '-o', output, '.'];
    return { argv, variables: { CGO_ENABLED: '0' }, output };
  },
  rust: (folder) => ({
    argv: ['cargo', 'build', '--locked', '--quiet'],
    variables: { CARGO_TARGET_DIR: folder, CARGO_INCREMENTAL: '0' },
    output: join(folder, 'debug', 's3-round-trip'),
  }),
  mc: (folder) => installed('mc', folder),
  caddy: (folder) => installed('caddy', folder),
};

/** A program that is not ours, by the module and version that its file names. */
function installed(name: BuiltProgram['name'], folder: string): ReturnType<Recipe> {
  const module = readFileSync(join(sourceFolder({ name }), 'module.txt'), 'utf8').trim();
  return {
    argv: ['go', 'install', '-trimpath', '-ldflags=-s', module],
    variables: { CGO_ENABLED: '0', GOBIN: folder },
    output: join(folder, name),
  };
}
