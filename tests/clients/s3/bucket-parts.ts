/** The parts of a round trip that are about buckets, listings and many keys. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atOnce } from './at-once.ts';
import type { Trip, TripPart } from './round-trip.ts';
import { assertSameTree, makeTree, readTree, type Tree } from './trees.ts';

const MANY = 2500;
const WRITES_AT_ONCE = 16;
const PREFIX = 'trip/many/';

export const BUCKET_PARTS: Readonly<Record<string, TripPart>> = {
  'what it cannot express stands in the table of gaps': async ({ tool, gaps, raw }) => {
    const missing = Object.keys(raw).filter((step) => !(step in tool.steps));
    assert.deepEqual(Object.keys(gaps.steps).sort(), missing.sort());
  },

  'makes a bucket, finds it in the list and removes it': async ({ world, steps, raw }) => {
    const bucket = `trip-${randomBytes(6).toString('hex')}`;
    await steps.makeBucket({ bucket });
    assert.ok((await raw.listBuckets()).includes(bucket), 'it is there');
    const listed = await steps.listBuckets();
    assert.ok(listed.includes(bucket) && listed.includes(world.bucket), listed.join());
    await steps.removeBucket({ bucket });
    assert.ok(!(await raw.listBuckets()).includes(bucket), 'it is gone');
    assert.ok(!(await steps.listBuckets()).includes(bucket), 'it is no longer listed');
  },

  'lists 2,500 keys with and without a delimiter, and deletes them': async (trip) => {
    const { world, steps, raw } = trip;
    const { bucket } = world;
    const keys = manyKeys();
    await atOnce(keys, WRITES_AT_ONCE, (key) =>
      world.raw.expectDone({ method: 'PUT', bucket, key, body: key }),
    );
    assert.deepEqual((await raw.list({ bucket, prefix: PREFIX })).keys, keys, 'in order');
    const all = await steps.list({ bucket, prefix: PREFIX });
    assert.deepEqual([...all.keys].sort(), keys);
    assert.deepEqual(all.prefixes, []);
    const top = await steps.list({ bucket, prefix: PREFIX, delimiter: '/' });
    assert.deepEqual(
      [...top.keys].sort(),
      keys.filter((key) => !key.endsWith('/leaf')),
    );
    assert.deepEqual(
      [...top.prefixes].sort(),
      keys.filter((key) => key.endsWith('/leaf')).map((key) => key.slice(0, -'leaf'.length)),
    );
    await steps.deleteKeys({ bucket, keys });
    assert.deepEqual((await raw.list({ bucket, prefix: PREFIX })).keys, []);
  },

  'keeps a tree of files the same, up and down': async (trip) => {
    const { world, steps, fileAt } = trip;
    const there = { bucket: world.bucket, prefix: 'trip/tree/' };
    const folder = fileAt('tree-up');
    const tree = new Map(await makeTree(folder));
    await steps.syncUp({ ...there, folder });
    assertSameTree(await readTreeOf(trip), tree);

    const copied = fileAt('tree-down');
    await steps.syncDown({ ...there, folder: copied });
    assertSameTree(await readTree(copied), tree);

    const [gone = '', changed = '', ...rest] = tree.keys();
    tree.delete(gone);
    tree.set(changed, Buffer.from('changed, and of another length'));
    assert.ok(rest.length > 0);
    await rm(join(folder, gone));
    await writeFile(join(folder, changed), tree.get(changed) ?? '');
    await steps.syncUp({ ...there, folder });
    assertSameTree(await readTreeOf(trip), tree);
    await steps.syncDown({ ...there, folder: copied });
    assertSameTree(await readTree(copied), tree);
  },
};

/** Files and folders of one file each, in the order of their bytes. */
function manyKeys(): readonly string[] {
  return Array.from({ length: MANY }, (_, index) => {
    const number = String(index).padStart(4, '0');
    return index < MANY / 2 ? `${PREFIX}d${number}/leaf` : `${PREFIX}f${number}`;
  });
}

/** What the server holds of the tree. */
async function readTreeOf({ world, raw, fileAt }: Trip): Promise<Tree> {
  const folder = await mkdtemp(fileAt('tree-there-'));
  await raw.syncDown({ bucket: world.bucket, prefix: 'trip/tree/', folder });
  return await readTree(folder);
}
