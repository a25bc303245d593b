/** Proves that a bucket mounts as a folder by s3fs: written, read, renamed, changed and removed. */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasProgram } from './has-program.ts';
import { runProgram, tryProgram } from './run-program.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import type { MountedFolder } from './s3fs-steps.ts';

for (const form of s3Forms()) {
  test(`s3fs mounts a bucket over ${form.name}`, async (t) => {
    const obstacle = findObstacle();
    if (obstacle !== undefined) return t.skip(obstacle);
    await using world = await startS3World(form);
    await using mounted = await mount(world);
    const { endpoint, accessKeyId, secretAccessKey, region, caFile, bucket } = world;
    const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
    const address = { endpoint, accessKeyId, secretAccessKey, region, ca };
    const input: MountedFolder = { folder: mounted.folder, bucket, address };
    const steps = join(import.meta.dirname, 's3fs-steps.ts');
    await runProgram(world, {
      argv: [process.execPath, '--no-warnings', steps, JSON.stringify(input)],
    });
  });
}

function findObstacle(): string | undefined {
  if (!hasProgram('s3fs')) return 's3fs is not installed';
  if (!existsSync('/dev/fuse')) return 'there is no FUSE';
  return undefined;
}

/** Nothing of what it learned before the mount's end is kept, so that each look asks the server. */
async function mount(world: S3World): Promise<AsyncDisposable & { readonly folder: string }> {
  const at = (name: string) => join(world.directory, name);
  const folder = at('mounted');
  await mkdir(folder);
  await writeFile(at('s3fs-keys'), `${world.accessKeyId}:${world.secretAccessKey}`, {
    mode: 0o600,
  });
  const options = [
    `passwd_file=${at('s3fs-keys')}`,
    `url=${world.endpoint}`,
    `endpoint=${world.region}`,
    'use_path_request_style',
    'stat_cache_expire=0',
    'multipart_size=10',
    // It looks for another authority only when it tries again.
    'retries=3',
  ];
  const variables = world.caFile === undefined ? {} : { CURL_CA_BUNDLE: world.caFile };
  const argv = ['s3fs', world.bucket, folder, ...options.flatMap((option) => ['-o', option])];
  await runProgram(world, { argv, variables });
  return {
    folder,
    [Symbol.asyncDispose]: async () => {
      const { exitCode } = await tryProgram(world, { argv: ['fusermount3', '-u', folder] });
      // Nothing is mounted where the mount itself failed; then this one fails too.
      if (exitCode !== 0) await tryProgram(world, { argv: ['umount', '--lazy', folder] });
    },
  };
}
