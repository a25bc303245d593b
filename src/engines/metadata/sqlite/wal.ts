/**
 * The write-ahead log of a SQLite file: synced beside the event loop, checkpointed in a thread.
 *
 * With `synchronous=NORMAL` a commit writes its frames and does not wait for the disk; what waits
 * is the answer. `sync` is one `fdatasync` of the log in the thread pool, and no commit is
 * acknowledged before a sync that began after it has ended: the promise of `FULL` without its stall
 * (decision 0003).
 */
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { syncDirectory } from '../../data-directory/durable-file.ts';

/**
 * What the thread tells: frames in the log and how many are in the file by now, or a failed disk.
 */
export type CheckpointReport =
  | { readonly kind: 'done'; readonly logFrames: number; readonly doneFrames: number }
  | { readonly kind: 'failed'; readonly error: Error };

/** A descriptor of the log of its own, by which it is synced. */
export type LogFile = {
  readonly datasync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

export type WalOptions = {
  /** Called when the log has grown long and nearly all of it is in the file. */
  readonly restart: () => void;
  /** Called when the disk has failed under a checkpoint. */
  readonly fail: (error: Error) => void;
  /** Opens the log's file, which stands; the system's own way unless said otherwise. */
  readonly openLog?: ((path: string) => Promise<LogFile>) | undefined;
};

/** A log longer than this is begun anew, between two groups. */
const LOG_FRAMES_MAX = 16_384;

/** The system's own way. */
export function openLogFile(path: string): Promise<LogFile> {
  return open(path, 'r+');
}

export class Wal {
  readonly #log: LogFile;
  readonly #thread: Worker;
  /** Counted up at each commit, so that the thread rests while nothing happens. */
  readonly #commits: Int32Array<SharedArrayBuffer>;
  readonly #isThreadOver: Promise<void>;

  /** `file` is open in WAL mode by a connection that stays. */
  static async open(file: string, options: WalOptions): Promise<Wal> {
    const { openLog = openLogFile } = options;
    // NOTE: POSIX locks of SQLite are on the file and its -shm; another descriptor of the log is
    // safe.
    const log = await openLog(`${file}-wal`);
    try {
      // SQLite syncs the name of a log that it makes, but not of one that a killed process had
      // made.
      await syncDirectory(dirname(file));
    } catch (error) {
      await log.close();
      throw error;
    }
    return new Wal(file, log, options);
  }

  private constructor(file: string, log: LogFile, { restart, fail }: WalOptions) {
    this.#log = log;
    this.#commits = new Int32Array(new SharedArrayBuffer(4));
    this.#thread = new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
      workerData: { file, commits: this.#commits },
      resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
    });
    this.#thread.on('message', (report: CheckpointReport) => {
      if (report.kind === 'failed') fail(report.error);
      else if (report.logFrames > LOG_FRAMES_MAX) restart();
    });
    // A thread that fails only leaves the log longer; the restart at the next start takes it in.
    this.#thread.on('error', () => undefined);
    this.#isThreadOver = new Promise((resolve) => this.#thread.once('exit', () => resolve()));
    this.#thread.unref();
  }

  /** Makes everything durable that was committed before the call. */
  async sync(): Promise<void> {
    Atomics.add(this.#commits, 0, 1);
    await this.#log.datasync();
  }

  async close(): Promise<void> {
    // Waited for from here on: with nothing else to do the process would end in the middle.
    this.#thread.ref();
    this.#thread.postMessage('close');
    await this.#isThreadOver;
    await this.#log.close();
  }
}
