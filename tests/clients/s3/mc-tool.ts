/** MinIO's mc, with an alias set as the product page says. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ProgramEnd, runProgram } from './run-program.ts';
import type { S3Steps, S3Tool, StoredFile } from './s3-tool.ts';
import type { S3World } from './s3-world.ts';

export type Mc = S3Tool & {
  run(args: readonly string[], input?: Uint8Array | string): Promise<ProgramEnd>;
};

type Entry = { readonly key: string; readonly type: 'file' | 'folder' };

export async function openMc(
  world: S3World,
  { program }: { readonly program: string },
): Promise<Mc> {
  const config = join(world.directory, 'mc');
  const authorities = join(config, 'certs', 'CAs');
  await mkdir(authorities, { recursive: true });
  if (world.caFile !== undefined) await copyFile(world.caFile, join(authorities, 'ca.crt'));
  const run: Mc['run'] = (args, input = '') =>
    runProgram(world, {
      argv: [program, '--config-dir', config, '--json', ...args],
      input,
    });
  await run(['alias', 'set', 'pinfold', world.endpoint, world.accessKeyId, world.secretAccessKey]);
  return { run, steps: stepsOf(run), stepsAtOnce: 4, [Symbol.asyncDispose]: async () => {} };
}

function stepsOf(run: Mc['run']): S3Steps {
  const there = ({ bucket, key }: Pick<StoredFile, 'bucket' | 'key'>) => `pinfold/${bucket}/${key}`;
  const list = async (...args: readonly string[]) =>
    linesOf(await run(['ls', ...args])) as readonly Entry[];
  return {
    makeBucket: async ({ bucket }) => void (await run(['mb', `pinfold/${bucket}`])),
    removeBucket: async ({ bucket }) => void (await run(['rb', `pinfold/${bucket}`])),
    listBuckets: async () => (await list('pinfold')).map(({ key }) => key.replace(/\/$/, '')),
    put: async ({ file, ...object }) => void (await run(['cp', file, there(object)])),
    get: async ({ file, ...object }) => void (await run(['get', there(object), file])),
    getRange: async ({ first, last, file, ...object }) => {
      // It reads from an offset to the end.
      const { bytes } = await run(['cat', '--offset', String(first), there(object)]);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes.subarray(0, last - first + 1));
    },
    copy: async ({ bucket, from, to }) => {
      await run(['cp', there({ bucket, key: from }), there({ bucket, key: to })]);
    },
    list: async ({ bucket, prefix, delimiter }) => {
      const depth = delimiter === undefined ? ['--recursive'] : [];
      const entries = await list(...depth, there({ bucket, key: prefix }));
      const named = (type: Entry['type']) =>
        entries.filter((entry) => entry.type === type).map(({ key }) => prefix + key);
      return { keys: named('file'), prefixes: named('folder') };
    },
    putChecked: async ({ file, algorithm, ...object }) => {
      await run(['cp', '--checksum', algorithm, file, there(object)]);
      await run(['cp', there(object), file]);
    },
    presign: async (object) => {
      const shared = await run(['share', 'download', '--expire', '10m', there(object)]);
      return String((linesOf(shared)[0] as { readonly share: string }).share);
    },
    deleteKeys: async ({ bucket, keys }) => {
      const names = keys.map((key) => `${there({ bucket, key })}\n`).join('');
      await run(['rm', '--force', '--stdin'], names);
    },
    syncUp: async ({ folder, bucket, prefix }) => {
      await run(['mirror', '--overwrite', '--remove', folder, there({ bucket, key: prefix })]);
    },
    syncDown: async ({ folder, bucket, prefix }) => {
      await mkdir(folder, { recursive: true });
      await run(['mirror', '--overwrite', '--remove', there({ bucket, key: prefix }), folder]);
    },
  };
}

/** It says a JSON document a line. */
export function linesOf({ text }: ProgramEnd): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
