/** `npm run bench`: reads the command line, runs, and shows the table (docs/benchmarks.md). */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runBench } from './bench-run.ts';
import { compareReports } from './compare.ts';
import type { Effort } from './effort.ts';
import { GeneratorProcess } from './load/generator-process.ts';
import { isInMemory } from './machine.ts';
import { profileRow } from './profile-row.ts';
import { reportText, rowLine } from './report.ts';
import type { Report } from './report-form.ts';
import { type ProtocolName, ROWS, selectRows } from './rows.ts';
import { parsePeer } from './targets/peer.ts';

const ROOT = join(import.meta.dirname, '..');

/** What all rows write in their usual length. */
const FREE_BYTES_WANTED = 30e9;

/** In the usual run; a peer that stores a thousand keys a second is given fewer. */
const LIST_KEYS = { files: 100_000, s3: 1_000_000 } as const;
const LIST_KEYS_OF_PEERS = { files: 100_000, s3: 50_000 } as const;

const USAGE = `usage: npm run bench [-- [files | s3] [options]]

  --only ROW        rows of this name, or beginning with it (put-4KiB); repeat, or separate by commas
  --quick           short runs and a small listing: to see that it works, not to quote
  --seconds N       length of a run (2)
  --runs N          runs of which the median is shown (3)
  --peer WORD       another server in the same run; repeat it for more:
                      NAME=DIRECTORY    another checkout of Pinfold
                      NAME=URL          what speaks the protocol there
                      minio, versitygw  s3: installed on first use (needs Go; minutes)
                      NAME=run:COMMAND  s3: a shell command that serves $S3_DIRECTORY on $S3_PORT to
                                        the holder of $S3_ACCESS_KEY_ID and $S3_SECRET
  --list-keys N     keys in our listing (files 100,000; s3 1,000,000)
  --peer-keys N     the same for peers (s3 50,000)
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
    'list-keys': { type: 'string' },
    'peer-keys': { type: 'string' },
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
  const protocol = protocolOf(positionals);
  const directory = mkdtempSync(join(placeForStore(), 'pinfold-bench-'));
  const removeStore = () => rmSync(directory, { recursive: true, force: true });
  process.once('exit', removeStore);
  try {
    if (options.profile.length > 0) await profile(protocol, directory);
    else await measure(protocol, directory);
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

async function measure(protocol: ProtocolName, directory: string): Promise<void> {
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
      protocol,
      directory,
      rows: selectRows(ROWS[protocol], only),
      runs: numberOf('--runs', options.runs),
      effort: effortOf(protocol, 2),
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

async function profile(protocol: ProtocolName, directory: string): Promise<void> {
  using generator = GeneratorProcess.start();
  interruption.signal.addEventListener('abort', () => generator[Symbol.dispose]());
  for (const name of options.profile) {
    const [row] = selectRows(ROWS[protocol], [name]);
    if (row === undefined) continue;
    const resultDirectory = join(ROOT, '.cache/bench/profiles', `${protocol}-${row.name}`);
    rmSync(resultDirectory, { recursive: true, force: true });
    const storeDirectory = join(directory, row.name);
    const effort = effortOf(protocol, 5);
    const run = { root: ROOT, protocol, directory: storeDirectory, resultDirectory, effort };
    console.log(await profileRow(generator, row, run));
  }
}

function protocolOf(words: readonly string[]): ProtocolName {
  const [word = 'files', ...more] = words;
  if ((word === 'files' || word === 's3') && more.length === 0) return word;
  throw new Error(`No such protocol: ${words.join(' ')}\n${USAGE}`);
}

function effortOf(protocol: ProtocolName, secondsDefault: number): Effort {
  const quick = options.quick;
  const fallback = quick ? 0.5 : secondsDefault;
  const seconds = options.seconds === undefined ? fallback : numberOf('--seconds', options.seconds);
  return {
    runMs: seconds * 1000,
    warmMs: quick ? 300 : 1000,
    listKeys: keysOf('list-keys', quick ? 5000 : LIST_KEYS[protocol]),
    listKeysOfPeers: keysOf('peer-keys', LIST_KEYS_OF_PEERS[protocol]),
    readCountMax: 4096,
  };
}

function keysOf(option: 'list-keys' | 'peer-keys', fallback: number): number {
  const text = options[option];
  return text === undefined ? fallback : numberOf(`--${option}`, text);
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`${option} takes a number above 0, not ${text}`);
}
