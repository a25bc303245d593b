/** Proves that MinIO's mc works unchanged, forms and probes of its own included. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findBuiltProgram } from '../../world/built-programs.ts';
import { linesOf, type Mc, openMc } from './mc-tool.ts';
import { testRoundTrip } from './round-trip.ts';
import { runProgram } from './run-program.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import { assertSameTree, makeTree, readTree } from './trees.ts';

const program = findBuiltProgram('mc');
const findObstacle = () => (program === undefined ? 'mc could not be built' : undefined);
const open = (world: S3World) => openMc(world, { program: program ?? '' });
const STREAMED = Buffer.alloc(12 * 1024 * 1024 + 1, 'of unknown length ');

testRoundTrip({ name: 'mc', findObstacle, open });

for (const form of s3Forms()) {
  test(`mc streams, tags, probes and removes over ${form.name}`, async (t) => {
    const obstacle = findObstacle();
    if (obstacle !== undefined) return t.skip(obstacle);
    await using world = await startS3World(form);
    await using mc = await open(world);
    await streamAndMove(world, mc);
    await describeAndTag(world, mc);
    await postForm(world, mc);
    await probeBucket(world, mc);
    await mirrorAndRemove(world, mc);
  });
}

async function streamAndMove({ bucket, directory }: S3World, { run }: Mc): Promise<void> {
  const there = `pinfold/${bucket}/mc/streamed`;
  await run(['pipe', '--part-size', '5MiB', there], STREAMED);
  await run(['mv', there, `${there} and moved`]);
  await assert.rejects(run(['cat', there]), /does not exist/);
  await run(['cp', `${there} and moved`, join(directory, 'mc-streamed')]);
  assert.ok((await readFile(join(directory, 'mc-streamed'))).equals(STREAMED));
  const tail = await run(['cat', '--tail', '5', `${there} and moved`]);
  assert.ok(tail.bytes.equals(STREAMED.subarray(-5)));
}

async function describeAndTag({ bucket }: S3World, { run }: Mc): Promise<void> {
  const there = `pinfold/${bucket}/mc/described.txt`;
  const attributes = 'Cache-Control=max-age=90000;Artist=Unknown';
  await run(['pipe', '--attr', attributes, '--tags', 'k1=v1&k2=v 2', there], 'described');
  const [stat] = linesOf(await run(['stat', there])) as readonly {
    readonly size: number;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  assert.equal(stat?.size, 9);
  assert.equal(stat.metadata['Cache-Control'], 'max-age=90000');
  assert.equal(stat.metadata['X-Amz-Meta-Artist'], 'Unknown');
  const tagsOf = async () => {
    const [answer] = linesOf(await run(['tag', 'list', there]));
    return (answer as { readonly tagset?: object }).tagset;
  };
  assert.deepEqual(await tagsOf(), { k1: 'v1', k2: 'v 2' });
  await run(['tag', 'set', there, 'project=a/b:c']);
  assert.deepEqual(await tagsOf(), { project: 'a/b:c' });
  await run(['tag', 'remove', there]);
  assert.deepEqual((await tagsOf()) ?? {}, {});
}

/** It prints a line for curl, which sends the file as a browser's form does. */
async function postForm(world: S3World, { run }: Mc): Promise<void> {
  const { bucket, directory } = world;
  const there = `pinfold/${bucket}/mc/posted.txt`;
  const [shared] = linesOf(await run(['share', 'upload', there])) as readonly { share: string }[];
  const file = join(directory, 'to be posted');
  await writeFile(file, 'by a form');
  const [curl = '', ...args] = (shared?.share ?? '').split(' ');
  const trust = world.caFile === undefined ? [] : ['--cacert', world.caFile];
  const filled = args.map((arg) => arg.replace('<FILE>', file));
  await runProgram(world, { argv: [curl, '--silent', '--fail-with-body', ...trust, ...filled] });
  assert.equal((await run(['cat', there])).text, 'by a form');
}

/** It asks for much that a bucket may have; nothing of it keeps it from working. */
async function probeBucket({ bucket, raw }: S3World, { run }: Mc): Promise<void> {
  const there = `pinfold/${bucket}`;
  await run(['stat', there]);
  const [policy] = linesOf(await run(['anonymous', 'get', there]));
  assert.equal((policy as { readonly permission: string }).permission, 'private');
  const versions = linesOf(await run(['ls', '--versions', '--recursive', `${there}/mc/`]));
  const { text } = await raw.expectDone({ method: 'GET', bucket, query: [['prefix', 'mc/']] });
  assert.equal(versions.length, text.split('<Contents>').length - 1);
  for (const version of versions) {
    assert.equal((version as { readonly versionId?: string }).versionId, 'null');
  }
  assert.deepEqual(linesOf(await run(['ls', '--incomplete', '--recursive', there])), []);
  await run(['du', there]);
  const found = linesOf(await run(['find', there, '--name', 'posted.*']));
  assert.equal(found.length, 1);
}

async function mirrorAndRemove({ directory }: S3World, { run }: Mc): Promise<void> {
  const bucket = `mc-${process.pid}-${Date.now()}`;
  const there = `pinfold/${bucket}`;
  const folder = join(directory, 'mc-tree');
  await mkdir(folder);
  const tree = await makeTree(folder);
  await run(['mb', there]);
  await run(['mirror', folder, `${there}/remote-dir`]);
  await run(['mirror', `${there}/remote-dir`, join(directory, 'mc-tree-back')]);
  assertSameTree(await readTree(join(directory, 'mc-tree-back')), tree);
  assert.equal((await run(['diff', folder, `${there}/remote-dir`])).text, '');
  await run(['cp', '--recursive', `${there}/remote-dir/`, `${there}/copied/`]);
  await run(['rm', '--recursive', '--force', `${there}/copied/`]);
  assert.equal((await run(['ls', '--recursive', `${there}/copied/`])).text, '');
  await assert.rejects(run(['rb', there]), /not empty/);
  await run(['rb', '--force', there]);
  await assert.rejects(run(['ls', there]), /does not exist/);
}
