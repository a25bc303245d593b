/** A real server for a test file: free ports, a directory of its own, and accounts to speak as. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { composeServer } from '../../src/compose.ts';
import { buildApi } from '../../src/compose-api.ts';
import { type OpenStore, openStore, type Store } from '../../src/compose-store.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import type { Scope } from '../../src/core/principal.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import type { Administration } from '../../src/dialects/admin/administration.ts';
import { createLog, SILENT_LOG } from '../../src/observe/log.ts';
import type { ApiServerOptions } from '../../src/server/api-server.ts';
import { type Answer, call as callUrl, type Json } from './http-client.ts';

export type Call = (
  route: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<Answer>;

export type Service = {
  readonly url: string;
  /** As nobody. */
  readonly call: Call;
  readonly directory: string;
  readonly config: Config;
  /** Log lines so far. */
  readonly lines: string[];
};

export type OwnServer = Service & {
  readonly metricsUrl: string;
  readonly admin: Administration;
};

/** Names without `PINFOLD_`. */
export type Settings = Readonly<Record<string, string>>;

/** Limits are off unless a test sets them: one address makes all the calls here. */
const SETTINGS: Settings = {
  API_PORT: '0',
  METRICS_PORT: '0',
  MIN_FREE_BYTES: '0',
  RATE_LIMIT_PER_SECOND: '0',
  RATE_LIMIT_PER_MINUTE: '0',
  RATE_LIMIT_ANONYMOUS_PER_SECOND: '0',
  RATE_LIMIT_SIGN_IN_PER_MINUTE: '0',
  RATE_LIMIT_PASSWORD_PER_MINUTE: '0',
};

/** Starts the whole server; it ends with the test file. */
export async function startServer(settings: Settings = {}): Promise<OwnServer> {
  const { directory, config } = await newConfig(settings);
  const lines: string[] = [];
  const server = await composeServer({ config, logTo: { write: (line) => void lines.push(line) } });
  after(async () => {
    await server.close({ graceMs: 200 });
    await rm(directory, { recursive: true, force: true });
  });
  const { api: url, metrics: metricsUrl, adminSocket } = server.addresses;
  const admin = adminClient(adminSocket);
  return { url, call: callerOf(url), directory, config, lines, metricsUrl, admin };
}

export type ApiParts = {
  readonly settings?: Settings;
  /** Puts other engines in the place of some of the store's. */
  readonly change?: (store: OpenStore, config: Config) => Promise<Partial<Store>> | Partial<Store>;
  readonly timeouts?: NonNullable<ApiServerOptions['timeouts']>;
};

/** Starts the API alone, over engines of which some may be a test's own. */
export async function startApi(parts: ApiParts = {}) {
  const { directory, config } = await newConfig(parts.settings ?? {});
  const lines: string[] = [];
  const opened = await openStore(config, { log: SILENT_LOG });
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const store = { ...opened, log, ...(await parts.change?.(opened, config)) };
  const { timeouts } = parts;
  let url = '';
  const api = await buildApi(store, {
    config,
    faults: NO_FAULTS,
    publicUrl: () => url,
    ...(timeouts === undefined ? {} : { timeouts }),
  });
  url = await api.listen({ host: '127.0.0.1', port: 0 });
  after(async () => {
    api.server.closeAllConnections();
    await api.close();
    await opened[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  return { url, call: callerOf(url), directory, config, lines, api, store };
}

async function newConfig(settings: Settings) {
  const directory = await mkdtemp(join(tmpdir(), 'pinfold-wire-'));
  const all = { ...SETTINGS, DATA_DIR: join(directory, 'data'), ...settings };
  const config = loadConfig({
    environment: {
      settings: Object.fromEntries(
        Object.entries(all).map(([name, text]) => [`PINFOLD_${name}`, text]),
      ),
      isColorRefused: true,
      isNpmScript: false,
    },
    workingDirectory: directory,
  });
  return { directory, config };
}

function callerOf(url: string): Call {
  return (route, body, headers = {}) =>
    callUrl(url, { route, headers, ...(body === undefined ? {} : { body }) });
}

/** An account and its calls, made with its app key. */
export type Holder = {
  readonly userId: string;
  readonly appKey: string;
  /** The public name in deterministic URLs. */
  readonly slug: string;
  readonly headers: { readonly authorization: string };
  readonly call: Call;
  readonly upload: (name: string, bytes: string | Uint8Array, type?: string) => Promise<Json>;
};

export async function openAccount(service: Pick<Service, 'call'>, username: string) {
  const created = await service.call('POST /users', { username });
  assert.equal(created.status, 200, created.text);
  const appKey = String(created.json['user_app_key']);
  const headers = { authorization: `ApiKey ${appKey}` };
  const call: Call = (route, body, more = {}) => service.call(route, body, { ...headers, ...more });
  const self = await call('GET /user/me');
  const holder: Holder = {
    userId: String(created.json['user_id']),
    appKey,
    slug: String(self.json['account']),
    headers,
    call,
    upload: async (name, bytes, type = 'text/plain') => {
      const route = `POST /upload?file_name=${encodeURIComponent(name)}`;
      const answer = await call(route, bytes, { 'content-type': type });
      assert.equal(answer.status, 202, answer.text);
      return answer.json;
    },
  };
  return holder;
}

/** Headers of a new API token with these scopes only. */
export async function tokenHeaders(server: OwnServer, holder: Holder, scopes: readonly Scope[]) {
  const name = `token ${randomUUID()}`;
  const { token } = await server.admin.createToken(holder.userId, { name, scopes: [...scopes] });
  return { 'x-api-key': token };
}

/** Waits until `claim` holds; fails after a few seconds. */
export async function eventually(claim: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await claim())) {
    assert(Date.now() < deadline, `It did not come true: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
