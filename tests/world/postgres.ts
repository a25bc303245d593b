/**
 * A throwaway PostgreSQL for tests: a cluster of its own, or the one that the test runner started.
 */
import { strict as assert } from 'node:assert';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';

const run = promisify(execFile);

/** Where Debian's packages put the server's programs, one folder a major version. */
const PACKAGES = '/usr/lib/postgresql';
/** A server started by the runner for all test files. */
const SHARED_URL_SETTING = 'PINFOLD_TEST_DATABASE_URL';

export type TestPostgres = AsyncDisposable & {
  /** Address of the server's own `postgres` database. */
  readonly url: string;
  /** Makes an empty database and answers its address. */
  freshDatabase(): Promise<string>;
};

/** Answers `undefined` when the machine has no PostgreSQL: such tests are skipped, loudly. */
export async function startPostgres(): Promise<TestPostgres | undefined> {
  const shared = process.env[SHARED_URL_SETTING];
  // The runner's server ends with the run, and its databases with it: to drop one after another
  // what a file made (130 of 300 files each) outlasts the grace of a test file on a busy disk.
  if (shared !== undefined && shared !== '') return serverAt(shared, async () => {});
  const programs = await findPrograms();
  if (programs === undefined) return undefined;
  return startCluster(programs);
}

async function findPrograms(): Promise<string | undefined> {
  const versions = await readdir(PACKAGES).catch(() => []);
  const newest = versions.toSorted((a, b) => Number(b) - Number(a)).at(0);
  return newest === undefined ? undefined : join(PACKAGES, newest, 'bin');
}

async function startCluster(programs: string): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-postgres-'));
  const cluster = join(folder, 'cluster');
  const runAs = await ownerFor(folder);
  const stop = async () => {
    await runAs(join(programs, 'pg_ctl'), ['-D', cluster, '-m', 'immediate', '-w', 'stop']);
    // Nobody waits for the disk to forget them.
    spawn('rm', ['-rf', folder], { detached: true, stdio: 'ignore' }).unref();
  };
  try {
    const account = ['-U', 'pinfold', '-A', 'trust', '-E', 'UTF8'];
    await runAs(join(programs, 'initdb'), ['-D', cluster, '--no-sync', ...account]);
    // Nothing here outlives the test, so nothing is synced. The socket's folder is the address: no
    // port can be taken by another.
    const settings = [
      "listen_addresses=''",
      `unix_socket_directories='${folder}'`,
      'fsync=off',
      'full_page_writes=off',
      'max_connections=200',
    ];
    const server = settings.map((setting) => `-c ${setting}`).join(' ');
    const options = ['-D', cluster, '-w', '-l', join(folder, 'log'), '-o', server];
    await runAs(join(programs, 'pg_ctl'), [...options, 'start']);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
  const address = new URL('postgres://pinfold@localhost/postgres');
  address.searchParams.set('host', folder);
  return serverAt(address.href, stop);
}

type RunAs = (program: string, args: readonly string[]) => Promise<void>;

/** PostgreSQL refuses to run as root, so its package's own user runs it there. */
async function ownerFor(folder: string): Promise<RunAs> {
  const cwd = folder;
  if (process.getuid?.() !== 0) return (program, args) => finished(program, args, { cwd });
  const idOf = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  const [uid, gid] = [await idOf('-u'), await idOf('-g')];
  assert(Number.isSafeInteger(uid) && Number.isSafeInteger(gid), 'there is a user postgres');
  await chown(folder, uid, gid);
  return (program, args) => finished(program, args, { cwd, uid, gid });
}

/** Without pipes: the server that `pg_ctl` leaves behind would hold them open. */
async function finished(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly uid?: number; readonly gid?: number },
): Promise<void> {
  const child = spawn(program, args, { ...options, stdio: 'ignore' });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, `${program} ${args.join(' ')} ended with ${code}`);
}

function serverAt(url: string, stop: () => Promise<void>): TestPostgres {
  return {
    url,
    async freshDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`;
      await command(url, `create database ${name} template template0`);
      const address = new URL(url);
      address.pathname = `/${name}`;
      return address.href;
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function command(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
}
