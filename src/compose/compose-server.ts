/**
 * The composition root: the one place where concrete things are built and joined. It imports both
 * sides, dialects and engines; nothing but `main` and the commands imports it.
 */

import type { Config } from '../config/config.ts';
import type { FaultPoints } from '../core/ports/fault-points.ts';
import type { StoreFailure } from '../core/ports/store-failure.ts';
import type { Administration } from '../dialects/admin/administration.ts';
import { storeAdministration } from '../dialects/admin/store-administration.ts';
import { systemClock } from '../engines/clock/system-clock.ts';
import { giveBackStartMemory } from '../engines/heap/start-memory.ts';
import { systemRandom } from '../engines/random/system-random.ts';
import { type Job, JobRunner } from '../jobs/runner.ts';
import { type JobDeps, jobsOf } from '../jobs/schedule.ts';
import { failInterruptedOperations } from '../jobs/sweep-operations.ts';
import { createLog, type Log, openLogOutput, SILENT_LOG } from '../observe/log.ts';
import { type Listening, listen, s3SiteOf } from './listen.ts';
import { type OpenStore, openStore, type StoreParts } from './open-store.ts';

export type Pinfold = {
  readonly addresses: Listening['addresses'];
  /** Resolves when the process must end by itself (a failed sync), with the reason. */
  readonly failed: Promise<StoreFailure>;
  /** Stops accepting, drains for at most `graceMs`, then stops everything. May be called once. */
  close(options: { readonly graceMs: number }): Promise<void>;
};

export type ComposeOptions = {
  readonly config: Config;
  /** For crash tests; the server's own does nothing. */
  readonly faults?: FaultPoints;
  /** For tests of failing disks and of small segments. */
  readonly parts?: StoreParts;
  /** For tests that want other jobs, or the same ones more often. */
  readonly jobs?: (deps: JobDeps) => readonly Job[];
  /** Where log lines go; standard output unless said otherwise. */
  readonly logTo?: { write(line: string): void };
};

/** Opens everything and listens. What was opened is closed again when anything fails. */
export async function composeServer(options: ComposeOptions): Promise<Pinfold> {
  const { config } = options;
  const stack = new AsyncDisposableStack();
  const log = openLog(stack, options);
  try {
    const { parts = {}, jobs: chooseJobs = jobsOf } = options;
    const store = stack.use(await openStore(config, { log, parts }));
    // One process has the directory, so whatever was under way lost its process.
    if (config.metadata.kind === 'sqlite') await failInterruptedOperations(store, { silenceMs: 0 });
    const listening = await listen(store, stack, {
      ...options,
      config: { ...config, maxConnections: fittedConnections(store) },
      log,
    });
    const jobs = new JobRunner(store, chooseJobs(store));
    stack.use(jobs);
    await store.storedBytes.refresh();
    jobs.start();
    giveBackStartMemory();
    log.info({ api: listening.addresses.api, s3: listening.addresses.s3 }, 'listening');
    const held = stack.move();
    return {
      addresses: listening.addresses,
      failed: store.failed,
      close: async ({ graceMs }) => {
        await listening.stop(graceMs);
        await held.disposeAsync();
        log.info({}, 'stopped');
      },
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Without a limit of descriptors there is none of connections either. */
function fittedConnections({ connectionsMax }: OpenStore): number | undefined {
  return Number.isFinite(connectionsMax) ? connectionsMax : undefined;
}

/** What a command takes of the machine itself. */
export const machine = { clock: systemClock, random: systemRandom };

/** Lines go to standard output in pieces; the rest of them when everything else has ended. */
function openLog(stack: AsyncDisposableStack, { config, logTo }: ComposeOptions): Log {
  if (logTo !== undefined) return createLog(config.log.level, logTo);
  const output = openLogOutput(systemClock.after);
  stack.defer(output.close);
  return createLog(config.log.level, output.destination);
}

/** Opens the store itself, for the operator's commands while no server runs; takes its lock. */
export async function composeAdministration(options: {
  readonly config: Config;
}): Promise<Administration & AsyncDisposable> {
  const store = await openStore(options.config, { log: SILENT_LOG });
  return {
    ...storeAdministration({
      ...store,
      s3Site: () =>
        s3SiteOf(options.config, {
          api: options.config.api.port,
          s3: options.config.s3.port,
        }),
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
