/** A real server for a test file: free ports, a directory of its own, and accounts to speak as. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { after } from 'node:test';
import { buildApi } from '../../src/compose/build-api.ts';
import { type OpenStore, openStore, type Store } from '../../src/compose/open-store.ts';
import { type Config, s3PublicUrlOf } from '../../src/config/config.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import type { Scope } from '../../src/core/principal.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import type { Administration } from '../../src/dialects/admin/administration.ts';
import { createLog, SILENT_LOG } from '../../src/observe/log.ts';
import type { ApiTimeouts } from '../../src/server/listener/api-server.ts';
import { openShell, type Shell } from '../../src/server/listener/shell.ts';
import {
  freshDirectory,
  startServer as startWorldServer,
  type TestSettings,
  testConfig,
} from '../world/server.ts';
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
  readonly config: Config;
  /** Log lines so far. */
  readonly lines: string[];
};

export type OwnServer = Service & {
  readonly metricsUrl: string;
  readonly admin: Administration;
};

/** Starts the whole server; it ends with the test file. */
export async function startServer(settings: TestSettings = {}): Promise<OwnServer> {
  const lines: string[] = [];
  const logTo = { write: (line: string) => void lines.push(line) };
  const server = await startWorldServer({ settings, logTo });
  after(() => server[Symbol.asyncDispose]());
  const { url, metricsUrl, adminSocket, config } = server;
  return { url, call: callerOf(url), config, lines, metricsUrl, admin: adminClient(adminSocket) };
}

export type ApiParts = {
  readonly settings?: TestSettings;
  /** Puts other engines in the place of some of the store's. */
  readonly change?: (
    store: OpenStore,
    config: Config,
  ) => Promise<Partial<Store & Shell>> | Partial<Store & Shell>;
  readonly timeouts?: ApiTimeouts;
};

/** Starts the API alone, over engines of which some may be a test's own. */
export async function startApi(parts: ApiParts = {}) {
  const directory = await freshDirectory();
  const config = testConfig(directory, parts.settings);
  const lines: string[] = [];
  const opened = await openStore(config, { log: SILENT_LOG });
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const shell = openShell({ ...opened, log }, config);
  const store = { ...opened, ...shell, log, ...(await parts.change?.(opened, config)) };
  const { timeouts } = parts;
  let url = '';
  const api = await buildApi(store, {
    config,
    faults: NO_FAULTS,
    publicUrl: () => url,
    s3PublicUrl: () => s3PublicUrlOf(config, config.s3.port),
    ...(timeouts === undefined ? {} : { timeouts }),
  });
  url = await api.listen({ host: '127.0.0.1', port: 0 });
  after(async () => {
    api.server.closeAllConnections();
    await api.close();
    await opened[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  return { url, call: callerOf(url), config, lines, api, store };
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

/** Waits until `claim` holds; fails after ten seconds. */
export async function eventually(claim: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await claim())) {
    assert(Date.now() < deadline, `It did not come true: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
