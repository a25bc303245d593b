/** Real servers for tests, in this process or as a child, and accounts to speak as. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { composeServer } from '../../src/compose/compose-server.ts';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { environmentOf } from '../../src/config/env.ts';
import type { FaultPoints } from '../../src/core/ports/fault-points.ts';
import type { Wallet } from './wallets.ts';

/** As scripts/bootstrap.sh starts Node: what is measured here is what is run. */
const NODE_FLAGS = [
  '--min-semi-space-size=8',
  '--heap-growing-percent=150',
  '--max-semi-space-size=8',
  '--expose-gc',
  '--max-old-space-size=1024',
  '--external-memory-accounted-in-global-limit',
  '--disable-warning=ExperimentalWarning',
];

/** Names without `PINFOLD_`. */
export type TestSettings = Readonly<Record<string, string>>;

/** Free ports, and no limits that one machine making all the calls would meet. */
const SETTINGS: TestSettings = {
  API_PORT: '0',
  S3_PORT: '0',
  METRICS_PORT: '0',
  MIN_FREE_BYTES: '0',
  RATE_LIMIT_PER_SECOND: '0',
  RATE_LIMIT_PER_MINUTE: '0',
  RATE_LIMIT_ANONYMOUS_PER_SECOND: '0',
  RATE_LIMIT_SIGN_IN_PER_MINUTE: '0',
  RATE_LIMIT_PASSWORD_PER_MINUTE: '0',
};

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts');
const START_TIMEOUT_MS = 60_000;

export type TestServer = AsyncDisposable & {
  readonly url: string;
  /** Of the S3 listener. */
  readonly s3Url: string;
  readonly metricsUrl: string;
  readonly adminSocket: string;
  readonly config: Config;
  /** Holds the data directory and is removed with the server. */
  readonly directory: string;
};

/** A server in this process. Its log is silent unless it is written to somewhere. */
export async function startServer(
  options: {
    readonly settings?: TestSettings;
    readonly faults?: FaultPoints;
    readonly logTo?: { write(line: string): void };
  } = {},
): Promise<TestServer> {
  const { faults, logTo, settings = {} } = options;
  const directory = await freshDirectory();
  const level: TestSettings = logTo === undefined ? { LOG_LEVEL: 'silent' } : {};
  const config = testConfig(directory, { ...level, ...settings });
  const server = await composeServer({
    config,
    ...(faults === undefined ? {} : { faults }),
    ...(logTo === undefined ? {} : { logTo }),
  });
  return {
    url: server.addresses.api,
    s3Url: server.addresses.s3,
    metricsUrl: server.addresses.metrics,
    adminSocket: server.addresses.adminSocket,
    config,
    directory,
    [Symbol.asyncDispose]: async () => {
      await server.close({ graceMs: 200 });
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The configuration of a server over the data directory `data` in `directory`. */
export function testConfig(directory: string, settings: TestSettings = {}): Config {
  return loadConfig({
    environment: environmentOf(variablesOf(settings)),
    workingDirectory: directory,
  });
}

export type ChildServer = AsyncDisposable & {
  readonly url: string;
  readonly pid: number;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  kill(signal: 'SIGKILL' | 'SIGTERM'): void;
  /** Writes a line to its standard input. */
  tell(line: string): void;
};

/**
 * A server in a process of its own, over the data directory `data` in `directory`, which outlives
 * it. `program` is a file and its arguments that says where it listens as `pinfold serve` does.
 */
export async function startChild(options: {
  readonly directory: string;
  readonly settings?: TestSettings;
  readonly program?: readonly string[];
  /** A command that runs the program, such as a tracer, with its own arguments. */
  readonly runBy?: readonly string[];
}): Promise<ChildServer> {
  const { directory, settings = {}, program = [MAIN, 'serve'], runBy = [] } = options;
  const node = [process.execPath, ...NODE_FLAGS, ...program];
  const [command = process.execPath, ...args] = [...runBy, ...node];
  const child = spawn(command, args, {
    cwd: directory,
    // NOTE: the runner's own variables would be refused as unknown settings.
    env: { PATH: process.env['PATH'], ...variablesOf({ LOG_LEVEL: 'warn', ...settings }) },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => code ?? signal);
  const url = await listeningUrl(child, exited);
  return {
    url,
    pid: child.pid ?? 0,
    exited,
    kill: (signal) => void child.kill(signal),
    tell: (line) => void child.stdin.write(`${line}\n`),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** A directory of one's own in the system's temporary one. */
export async function freshDirectory(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'pinfold-test-'));
}

/** Opens a username account and answers its app key. */
export async function openUser(url: string, username: string): Promise<string> {
  const { user_app_key: appKey } = await post(`${url}/users`, { username });
  return String(appKey);
}

/** Signs a wallet in, which opens its account the first time, and answers its app key. */
export async function openWalletUser(url: string, wallet: Wallet): Promise<string> {
  const challenge = await post(`${url}/auth/siws/challenge`, { wallet_public_key: wallet.address });
  const tokens = await post(`${url}/auth/siws/verify`, {
    ...challenge,
    wallet_public_key: wallet.address,
    signature_b64: wallet.sign(String(challenge['message'])),
  });
  const response = await fetch(`${url}/user/me`, {
    headers: { authorization: `Bearer ${tokens['access_token']}` },
  });
  assert.equal(response.status, 200);
  const self = (await response.json()) as Readonly<Record<string, unknown>>;
  return String(self['user_app_key']);
}

function variablesOf(settings: TestSettings): Record<string, string> {
  return Object.fromEntries(
    Object.entries({ ...SETTINGS, ...settings }).map(([name, text]) => [`PINFOLD_${name}`, text]),
  );
}

async function listeningUrl(
  child: ChildProcess,
  exited: Promise<number | string>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let notes = '';
  child.stderr?.on('data', (chunk) => {
    notes += String(chunk);
    const url = /API +(\S+)\n/.exec(notes)?.[1];
    if (url !== undefined) resolve(url);
  });
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new Error(`the server did not start in time: ${notes}`));
  }, START_TIMEOUT_MS);
  exited.then((code) => reject(new Error(`the server ended with ${code}: ${notes}`)), reject);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function post(url: string, body: object): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return JSON.parse(text) as Readonly<Record<string, unknown>>;
}
