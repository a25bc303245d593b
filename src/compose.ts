/**
 * The composition root: the one place where concrete things are built and joined. It imports both
 * sides, dialects and engines; nothing but `main` and the commands imports it.
 */
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buildApi } from './compose-api.ts';
import { type OpenStore, openStore, type StoreParts } from './compose-store.ts';
import { type Config, publicUrlOf, s3PublicUrlOf } from './config/config.ts';
import type { S3Site } from './core/identity/export-s3-key.ts';
import type { Clock } from './core/ports/clock.ts';
import { type FaultPoints, NO_FAULTS } from './core/ports/fault-points.ts';
import { AdminServer } from './dialects/admin/admin-server.ts';
import type { Administration } from './dialects/admin/administration.ts';
import { storeAdministration } from './dialects/admin/store-administration.ts';
import { storeUpkeep } from './dialects/admin/store-upkeep.ts';
import { systemClock } from './engines/clock/system-clock.ts';
import { type Job, JobRunner } from './jobs/runner.ts';
import { type JobDeps, jobsOf, ORPHAN_GRACE_MS } from './jobs/schedule.ts';
import { failInterruptedOperations } from './jobs/sweep-operations.ts';
import { createLog, type Log, openLogOutput, SILENT_LOG } from './observe/log.ts';
import { createMetricsServer } from './server/metrics-server.ts';

export type Pinfold = {
  readonly addresses: {
    readonly api: string;
    readonly metrics: string;
    readonly adminSocket: string;
  };
  /** Resolves when the process must end by itself (a failed sync), with the reason. */
  readonly failed: Promise<Error>;
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

/**
 * A client that was being answered when the stop came may keep its connection, idle from then on.
 */
const IDLE_PAUSE_MS = 50;

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
    const listening = await listen(store, stack, { ...options, log });
    const jobs = new JobRunner(store, chooseJobs(store));
    stack.use(jobs);
    await store.storedBytes.refresh();
    jobs.start();
    log.info({ api: listening.addresses.api }, 'listening');
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
      s3Site: () => s3SiteOf(options.config, options.config.api.port),
    }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

type Listening = {
  readonly addresses: Pinfold['addresses'];
  readonly stop: (graceMs: number) => Promise<void>;
};

/** Opens the listeners; each closes with the stack if a later one fails. */
async function listen(
  store: OpenStore,
  stack: AsyncDisposableStack,
  options: ComposeOptions & { readonly log: Log },
): Promise<Listening> {
  const { config, log } = options;
  let port = config.api.port;
  const api = await buildApi(store, {
    config,
    faults: options.faults ?? NO_FAULTS,
    publicUrl: () => publicUrlOf(config, port),
    s3PublicUrl: () => s3PublicUrlOf(config, config.s3.port),
  });
  stack.defer(() => api.close());
  const metrics = createMetricsServer(store.metrics);
  stack.defer(() => void metrics.close());
  const admin = stack.use(
    await AdminServer.open(
      {
        administration: storeAdministration({
          ...store,
          s3Site: () => s3SiteOf(config, port),
        }),
        upkeep: storeUpkeep(store, { orphanGraceMs: ORPHAN_GRACE_MS }),
        clock: store.clock,
        newRequestId: () => Buffer.from(store.random.bytes(8)).toString('hex').toUpperCase(),
        log,
      },
      { socketFile: join(store.paths.adminSocket) },
    ),
  );
  await new Promise<void>((resolve, reject) => {
    metrics.once('error', reject);
    metrics.listen(config.metrics.port, config.metrics.host, resolve);
  });
  await api.listen({ host: config.api.host, port: config.api.port });
  port = portOf(api.server.address());
  const metricsPort = portOf(metrics.address());
  return {
    addresses: {
      api: publicUrlOf(config, port),
      metrics: `http://${config.metrics.host}:${metricsPort}/metrics`,
      adminSocket: admin.socketFile,
    },
    stop: async (graceMs) => {
      const cut = store.clock.after(graceMs, () => api.server.closeAllConnections());
      const rest = again(store.clock, IDLE_PAUSE_MS, () => api.server.closeIdleConnections());
      metrics.closeAllConnections();
      await api.close();
      cut();
      rest();
    },
  };
}

/** Where the gateway is for those who get a key from the machine's operator. */
function s3SiteOf(config: Config, apiPort: number): S3Site {
  return {
    endpoint: s3PublicUrlOf(config, config.s3.port),
    region: config.region,
    apiUrl: publicUrlOf(config, apiPort),
  };
}

/** Runs `run` again and again, until the function that it answers is called. */
function again(clock: Clock, everyMs: number, run: () => void): () => void {
  let cancel: () => void = () => undefined;
  const schedule = () => {
    cancel = clock.after(everyMs, () => {
      run();
      schedule();
    });
  };
  schedule();
  return () => cancel();
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('not listening on a port');
  return address.port;
}
