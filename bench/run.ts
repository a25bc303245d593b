/** `npm run bench`: reads the command line, runs, and shows the table (docs/benchmarks.md). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runBench } from './bench-run.ts';
import { compareReports } from './compare.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { isInMemory } from './machine.ts';
import type { Effort } from './measure.ts';
import { profileRow } from './profile-row.ts';
import { type Report, reportText, rowLine } from './report.ts';
import { FILES_ROWS, selectRows } from './rows.ts';
import { parsePeer } from './targets/peer.ts';

const ROOT = join(import.meta.dirname, '..');

/** What all rows write in their usual length. */
const FREE_BYTES_WANTED = 30e9;

const USAGE = `usage: npm run bench [-- [files] [options]]

  --only ROW        rows of this name, or beginning with it (put-4KiB); repeat, or separate by commas
  --quick           short runs and a small listing: to see that it works, not to quote
  --seconds N       length of a run (2)
  --runs N          runs of which the median is shown (3)
  --peer NAME=URL   the Files API there too, in the same run; or NAME=DIRECTORY of another checkout
  --alone           without nginx and the servers that do nothing
  --out FILE        the report as JSON
  --baseline FILE   ratios to an older report
  --profile ROW     where the server's time goes in this row
  --dir DIRECTORY   where the store goes meanwhile (the system's temporary directory)
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
    seconds: { type: 'string' },
    runs: { type: 'string', default: '3' },
    peer: { type: 'string', multiple: true, default: [] },
    alone: { type: 'boolean', default: false },
    out: { type: 'string' },
    baseline: { type: 'string' },
    profile: { type: 'string', multiple: true, default: [] },
    dir: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second one does not ask; children and stores go with the process.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

if (options.help) console.log(USAGE);
else await main();

async function main(): Promise<void> {
  const unknown = positionals.filter((word) => word !== 'files');
  if (unknown.length > 0) throw new Error(`No such protocol: ${unknown.join(' ')}\n${USAGE}`);
  const directory = mkdtempSync(join(placeForStore(), 'pinfold-bench-'));
  const removeStore = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeStore);
  try {
    if (options.profile.length > 0) await profile(directory);
    else await measure(directory);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    process.exitCode = 130;
  }
}

/** On a real disk: in memory a sync costs nothing. */
function placeForStore(): string {
  if (options.dir !== undefined) {
    mkdirSync(options.dir, { recursive: true });
    if (isInMemory(options.dir)) console.log(`NOTE: ${options.dir} is in memory: syncs are free.`);
    return resolve(options.dir);
  }
  if (!isInMemory(tmpdir())) return tmpdir();
  const own = join(ROOT, '.cache/bench');
  mkdirSync(own, { recursive: true });
  return own;
}

async function measure(directory: string): Promise<void> {
  const { bavail, bsize } = statfsSync(directory);
  if (bavail * bsize < FREE_BYTES_WANTED) {
    console.log(
      `NOTE: less than 30 GB are free in ${dirname(directory)}: uploads may fill the disk.`,
    );
  }
  const only = options.only.flatMap((words) => words.split(','));
  const report = await runBench(
    {
      root: ROOT,
      directory,
      rows: selectRows(FILES_ROWS, only),
      runs: numberOf('--runs', options.runs),
      effort: effortOf(2),
      peers: options.peer.map(parsePeer),
      beside: options.alone ? 'none' : 'all',
    },
    { onNote: (text) => console.log(text), onRow: (row) => console.log(rowLine(row)) },
    interruption,
  );
  console.log(`\n${reportText(report)}`);
  if (options.out !== undefined) {
    mkdirSync(dirname(resolve(options.out)), { recursive: true });
    writeFileSync(options.out, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (options.baseline !== undefined) {
    const baseline = JSON.parse(readFileSync(options.baseline, 'utf8')) as Report;
    console.log(compareReports(report, baseline));
  }
  if (report.rows.some(({ failures }) => failures > 0)) process.exitCode = 1;
}

async function profile(directory: string): Promise<void> {
  using generator = GeneratorProcess.start();
  interruption.signal.addEventListener('abort', () => generator[Symbol.dispose]());
  for (const name of options.profile) {
    const [row] = selectRows(FILES_ROWS, [name]);
    if (row === undefined) continue;
    const resultDirectory = join(ROOT, '.cache/bench/profiles', row.name);
    rmSync(resultDirectory, { recursive: true, force: true });
    const storeDirectory = join(directory, row.name);
    const run = { root: ROOT, directory: storeDirectory, resultDirectory, effort: effortOf(5) };
    console.log(await profileRow(generator, row, run));
  }
}

function effortOf(secondsDefault: number): Effort {
  const quick = options.quick;
  const fallback = quick ? 0.5 : secondsDefault;
  const seconds = options.seconds === undefined ? fallback : numberOf('--seconds', options.seconds);
  return {
    runMs: seconds * 1000,
    warmMs: quick ? 300 : 1000,
    listNames: quick ? 5000 : 100_000,
    readCountMax: 4096,
  };
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${option} takes a number above 0, not ${text}`);
}
