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
import { syncDirectory } from '../../data-directory/durable-file.ts';
import { type CheckpointReport, Checkpoints, type CheckpointsOptions } from './checkpoints.ts';
import type { SqliteFault } from './sqlite-errors.ts';

/** A descriptor of the log of its own, by which it is synced. */
export type LogFile = {
  readonly datasync: () => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What an operator watches of the log. */
export type LogStatistics = {
  /** Frames (pages of 4 KiB) in the log, as the last checkpoint found them. */
  readonly logFrames: number;
  /** Of those, the ones that are not in the file yet. */
  readonly pendingFrames: number;
  readonly checkpointFailures: number;
  readonly threadsLost: number;
};

export type WalOptions = {
  /** Called when the log has grown to so many frames: it should be begun anew. */
  readonly restart: (logFrames: number) => void;
  /** Called when a checkpoint has failed; the next run tries again. */
  readonly onCheckpointFailure: (fault: SqliteFault, error: unknown) => void;
  readonly onThreadLost: CheckpointsOptions['onLost'];
  /** Opens the log's file, which stands; the system's own way unless said otherwise. */
  readonly openLog?: ((path: string) => Promise<LogFile>) | undefined;
  readonly openThread?: CheckpointsOptions['openThread'];
};

/** A log longer than this is begun anew, between two groups. */
export const LOG_FRAMES_MAX = 16_384;

/** The system's own way. */
export function openLogFile(path: string): Promise<LogFile> {
  return open(path, 'r+');
}

export class Wal {
  readonly #log: LogFile;
  readonly #options: WalOptions;
  readonly #commits = new Int32Array(new SharedArrayBuffer(4));
  readonly #checkpoints: Checkpoints;
  #logFrames = 0;
  #pendingFrames = 0;
  #checkpointFailures = 0;
  #threadsLost = 0;

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

  private constructor(file: string, log: LogFile, options: WalOptions) {
    this.#log = log;
    this.#options = options;
    this.#checkpoints = new Checkpoints({
      file,
      commits: this.#commits,
      openThread: options.openThread,
      onReport: (report) => this.#take(report),
      onLost: (lost) => {
        this.#threadsLost += 1;
        options.onThreadLost(lost);
      },
    });
  }

  /** Makes everything durable that was committed before the call. */
  async sync(): Promise<void> {
    Atomics.add(this.#commits, 0, 1);
    await this.#log.datasync();
  }

  statistics(): LogStatistics {
    return {
      logFrames: this.#logFrames,
      pendingFrames: this.#pendingFrames,
      checkpointFailures: this.#checkpointFailures,
      threadsLost: this.#threadsLost,
    };
  }

  async close(): Promise<void> {
    await this.#checkpoints.close();
    await this.#log.close();
  }

  #take(report: CheckpointReport): void {
    if (report.kind === 'failed') {
      this.#checkpointFailures += 1;
      this.#options.onCheckpointFailure(report.fault, report.error);
      return;
    }
    // -1 of a file that is not in WAL mode.
    this.#logFrames = Math.max(0, report.logFrames);
    this.#pendingFrames = Math.max(0, report.logFrames - report.doneFrames);
    if (report.logFrames > LOG_FRAMES_MAX) this.#options.restart(report.logFrames);
  }
}
