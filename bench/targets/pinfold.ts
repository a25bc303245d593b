/** Pinfold itself, as it is run in production, from this checkout or another. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startChild } from './child.ts';
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
};

const ACCOUNT = 'bench';
const NODE_ARGS = ['--disable-warning=ExperimentalWarning'];

export async function startPinfold(line: PinfoldLine): Promise<StartedTarget> {
  const { root, directory } = line;
  mkdirSync(directory, { recursive: true });
  const variables = {
    NODE_ENV: 'production',
    PINFOLD_DATA_DIR: join(directory, 'data'),
    PINFOLD_API_PORT: '0',
    PINFOLD_METRICS_PORT: '0',
    ...Object.fromEntries(
      Object.entries(PINFOLD_SETTINGS).map(([name, value]) => [`PINFOLD_${name}`, value]),
    ),
  };
  const main = join(root, 'src/main.ts');
  const { child, found } = await startChild(
    {
      // As `npm start` does it, with the same settings of Node.
      command: 'sh',
      args: [join(root, 'scripts/bootstrap.sh'), 'run', 'src/main.ts', 'serve'],
      directory,
      variables: { ...variables, NODE_OPTIONS: line.nodeArgs.join(' ') },
      logFile: join(directory, 'server.log'),
    },
    (log) => /API +http:\/\/[^:\s]+:(\d+)\n[\s\S]*Ctrl-C/.exec(log)?.[1],
  );
  try {
    const admin = async (...args: readonly string[]) => {
      const env = { PATH: process.env['PATH'], ...variables };
      const argv = [...NODE_ARGS, main, '--json', 'admin', ...args];
      return JSON.parse((await run(process.execPath, argv, { env, cwd: directory })).stdout);
    };
    const account = (await admin('accounts', 'create', ACCOUNT)) as { user_app_key: string };
    await admin('accounts', 'limits', ACCOUNT, '--storage', '8000TB', '--egress', '8000TB');
    const target = filesTarget({ name: line.name, port: Number(found) });
    return {
      ...target,
      pid: child.pid,
      credential: account.user_app_key,
      [Symbol.asyncDispose]: child.end,
    };
  } catch (error) {
    await child.end();
    throw error;
  }
}

/** Speaks the Files API; whose process and account it is remains to be said. */
export function filesTarget(where: { readonly name: string; readonly port: number }): Target {
  return {
    name: where.name,
    words: 'durable before the answer; rate limits raised by configuration',
    host: '127.0.0.1',
    port: where.port,
    protocol: 'files',
    takes: () => true,
    pid: undefined,
    credential: '',
    seed: { kind: 'upload' },
  };
}
