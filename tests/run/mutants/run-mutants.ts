/**
 * What `npm run test:mutants` runs: takes each refusal of the core's rooms away in turn (a throw, a
 * check, a comparison), runs the tests that reach it, and names those that no test notices. Outside
 * `npm test`, because it takes hours. `--only PATH` (may be repeated): sources at or below a path.
 * `--tests PATH` (may be repeated): only tests at or below a path, which tells soon whether those
 * beside a source suffice for it; another may yet notice what these do not. `--conditions`: each
 * half of a condition and each negation goes in turn as well.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../world/postgres.ts';
import { type CoveringTest, coverTest } from './covering-tests.ts';
import { type Depth, findMutants, type Mutant } from './find-mutants.ts';
import { tryMutant } from './try-mutant.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/** Where a refusal that goes unnoticed would cost data, access or money. */
const SOURCES = [
  'src/core/objects/**/*.ts',
  'src/core/identity/**/*.ts',
  'src/core/files/**/*.ts',
  'src/core/quota.ts',
  'src/engines/metadata/commit-refusals.ts',
  'src/engines/metadata/sqlite/{commit-group,upload-commits,sqlite-writer}.ts',
  'src/engines/metadata/postgres/{postgres-commits,postgres-uploads,account-gate}.ts',
  'src/engines/blobs/disk/{free-space,claimed-writer,segments/segment-writer,files/file-writer}.ts',
];
const TESTS = [
  'src/{core,engines,jobs,dialects}/**/*.test.ts',
  'tests/{wire,property,store}/**/*.test.ts',
];
const AT_ONCE = 2;

/** Mutants that change nothing that anybody could notice, each with its reason. */
type Kept = {
  readonly path: string;
  readonly code: string;
  /** One mutant of the line; without it all. */
  readonly what?: string;
  readonly because: string;
};
const KEPT = JSON.parse(
  readFileSync(join(ROOT, 'tests/run/mutants/unnoticeable.json'), 'utf8'),
) as readonly Kept[];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    tests: { type: 'string', multiple: true },
    conditions: { type: 'boolean', default: false },
  },
});
const depth: Depth = options.conditions ? 'conditions' : 'refusals';

await using postgres = await startPostgres();
if (postgres !== undefined) process.env['PINFOLD_TEST_DATABASE_URL'] = postgres.url;
const survivors = await tryAll();
for (const mutant of survivors) say(`NOT NOTICED: ${placeOf(mutant)}: ${mutant.what}`);
process.exitCode = survivors.length === 0 ? 0 : 1;

async function tryAll(): Promise<readonly Mutant[]> {
  const paths = globSync(SOURCES, { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts') && isAmong(path, options.only))
    .sort();
  const mutants = paths
    .flatMap((path) => findMutants(ROOT, path, depth))
    .filter((one) => !isKept(one));
  say(`${mutants.length} mutants of ${paths.length} sources`);
  const files = globSync(TESTS, { cwd: ROOT }).filter((file) => isAmong(file, options.tests));
  const tests = await coverAll(files.sort(), paths);
  if (options.tests !== undefined) say(`by ${tests.length} test files at ${options.tests}`);
  const survivors: Mutant[] = [];
  let tried = 0;
  await eachAtOnce(mutants, async (mutant) => {
    const outcome = await tryMutant(mutant, { root: ROOT, tests });
    tried += 1;
    if (outcome.kind === 'survived') survivors.push(mutant);
    const how = outcome.kind === 'noticed' ? outcome.by : `${outcome.tests} tests pass`;
    say(`${tried} ${outcome.kind}: ${placeOf(mutant)}: ${mutant.what} (${how})`);
  });
  say(`${mutants.length - survivors.length} noticed, ${survivors.length} not noticed`);
  return survivors;
}

async function coverAll(
  files: readonly string[],
  paths: readonly string[],
): Promise<readonly CoveringTest[]> {
  const covering: CoveringTest[] = [];
  await eachAtOnce(files, async (file) => {
    const test = await coverTest(file, { root: ROOT, paths });
    if (test === undefined) say(`left out, because it fails without any mutant: ${file}`);
    else covering.push(test);
  });
  return covering.toSorted((a, b) => a.durationMs - b.durationMs);
}

async function eachAtOnce<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await run(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function isAmong(path: string, wanted: readonly string[] | undefined): boolean {
  if (wanted === undefined) return true;
  return wanted.some((one) => path === one || path.startsWith(`${one.replace(/\/+$/, '')}/`));
}

function isKept({ path, line, what }: Mutant): boolean {
  const code = readFileSync(join(ROOT, path), 'utf8').split('\n')[line - 1]?.trim();
  return KEPT.some(
    (kept) =>
      kept.path === path && kept.code === code && (kept.what === undefined || kept.what === what),
  );
}

function placeOf({ path, line }: Mutant): string {
  return `${path}:${line}`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
