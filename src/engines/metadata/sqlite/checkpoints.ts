/** Keeps a checkpoint thread at work: one that ends by itself is begun anew, later each time. */
import { Worker } from 'node:worker_threads';
import type { SqliteFault } from './sqlite-errors.ts';

/** What the thread tells of a run: frames in the log and how many are in the file by now. */
export type CheckpointReport =
  | { readonly kind: 'done'; readonly logFrames: number; readonly doneFrames: number }
  | { readonly kind: 'failed'; readonly fault: SqliteFault; readonly error: unknown };

export type CheckpointsOptions = {
  readonly file: string;
  /** Counted up at each commit, so that the thread rests while nothing happens. */
  readonly commits: Int32Array<SharedArrayBuffer>;
  readonly onReport: (report: CheckpointReport) => void;
  /** A thread ended by itself; the next one comes after `pauseMs`. */
  readonly onLost: (lost: { readonly error: unknown; readonly pauseMs: number }) => void;
  /** Starts a thread; the system's own way unless said otherwise. */
  readonly openThread?: ((workerData: object) => Worker) | undefined;
};

const PAUSE_MS_MIN = 250;
/** What ends again and again (no memory, no descriptors) must not make things worse. */
const PAUSE_MS_MAX = 60_000;

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #thread: Worker | undefined;
  #ended: Promise<void> = Promise.resolve();
  #pauseMs = PAUSE_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#begin();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    clearTimeout(this.#timer);
    // Waited for from here on: with nothing else to do the process would end in the middle.
    this.#thread?.ref();
    this.#thread?.postMessage('close');
    await this.#ended;
  }

  #begin(): void {
    const { file, commits, onReport, openThread = openCheckpointThread } = this.#options;
    try {
      const thread = openThread({ file, commits });
      let cause: unknown;
      thread.on('message', (report: CheckpointReport) => {
        if (report.kind === 'done') this.#pauseMs = PAUSE_MS_MIN;
        onReport(report);
      });
      thread.on('error', (error) => {
        cause = error;
      });
      this.#ended = new Promise((resolve) => {
        thread.once('exit', (code) => {
          this.#lose(cause ?? new Error(`the checkpoint thread ended with ${code}`));
          resolve();
        });
      });
      thread.unref();
      this.#thread = thread;
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    this.#thread = undefined;
    if (this.#isClosing) return;
    const pauseMs = this.#pauseMs;
    this.#pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs);
    this.#options.onLost({ error, pauseMs });
    this.#timer = setTimeout(() => this.#begin(), pauseMs).unref();
  }
}

/** The system's own way. */
export function openCheckpointThread(workerData: object): Worker {
  return new Worker(new URL('./checkpoint-thread.ts', import.meta.url), {
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
  });
}
