/** The AWS command line, its endpoint named with each command as the product page shows. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ProgramEnd, runProgram } from './run-program.ts';
import type { S3Steps, S3Tool } from './s3-tool.ts';
import type { S3World } from './s3-world.ts';

const DELETED_AT_ONCE_MAX = 1000;

export type AwsCli = S3Tool & {
  run(...args: readonly string[]): Promise<ProgramEnd>;
};

export function openAwsCli(world: S3World, { program }: { readonly program: string }): AwsCli {
  const { caFile, directory, endpoint } = world;
  const variables = {
    // Nothing is tried again: what fails once is a fault of the server.
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
    ...(caFile === undefined ? {} : { AWS_CA_BUNDLE: caFile }),
  };
  const run = (...args: readonly string[]) =>
    runProgram(world, { argv: [program, '--endpoint-url', endpoint, ...args], variables });
  return {
    run,
    steps: stepsOf(run, directory),
    // Starting Python takes longer than any request.
    stepsAtOnce: 3,
    [Symbol.asyncDispose]: async () => {},
  };
}

function stepsOf(run: AwsCli['run'], directory: string): S3Steps {
  const api = (command: string, object: Readonly<Record<string, string>>, ...last: string[]) => {
    const named = Object.entries(object).map(([name, value]) => `--${name}=${value}`);
    return run('s3api', command, '--output=json', ...named, ...last);
  };
  return {
    makeBucket: async ({ bucket }) => void (await run('s3', 'mb', `s3://${bucket}`)),
    removeBucket: async ({ bucket }) => void (await run('s3', 'rb', `s3://${bucket}`)),
    listBuckets: async () => {
      const { text } = await run('s3', 'ls');
      return text.split('\n').map((line) => line.split(' ').at(-1) ?? '');
    },
    put: async ({ bucket, key, file }) => {
      // A slash at the end means a folder to `cp`, which then appends the file's name.
      if (key.endsWith('/')) await api('put-object', { bucket, key, body: file });
      else await run('s3', 'cp', file, `s3://${bucket}/${key}`);
    },
    get: async ({ bucket, key, file }) => {
      if (key.endsWith('/')) await api('get-object', { bucket, key }, file);
      else await run('s3', 'cp', `s3://${bucket}/${key}`, file);
    },
    getRange: async ({ bucket, key, first, last, file }) => {
      await api('get-object', { bucket, key, range: `bytes=${first}-${last}` }, file);
    },
    copy: async ({ bucket, from, to }) => {
      await run('s3', 'cp', `s3://${bucket}/${from}`, `s3://${bucket}/${to}`);
    },
    list: async ({ bucket, prefix, delimiter }) => {
      const { text } = await api('list-objects-v2', {
        bucket,
        prefix,
        ...(delimiter === undefined ? {} : { delimiter }),
      });
      const { Contents = [], CommonPrefixes = [] } = JSON.parse(text || '{}') as ListedPage;
      return {
        keys: Contents.map(({ Key }) => Key),
        prefixes: CommonPrefixes.map(({ Prefix }) => Prefix),
      };
    },
    putChecked: async ({ bucket, key, file, algorithm }) => {
      await api('put-object', { bucket, key, body: file, 'checksum-algorithm': algorithm });
      const { text } = await api('get-object', { bucket, key, 'checksum-mode': 'ENABLED' }, file);
      const kept = JSON.parse(text) as Readonly<Record<string, string>>;
      if (kept[`Checksum${algorithm}`] === undefined) throw new Error(`no ${algorithm}: ${text}`);
    },
    presign: async ({ bucket, key }) =>
      (await run('s3', 'presign', `s3://${bucket}/${key}`, '--expires-in', '300')).text.trim(),
    deleteKeys: async ({ bucket, keys }) => {
      for (let at = 0; at < keys.length; at += DELETED_AT_ONCE_MAX) {
        const Objects = keys.slice(at, at + DELETED_AT_ONCE_MAX).map((Key) => ({ Key }));
        const file = join(directory, 'deleted.json');
        await writeFile(file, JSON.stringify({ Objects, Quiet: true }));
        const { text } = await api('delete-objects', { bucket, delete: `file://${file}` });
        if (text.includes('"Errors"')) throw new Error(text);
      }
    },
    syncUp: async ({ bucket, prefix, folder }) => {
      await run('s3', 'sync', '--delete', folder, `s3://${bucket}/${prefix}`);
    },
    syncDown: async ({ bucket, prefix, folder }) => {
      await run('s3', 'sync', '--delete', `s3://${bucket}/${prefix}`, folder);
    },
  };
}

type ListedPage = {
  readonly Contents?: readonly { readonly Key: string }[];
  readonly CommonPrefixes?: readonly { readonly Prefix: string }[];
};
