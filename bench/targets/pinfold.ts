/** Pinfold itself, as it is run in production, from this checkout or another. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FilesAccess, S3Access } from '../load/plan.ts';
import type { ProtocolName } from '../rows.ts';
import { startChild } from './child.ts';
import { s3Target } from './s3-server.ts';
import type { StartedTarget, Target } from './target.ts';

const run = promisify(execFile);

/** No request of one credential may be refused: a generator is not a person. */
const RATE = '1000000000';

/** What differs from the defaults; said in every report. */
export const PINFOLD_SETTINGS = {
  RATE_LIMIT_PER_SECOND: RATE,
  RATE_LIMIT_PER_MINUTE: RATE,
  RATE_LIMIT_ANONYMOUS_PER_SECOND: RATE,
} as const;

export type PinfoldLine = {
  readonly name: string;
  /** The root of a checkout with its packages installed. */
  readonly root: string;
  /** Made by us: its data and its log. */
  readonly directory: string;
  readonly nodeArgs: readonly string[];
  readonly protocol: ProtocolName;
};

const ACCOUNT = 'bench';
const NODE_ARGS = ['--disable-warning=ExperimentalWarning'];

const WORDS = 'durable before the answer; rate limits raised by configuration';

export async function startPinfold(line: PinfoldLine): Promise<StartedTarget> {
  const { name, root, directory } = line;
  mkdirSync(directory, { recursive: true });
  const variables = {
    NODE_ENV: 'production',
    PINFOLD_DATA_DIR: join(directory, 'data'),
    PINFOLD_API_PORT: '0',
    ...(hasS3(root) ? { PINFOLD_S3_PORT: '0' } : {}),
    PINFOLD_METRICS_PORT: '0',
    ...Object.fromEntries(
      Object.entries(PINFOLD_SETTINGS).map(([setting, value]) => [`PINFOLD_${setting}`, value]),
    ),
  };
  const { child, found } = await startChild(
    {
      // As `npm start` does it, with the same settings of Node.
      command: 'sh',
      args: [join(root, 'scripts/bootstrap.sh'), 'run', 'src/main.ts', 'serve'],
      directory,
      variables: { ...variables, NODE_OPTIONS: line.nodeArgs.join(' ') },
      logFile: join(directory, 'server.log'),
    },
    findPorts,
  );
  const started = { pid: child.pid, [Symbol.asyncDispose]: child.end };
  try {
    const appKey = await makeAccount(line, variables);
    if (line.protocol === 'files') {
      return { ...filesTarget({ name, port: found.api, appKey }), ...started };
    }
    if (found.s3 === undefined) throw new Error(`${name} has no S3 listener.`);
    const access = await makeS3Key(`http://127.0.0.1:${found.api}`, appKey);
    const target = s3Target({ name, port: found.s3, access });
    return { ...target, words: WORDS, role: 'ours', ...started };
  } catch (error) {
    await child.end();
    throw error;
  }
}

/** Speaks the Files API; whose process it is remains to be said. */
export function filesTarget(
  at: Pick<Target, 'name' | 'port'> & Pick<FilesAccess, 'appKey'>,
): Target {
  return {
    name: at.name,
    words: WORDS,
    host: '127.0.0.1',
    port: at.port,
    access: { kind: 'files', appKey: at.appKey },
    takes: () => true,
    pid: undefined,
    seed: { kind: 'upload' },
    role: 'ours',
  };
}

/** A checkout of before S3 refuses a setting that it does not know. */
function hasS3(root: string): boolean {
  return readFileSync(join(root, 'src/config/settings.ts'), 'utf8').includes("'S3_PORT'");
}

/** A checkout of before S3 announces no port of it. */
function findPorts(log: string) {
  if (!log.includes('Ctrl-C')) return undefined;
  const portOf = (listener: string) => {
    const [, port] = new RegExp(`^ +${listener} +https?://[^:\\s]+:(\\d+)`, 'm').exec(log) ?? [];
    return port === undefined ? undefined : Number(port);
  };
  const api = portOf('API');
  return api === undefined ? undefined : { api, s3: portOf('S3') };
}

async function makeAccount(
  { root, directory }: PinfoldLine,
  variables: Readonly<Record<string, string>>,
): Promise<string> {
  const admin = async (...args: readonly string[]) => {
    const env = { PATH: process.env['PATH'], ...variables };
    const argv = [...NODE_ARGS, join(root, 'src/main.ts'), '--json', 'admin', ...args];
    return JSON.parse((await run(process.execPath, argv, { env, cwd: directory })).stdout);
  };
  const account = (await admin('accounts', 'create', ACCOUNT)) as { user_app_key: string };
  await admin('accounts', 'limits', ACCOUNT, '--storage', '8000TB', '--egress', '8000TB');
  return account.user_app_key;
}

/** A key for the account's default bucket. */
async function makeS3Key(url: string, appKey: string): Promise<S3Access> {
  const ask = async <T>(method: string, path: string): Promise<T> => {
    const headers = { authorization: `ApiKey ${appKey}` };
    const answer = await fetch(`${url}${path}`, { method, headers });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
    return JSON.parse(text) as T;
  };
  const bucket = await ask<{ readonly bucket_name: string }>('GET', '/api/s3/bucket');
  const key = await ask<{ readonly access_key_id: string; readonly secret: string }>(
    'POST',
    '/api/s3/keys',
  );
  return {
    kind: 's3',
    bucket: bucket.bucket_name,
    accessKeyId: key.access_key_id,
    secret: key.secret,
    region: 'us-east-1',
  };
}
