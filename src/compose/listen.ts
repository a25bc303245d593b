/** The listeners of a server over an open store: the API, S3, metrics and the admin socket. */
import { lookup } from 'node:dns/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Server as TlsServer } from 'node:tls';
import { type Config, publicUrlOf, s3PublicUrlOf } from '../config/config.ts';
import type { S3Site } from '../core/identity/s3-keys/export-s3-key.ts';
import type { Clock } from '../core/ports/clock.ts';
import { type FaultPoints, NO_FAULTS } from '../core/ports/fault-points.ts';
import { AdminServer } from '../dialects/admin/admin-server.ts';
import { storeAdministration } from '../dialects/admin/store-administration.ts';
import { storeUpkeep } from '../dialects/admin/store-upkeep.ts';
import { TlsFiles } from '../engines/tls/tls-files.ts';
import { ORPHAN_GRACE_MS } from '../jobs/schedule.ts';
import { isLoopback } from '../kit/ip.ts';
import type { Log } from '../observe/log.ts';
import { createMetricsServer } from '../server/listener/metrics-server.ts';
import { neighbourOrigin, publicOrigin } from '../server/listener/public-origin.ts';
import { openShell, type Shell } from '../server/listener/shell.ts';
import { buildApi } from './build-api.ts';
import { buildS3 } from './build-s3.ts';
import type { OpenStore } from './open-store.ts';

/**
 * A client that was being answered when the stop came may keep its connection, idle from then on.
 */
const IDLE_PAUSE_MS = 50;

export type Listening = {
  readonly addresses: {
    readonly api: string;
    readonly s3: string;
    readonly metrics: string;
    readonly adminSocket: string;
  };
  readonly stop: (graceMs: number) => Promise<void>;
};

/** Opens the listeners; each closes with the stack if a later one fails. */
export async function listen(
  store: OpenStore,
  stack: AsyncDisposableStack,
  options: { readonly config: Config; readonly faults?: FaultPoints; readonly log: Log },
): Promise<Listening> {
  const { config, log, faults = NO_FAULTS } = options;
  // Port 0 is any that is free: which, is known once a listener listens.
  const ports = { api: config.api.port, s3: config.s3.port };
  const shell = openShell(store, config);
  const { publicUrl, s3PublicUrl, s3UrlOfApi } = originsOf(config, ports, shell);
  const tlsFiles =
    config.api.tls.kind === 'off' ? undefined : await TlsFiles.open(store, config.api.tls);
  if (tlsFiles !== undefined) stack.use(tlsFiles);
  const tls = tlsFiles?.current.context;
  const api = await buildApi(
    { ...store, ...shell },
    { config, faults, publicUrl, s3PublicUrl: s3UrlOfApi, tls },
  );
  stack.defer(() => api.close());
  const s3 = buildS3({ ...store, ...shell }, { config, faults, publicUrl: s3PublicUrl, tls });
  stack.defer(() => void s3.close());
  const metrics = createMetricsServer(store.metrics, config.metrics.isTls ? tls : undefined);
  stack.defer(() => void metrics.close());
  const admin = stack.use(
    await AdminServer.open(
      {
        administration: storeAdministration({
          ...store,
          s3Site: () => s3SiteOf(config, ports),
        }),
        upkeep: storeUpkeep(store, { orphanGraceMs: ORPHAN_GRACE_MS }),
        clock: store.clock,
        newRequestId: () => Buffer.from(store.random.bytes(8)).toString('hex').toUpperCase(),
        log,
      },
      { socketFile: join(store.paths.adminSocket) },
    ),
  );
  for (const server of [api.server, s3, metrics]) {
    if (server instanceof TlsServer) tlsFiles?.follow(server);
  }
  const metricsPort = await listenOn(metrics, config.metrics);
  ports.s3 = await listenOn(s3, { host: config.api.host, port: config.s3.port });
  await api.listen({ host: await addressOf(config.api.host), port: config.api.port });
  ports.api = portOf(api.server.address());
  tellOrigins(config, log, { api: publicUrl(), s3: s3PublicUrl() });
  const servers = [api.server, s3];
  return {
    addresses: {
      api: publicUrl(),
      s3: s3PublicUrl(),
      metrics: `${config.metrics.isTls ? 'https' : 'http'}://${config.metrics.host}:${metricsPort}/metrics`,
      adminSocket: admin.socketFile,
    },
    stop: async (graceMs) => {
      const cut = store.clock.after(graceMs, () => {
        for (const server of servers) server.closeAllConnections();
      });
      const rest = again(store.clock, IDLE_PAUSE_MS, () => {
        for (const server of servers) server.closeIdleConnections();
      });
      metrics.closeAllConnections();
      await Promise.all([api.close(), closeServer(s3)]);
      cut();
      rest();
    },
  };
}

/**
 * The framework would listen for `localhost` with two servers, of which only the first gets our
 * hooks, limits and later certificates.
 */
async function addressOf(host: string): Promise<string> {
  return host === 'localhost' ? (await lookup(host)).address : host;
}

/** Where the gateway is for those who get a key from the machine's operator. */
export function s3SiteOf(
  config: Config,
  ports: { readonly api: number; readonly s3: number },
): S3Site {
  return {
    endpoint: s3PublicUrlOf(config, ports.s3),
    region: config.region,
    apiUrl: publicUrlOf(config, ports.api),
  };
}

/** What clients are told of where the listeners are; the API tells where S3 is, too. */
function originsOf(
  config: Config,
  ports: { readonly api: number; readonly s3: number },
  { clients }: Shell,
) {
  const { host, tls } = config.api;
  const isOwnMachine = host === 'localhost' || isLoopback(host);
  const optionsOf = (configured: string | undefined, origin: () => string) => ({
    origin,
    isFixed: configured !== undefined || !isOwnMachine,
    isTls: tls.kind === 'on',
    clients,
  });
  const s3 = optionsOf(config.s3.publicUrl, () => s3PublicUrlOf(config, ports.s3));
  return {
    publicUrl: publicOrigin(optionsOf(config.publicUrl, () => publicUrlOf(config, ports.api))),
    s3PublicUrl: publicOrigin(s3),
    s3UrlOfApi: neighbourOrigin(s3, { own: () => ports.api, other: () => ports.s3 }),
  };
}

/** Says what clients are told; behind a name of its own a server must be told it. */
function tellOrigins(
  config: Config,
  log: Log,
  told: { readonly api: string; readonly s3: string },
) {
  const { host } = config.api;
  log.info({ api: told.api, s3: told.s3 }, 'clients are told these addresses');
  if (host === 'localhost' || isLoopback(host)) return;
  const unset = [
    ...(config.publicUrl === undefined ? ['PINFOLD_PUBLIC_URL'] : []),
    ...(config.s3.publicUrl === undefined ? ['PINFOLD_S3_PUBLIC_URL'] : []),
  ];
  if (unset.length === 0) return;
  log.warn(
    { settings: unset, host },
    'clients elsewhere are told an address that may not be theirs; set how they reach it',
  );
}

/** Answers the port. */
async function listenOn(
  server: Server,
  at: { readonly host: string; readonly port: number },
): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(at.port, at.host, resolve);
  });
  return portOf(server.address());
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
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
