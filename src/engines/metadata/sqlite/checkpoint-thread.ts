/**
 * The checkpoint thread: carries the log into the file little by little, so that no request waits
 * for it. PASSIVE waits for nobody and is never waited for.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointReport } from './checkpoints.ts';
import { sqliteFault } from './sqlite-errors.ts';

/** Often enough that each run is short, seldom enough that it is rarely run. */
const PAUSE_MS = 300;

const { file, commits } = workerData as {
  readonly file: string;
  readonly commits: Int32Array<SharedArrayBuffer>;
};
const connection = new DatabaseSync(file);
connection.exec('pragma synchronous = normal');
const checkpoint = connection.prepare('pragma wal_checkpoint(passive)');
let seen = 0;

function run(): void {
  const now = Atomics.load(commits, 0);
  if (now === seen) return;
  try {
    const row = checkpoint.get() as { readonly log: number; readonly checkpointed: number };
    // A read that began before the last commit keeps its frames in the log for a while.
    if (row.log === row.checkpointed) seen = now;
    tell({ kind: 'done', logFrames: row.log, doneFrames: row.checkpointed });
  } catch (error) {
    // The log stays as it is, and the next run tries again. NOTE: a message between threads loses
    // the result code of an error, so it is judged here.
    tell({ kind: 'failed', fault: sqliteFault(error), error });
  }
}

function tell(report: CheckpointReport): void {
  parentPort?.postMessage(report);
}

const timer = setInterval(run, PAUSE_MS);
parentPort?.once('message', () => {
  clearInterval(timer);
  connection.close();
  parentPort?.close();
});
