/** rclone, configured as the product page says. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ProgramEnd, runProgram, tryProgram } from './run-program.ts';
import type { S3Steps, S3Tool, StoredFile } from './s3-tool.ts';
import type { S3World } from './s3-world.ts';

type Run = (...args: readonly string[]) => Promise<ProgramEnd>;

export type Rclone = S3Tool & {
  readonly run: Run;
  /** Whatever it ends with. */
  readonly attempt: Run;
  /** With this on its standard input. */
  pipe(input: Uint8Array, ...args: readonly string[]): Promise<ProgramEnd>;
};

/** What it ends with when it was told that this is an error. */
export const NOTHING_TRANSFERRED = 9;

/** `Other` lists by version 1; `Minio` by version 2, and it checks the ETags of large objects. */
export async function openRclone(
  world: S3World,
  { provider }: { readonly provider: 'Other' | 'Minio' },
): Promise<Rclone> {
  const config = join(world.directory, `rclone-${provider}.conf`);
  await writeFile(config, configurationOf(world, provider));
  // Nothing is tried again: what fails once is a fault of the server.
  const settings = ['--config', config, '--retries', '1', '--low-level-retries', '1'];
  const parts = ['--s3-upload-cutoff', '5Mi', '--s3-chunk-size', '5Mi'];
  const trust = world.caFile === undefined ? [] : ['--ca-cert', world.caFile];
  const argv = ['rclone', ...settings, ...parts, ...trust];
  const run: Run = (...args) => runProgram(world, { argv: [...argv, ...args] });
  const attempt: Run = (...args) => tryProgram(world, { argv: [...argv, ...args] });
  return {
    run,
    attempt,
    pipe: (input, ...args) => runProgram(world, { argv: [...argv, ...args], input }),
    steps: stepsOf({ run, attempt }, world),
    stepsAtOnce: 4,
    [Symbol.asyncDispose]: async () => {},
  };
}

function configurationOf(world: S3World, provider: string): string {
  return [
    '[pinfold]',
    'type = s3',
    `provider = ${provider}`,
    `endpoint = ${world.endpoint}`,
    `access_key_id = ${world.accessKeyId}`,
    `secret_access_key = ${world.secretAccessKey}`,
    `region = ${world.region}`,
    'acl = private',
    '',
  ].join('\n');
}

function stepsOf(
  { run, attempt }: Pick<Rclone, 'run' | 'attempt'>,
  world: S3World,
): Omit<S3Steps, 'putChecked'> {
  const there = ({ bucket, key }: Pick<StoredFile, 'bucket' | 'key'>) => `pinfold:${bucket}/${key}`;
  const lines = ({ text }: ProgramEnd) => text.split('\n').filter((line) => line !== '');
  return {
    makeBucket: async ({ bucket }) => void (await run('mkdir', `pinfold:${bucket}`)),
    removeBucket: async ({ bucket }) => void (await run('rmdir', `pinfold:${bucket}`)),
    listBuckets: async () => lines(await run('lsf', 'pinfold:')).map((line) => line.slice(0, -1)),
    put: async (input) => void (await run('copyto', input.file, there(input))),
    get: async (input) => {
      // It takes what it cannot find for an empty folder.
      const { exitCode, notes } = await attempt(
        'copyto',
        '--error-on-no-transfer',
        there(input),
        input.file,
      );
      const reason = exitCode === NOTHING_TRANSFERRED ? 'the object does not exist' : notes;
      assert.equal(exitCode, 0, reason);
    },
    getRange: async ({ first, last, file, ...object }) => {
      const range = ['--offset', String(first), '--count', String(last - first + 1)];
      const { bytes } = await run('cat', ...range, there(object));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    },
    copy: async ({ bucket, from, to }) => {
      await run('copyto', there({ bucket, key: from }), there({ bucket, key: to }));
    },
    list: async ({ bucket, prefix, delimiter }) => {
      const depth = delimiter === undefined ? ['--recursive', '--fast-list'] : [];
      const { text } = await run('lsjson', ...depth, there({ bucket, key: prefix }));
      const entries = JSON.parse(text) as readonly { Path: string; IsDir: boolean }[];
      const named = (isFolder: boolean) =>
        entries.filter(({ IsDir }) => IsDir === isFolder).map(({ Path }) => prefix + Path);
      const prefixes = delimiter === undefined ? [] : named(true).map((path) => `${path}/`);
      return { keys: named(false), prefixes };
    },
    presign: async (object) => (await run('link', '--expire', '10m', there(object))).text.trim(),
    deleteKeys: async ({ bucket, keys }) => {
      const list = join(world.directory, 'rclone-files');
      await writeFile(list, keys.map((key) => `${key}\n`).join(''));
      await run('delete', '--files-from-raw', list, '--checkers', '16', `pinfold:${bucket}`);
    },
    syncUp: async ({ folder, ...to }) => {
      await run('sync', folder, there({ ...to, key: to.prefix }));
    },
    syncDown: async ({ folder, ...from }) => {
      await run('sync', there({ ...from, key: from.prefix }), folder);
    },
  };
}
