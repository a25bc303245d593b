/** s3cmd, configured by host_base and host_bucket as the product page says. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ProgramEnd, type ProgramRun, runProgram, tryProgram } from './run-program.ts';
import type { S3Steps, S3Tool, StoredFile } from './s3-tool.ts';
import type { S3World } from './s3-world.ts';

export type S3cmd = S3Tool & {
  run(...args: readonly string[]): Promise<ProgramEnd>;
  /** Whatever it ends with. */
  attempt(...args: readonly string[]): Promise<ProgramEnd>;
};

const LISTED = /^\d{4}-\d\d-\d\d \d\d:\d\d +\d+ +s3:\/\/[^/]+\/(.*)$/s;
const FOLDER = /^ +DIR +s3:\/\/[^/]+\/(.*)$/s;
const BUCKET = /^\d{4}-\d\d-\d\d \d\d:\d\d +s3:\/\/(.+)$/;

export async function openS3cmd(world: S3World): Promise<S3cmd> {
  const config = join(world.directory, 's3cfg');
  await writeFile(config, configurationOf(world));
  // It asks for parts from 15 MiB on; 5 MiB is the least that a server must take.
  const settings = ['--config', config, '--no-progress', '--multipart-chunk-size-mb=5'];
  const lineOf = (args: readonly string[]): ProgramRun => ({
    argv: ['s3cmd', ...settings, ...args],
  });
  const run: S3cmd['run'] = (...args) => runProgram(world, lineOf(args));
  return {
    run,
    attempt: (...args) => tryProgram(world, lineOf(args)),
    steps: stepsOf(run),
    stepsAtOnce: 4,
    [Symbol.asyncDispose]: async () => {},
  };
}

function configurationOf(world: S3World): string {
  const { host, protocol } = new URL(world.endpoint);
  const isTls = protocol === 'https:' ? 'True' : 'False';
  return [
    '[default]',
    `access_key = ${world.accessKeyId}`,
    `secret_key = ${world.secretAccessKey}`,
    `host_base = ${host}`,
    `host_bucket = ${host}`,
    `use_https = ${isTls}`,
    `signurl_use_https = ${isTls}`,
    ...(world.caFile === undefined ? [] : [`ca_certs_file = ${world.caFile}`]),
    '',
  ].join('\n');
}

function stepsOf(run: S3cmd['run']): Omit<S3Steps, 'putChecked' | 'presign'> {
  const there = ({ bucket, key }: Pick<StoredFile, 'bucket' | 'key'>) => `s3://${bucket}/${key}`;
  const matches = ({ text }: ProgramEnd, pattern: RegExp) =>
    text.split('\n').flatMap((line) => pattern.exec(line)?.[1] ?? []);
  const get: S3Steps['get'] = async ({ file, ...object }) => {
    await mkdir(dirname(file), { recursive: true });
    await run('get', '--force', there(object), file);
  };
  return {
    makeBucket: async ({ bucket }) => void (await run('mb', `s3://${bucket}`)),
    removeBucket: async ({ bucket }) => void (await run('rb', `s3://${bucket}`)),
    listBuckets: async () => matches(await run('ls'), BUCKET),
    put: async ({ file, ...object }) => void (await run('put', file, there(object))),
    get,
    getRange: async ({ first, last, file, ...object }) => {
      // It continues a file from where that ends, up to the object's end.
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, Buffer.alloc(first));
      if (first === 0) await get({ ...object, file });
      else await run('get', '--continue', there(object), file);
      await writeFile(file, (await readFile(file)).subarray(first, last + 1));
    },
    copy: async ({ bucket, from, to }) => {
      await run('cp', there({ bucket, key: from }), there({ bucket, key: to }));
    },
    list: async ({ bucket, prefix, delimiter }) => {
      const depth = delimiter === undefined ? ['--recursive'] : [];
      const listed = await run('ls', ...depth, there({ bucket, key: prefix }));
      return { keys: matches(listed, LISTED), prefixes: matches(listed, FOLDER) };
    },
    deleteKeys: async ({ bucket, keys }) => {
      await run('del', '--force', ...keys.map((key) => there({ bucket, key })));
    },
    syncUp: async ({ bucket, prefix, folder }) => {
      await run('sync', '--delete-removed', `${folder}/`, there({ bucket, key: prefix }));
    },
    syncDown: async ({ bucket, prefix, folder }) => {
      await mkdir(folder, { recursive: true });
      await run('sync', '--delete-removed', there({ bucket, key: prefix }), `${folder}/`);
    },
  };
}
