/** Runs background jobs, each by itself, one run at a time, again and again until closed. */
import { isServiceError } from '../core/errors.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { Log } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { Occasions } from '../observe/occasions.ts';

export type Job = {
  readonly name: string;
  /** Pause between the end of one run and the start of the next. */
  readonly everyMs: number;
  /** How long after the start it runs first; as often as otherwise unless said. */
  readonly firstAfterMs?: number;
  /** May be cut short by the signal and run again any time. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

export type RunnerDeps = {
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Log;
  readonly metrics: Pick<Metrics, 'countJob'>;
};

export class JobRunner implements AsyncDisposable {
  readonly #deps: RunnerDeps;
  readonly #jobs: readonly Job[];
  readonly #abort = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  readonly #cancel = new Map<string, () => void>();

  readonly #occasions: Occasions;

  constructor(deps: RunnerDeps, jobs: readonly Job[]) {
    this.#deps = deps;
    this.#occasions = new Occasions({
      log: deps.log,
      after: (ms, run) => deps.clock.after(ms, run),
    });
    this.#jobs = jobs;
  }

  start(): void {
    for (const job of this.#jobs) this.#schedule(job, job.firstAfterMs ?? job.everyMs);
  }

  /** Stops scheduling, tells the runs under way to stop and waits for them. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    for (const cancel of this.#cancel.values()) cancel();
    await Promise.all(this.#running.values());
  }

  #schedule(job: Job, afterMs: number): void {
    if (this.#abort.signal.aborted) return;
    const cancel = this.#deps.clock.after(afterMs, () => {
      const run = this.#runOnce(job).finally(() => {
        this.#running.delete(job.name);
        this.#schedule(job, job.everyMs);
      });
      this.#running.set(job.name, run);
    });
    this.#cancel.set(job.name, cancel);
  }

  async #runOnce(job: Job): Promise<void> {
    try {
      await job.run(this.#abort.signal);
      this.#deps.metrics.countJob(job.name, 'done');
    } catch (error) {
      // The edge of a job: the next run tries again, and the count of failures is watched.
      this.#deps.metrics.countJob(job.name, 'failed');
      this.#report(job.name, error);
    }
  }

  /** A full disk fails every run until there is room: that is no news each second. */
  #report(job: string, error: unknown): void {
    if (isServiceError(error)) {
      const { code, message: reason } = error;
      this.#occasions.warn({ job, code, reason }, 'a job could not run', job);
    } else this.#deps.log.error({ job, err: error }, 'a job failed');
  }
}
