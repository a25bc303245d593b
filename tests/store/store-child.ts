/**
 * `pinfold serve` over a store that a test has chosen. Usage: store-child.ts CHOICES, a JSON
 * document; otherwise configured by the environment, and ended like the real one. It ends with its
 * parent.
 */
import { runCli } from '../../src/cli/run-cli.ts';
import {
  type ComposeOptions,
  composeAdministration,
  composeServer,
  machine,
} from '../../src/compose/compose-server.ts';
import { composeUpkeep, restore } from '../../src/compose/compose-upkeep.ts';
import { readEnvironment } from '../../src/config/env.ts';
import type { DiskFile, DiskIo } from '../../src/engines/blobs/disk/disk-io.ts';
import { realDisk } from '../../src/engines/blobs/disk/real-disk.ts';
import { openLogFile } from '../../src/engines/metadata/sqlite/wal.ts';
import { jobsOf } from '../../src/jobs/schedule.ts';

/** What a test may choose. */
export type StoreChoices = {
  readonly segmentBytesMax?: number;
  /**
   * `none`: nothing runs but what requests ask for; `eager`: all again and again, without a pause.
   */
  readonly jobs?: 'none' | 'eager';
};

/** Whose syncs fail from the line `fail WHAT` on standard input on. */
export type FailingSync = 'segment' | 'file' | 'folder' | 'log';

const PAUSE_OF_EAGER_JOBS_MS = 10;

const choices = JSON.parse(process.argv[2] ?? '{}') as StoreChoices;
let failing: string | undefined;

process.stdin.setEncoding('utf8').on('data', (line: string) => {
  failing = /^fail (\w+)\n/.exec(line)?.[1];
});
process.stdin.on('end', () => process.exit());

function composeChosen(options: ComposeOptions) {
  const { segmentBytesMax } = choices;
  return composeServer({
    ...options,
    parts: {
      blobs: { io: failingDisk, ...(segmentBytesMax === undefined ? {} : { segmentBytesMax }) },
      metadata: { openLog: openFailingLog },
    },
    jobs: (deps) => {
      const jobs = choices.jobs === 'none' ? [] : jobsOf(deps);
      if (choices.jobs !== 'eager') return jobs;
      const everyMs = PAUSE_OF_EAGER_JOBS_MS;
      return jobs.map((job) => ({ ...job, everyMs, firstAfterMs: everyMs }));
    },
  });
}

/** The real disk until a failure is asked for. */
const failingDisk: DiskIo = {
  ...realDisk,
  createFile: async (path) => failingFile(path, await realDisk.createFile(path)),
  openForWriting: async (path) => failingFile(path, await realDisk.openForWriting(path)),
  syncDirectory: async (path) => {
    failWhen('folder');
    await realDisk.syncDirectory(path);
  },
};

function failingFile(path: string, file: DiskFile): DiskFile {
  return {
    ...file,
    syncBytes: async () => {
      failWhen(path.includes('/segments/') ? 'segment' : 'file');
      await file.syncBytes();
    },
  };
}

async function openFailingLog(path: string) {
  const log = await openLogFile(path);
  return {
    datasync: async () => {
      failWhen('log');
      await log.datasync();
    },
    close: () => log.close(),
  };
}

function failWhen(what: FailingSync): void {
  if (failing === what) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
}

const exitCode = await runCli(
  {
    environment: readEnvironment(),
    workingDirectory: process.cwd(),
    terminal: {
      writeResult: (text) => void process.stdout.write(text),
      writeNote: (text) => void process.stderr.write(text),
      hasColor: false,
      hasBars: false,
      elapsedMs: () => performance.now(),
    },
    loadComposition: async () => ({
      machine,
      composeServer: composeChosen,
      composeAdministration,
      composeUpkeep,
      restore,
    }),
    untilStopped: () => new Promise((resolve) => process.once('SIGTERM', () => resolve())),
  },
  ['serve'],
);
process.exit(exitCode);
