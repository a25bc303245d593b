/**
 * The checkpoint thread: carries the log into the file little by little, so that no request waits for
 * it. PASSIVE waits for nobody and is never waited for.
 */
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointReport } from './wal.ts';

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
  seen = now;
  const row = checkpoint.get() as { readonly log: number; readonly checkpointed: number };
  const report: CheckpointReport = { logFrames: row.log, doneFrames: row.checkpointed };
  parentPort?.postMessage(report);
}

const timer = setInterval(run, PAUSE_MS);
parentPort?.once('message', () => {
  clearInterval(timer);
  connection.close();
  parentPort?.close();
});
