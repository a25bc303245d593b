/** Proves that rclone keeps times, sums and trees, by both of the listings that it knows. */
import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { hasProgram } from './has-program.ts';
import { NOTHING_TRANSFERRED, openRclone, type Rclone } from './rclone-tool.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import { assertSameTree, makeTree, readTree } from './trees.ts';

const findObstacle = () => (hasProgram('rclone') ? undefined : 'rclone is not installed');
const LARGE = Buffer.alloc(11 * 1024 * 1024, 'no multiple of a part: ');

for (const form of s3Forms()) {
  // Minio's preset lists by version 2 with encoded names, and compares the ETags of large objects.
  for (const provider of ['Other', 'Minio'] as const) {
    test(`rclone for ${provider} keeps times, sums and trees over ${form.name}`, async (t) => {
      const obstacle = findObstacle();
      if (obstacle !== undefined) return t.skip(obstacle);
      await using world = await startS3World(form);
      await using rclone = await openRclone(world, { provider });
      await keepTree(world, rclone);
      await keepTimes(world, rclone);
      await streamAndMove(world, rclone);
    });
  }
}

async function keepTree({ bucket, directory }: S3World, { run, attempt }: Rclone): Promise<void> {
  const folder = join(directory, 'tree');
  const tree = new Map(await makeTree(folder));
  await writeFile(join(folder, 'large'), LARGE);
  tree.set('large', LARGE);
  const there = `pinfold:${bucket}/rclone tree`;
  await run('copy', folder, there);
  await run('check', folder, there);
  await run('check', '--download', folder, there);
  const again = await attempt('sync', '--error-on-no-transfer', folder, there);
  assert.equal(again.exitCode, NOTHING_TRANSFERRED, 'sizes, times and sums are those it sent');
  await run('sync', there, join(directory, 'tree back'));
  assertSameTree(await readTree(join(directory, 'tree back')), tree);
  const sums = (await run('md5sum', there)).text;
  assert.equal(sums.trim().split('\n').length, tree.size);
  await run('sync', there, `pinfold:${bucket}/rclone copy`);
  await run('check', '--download', there, `pinfold:${bucket}/rclone copy`);
  await run('purge', there);
  assert.equal((await run('lsf', '-R', there)).text, '');
}

async function keepTimes({ bucket, directory, raw }: S3World, { run }: Rclone): Promise<void> {
  const [name, at] = ['with time.txt', new Date('2001-02-03T04:05:06.789Z')];
  const folder = join(directory, 'times');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), 'kept');
  await utimes(join(folder, name), at, at);
  await run('copy', folder, `pinfold:${bucket}`);
  const timeOf = async () => {
    const entries = JSON.parse(
      (await run('lsjson', '--files-only', `pinfold:${bucket}/${name}`)).text,
    );
    return new Date((entries as readonly { ModTime: string }[])[0]?.ModTime ?? 0).toISOString();
  };
  assert.equal(await timeOf(), at.toISOString());
  // It copies the object onto itself with other metadata.
  await run('touch', '--timestamp', '2002-03-04T05:06:07', `pinfold:${bucket}/${name}`);
  assert.equal(await timeOf(), '2002-03-04T05:06:07.000Z');
  const { headers, text } = await raw.expectDone({ method: 'GET', bucket, key: name });
  assert.equal(text, 'kept');
  assert.match(headers['content-type'] ?? '', /^text\/plain/);
  assert.equal(Number(headers['x-amz-meta-mtime']), 1015218367);
}

async function streamAndMove({ bucket }: S3World, { run, pipe }: Rclone): Promise<void> {
  const there = `pinfold:${bucket}/streamed`;
  await pipe(LARGE, 'rcat', there);
  await run('moveto', there, `${there} and moved`);
  assert.ok((await run('cat', `${there} and moved`)).bytes.equals(LARGE));
  assert.equal(
    (await run('lsf', '--files-only', `pinfold:${bucket}`, '--include', 'streamed*')).text,
    'streamed and moved\n',
  );
  const left = await run('backend', 'list-multipart-uploads', `pinfold:${bucket}`);
  assert.deepEqual(JSON.parse(left.text), { [bucket]: [] });
}
