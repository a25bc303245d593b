/** What restic does with a repository here, whichever way it reaches it. */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { seededRandom } from '../../world/seeded-random.ts';
import { hasProgram } from './has-program.ts';
import { type ProgramEnd, runProgram } from './run-program.ts';
import { type S3Form, type S3World, s3Forms, startS3World } from './s3-world.ts';
import { assertSameTree, makeTree, readTree, type Tree } from './trees.ts';

/** Chunks of several MiB, in several packs. */
const LARGE_BYTES = 20 * 1024 * 1024 + 7;

type Restic = (...args: readonly string[]) => Promise<ProgramEnd>;

/** Registers the tests over one of the forms. */
export function testRestic({ over }: { readonly over: S3Form['name'] }): void {
  for (const form of s3Forms().filter(({ name }) => name === over)) {
    testForm(form);
  }
}

function testForm(form: S3Form): void {
  for (const listing of ['version 1', 'version 2'] as const) {
    test(`restic backs up and restores over ${form.name}, listing by ${listing}`, async (t) => {
      if (!hasProgram('restic')) return t.skip('restic is not installed');
      await using world = await startS3World(form);
      await keepBackups(
        world,
        resticOf(world, { listing, repository: `${world.bucket}/restic/${listing.at(-1)}` }),
      );
    });
  }

  test(`restic makes its bucket over ${form.name}`, async (t) => {
    if (!hasProgram('restic')) return t.skip('restic is not installed');
    await using world = await startS3World(form);
    const bucket = `restic-${process.pid}-${Date.now()}`;
    const restic = resticOf(world, { listing: 'version 2', repository: bucket });
    await restic('init');
    await restic('check');
    await assert.rejects(restic('init'), /already/);
    const { text } = await world.raw.expectDone({ method: 'GET', bucket });
    const keys = [...text.matchAll(/<Key>([^<]*)</g)].map(([, key]) => key);
    for (const key of keys)
      await world.raw.expectDone({ method: 'DELETE', bucket, key: key ?? '' });
    await world.raw.expectDone({ method: 'DELETE', bucket });
  });
}

async function keepBackups({ directory }: S3World, restic: Restic): Promise<void> {
  const folder = join(directory, 'to be kept');
  const first = new Map<string, Buffer>(await makeTree(folder));
  const large = Buffer.from(seededRandom('restic').bytes(LARGE_BYTES));
  await writeFile(join(folder, 'large'), large);
  first.set('large', large);
  await restic('init');
  await restic('backup', folder);
  await restic('check', '--read-data');
  await assertRestored(restic, { folder, into: join(directory, 'first'), tree: first });

  const second = new Map(first);
  second.delete('large');
  second.set('read me.txt', Buffer.from('changed'));
  await rm(join(folder, 'large'));
  await writeFile(join(folder, 'read me.txt'), 'changed');
  await restic('backup', folder);
  const listed = JSON.parse((await restic('snapshots', '--json')).text) as readonly object[];
  assert.equal(listed.length, 2);
  await restic('forget', '--keep-last', '1', '--prune');
  await restic('check', '--read-data');
  await assertRestored(restic, { folder, into: join(directory, 'second'), tree: second });
}

async function assertRestored(
  restic: Restic,
  { folder, into, tree }: { readonly folder: string; readonly into: string; readonly tree: Tree },
): Promise<void> {
  await restic('restore', 'latest', '--target', into);
  assertSameTree(await readTree(join(into, folder)), tree);
}

function resticOf(
  world: S3World,
  options: { readonly listing: 'version 1' | 'version 2'; readonly repository: string },
): Restic {
  const trust = world.caFile === undefined ? [] : ['--cacert', world.caFile];
  const isFirst = options.listing === 'version 1';
  const settings = ['-o', 's3.bucket-lookup=path', '-o', `s3.list-objects-v1=${isFirst}`];
  const variables = {
    RESTIC_REPOSITORY: `s3:${world.endpoint}/${options.repository}`,
    RESTIC_PASSWORD: 'correct horse battery staple',
    RESTIC_CACHE_DIR: join(world.directory, 'restic-cache'),
  };
  return (...args) =>
    runProgram(world, { argv: ['restic', ...trust, ...settings, ...args], variables });
}
