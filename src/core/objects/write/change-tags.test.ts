/** Proves what a change of tags refuses, and that it never undoes what came meanwhile. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { isServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import { changeTags } from './change-tags.ts';
import { deleteObject } from './delete-object.ts';

const BYTES = Buffer.from('bytes');
const key = 'k' as ObjectKey;

async function openWorld() {
  const world = await openObjectWorld({ freeStorageBytes: 4096n });
  const { deps, metadata, owner: bucket } = world;
  await world.put('k', BYTES);
  /** Changes tags, while `rival` acts each time between the look and the change. */
  const change = (tags: Record<string, string>, rival?: (looks: number) => Promise<unknown>) => {
    let looks = 0;
    const findObject: Metadata['findObject'] = async (...asked) => {
      const found = await metadata.findObject(...asked);
      looks += 1;
      await rival?.(looks);
      return found;
    };
    const publishObject: Metadata['publishObject'] = (one) => metadata.publishObject(one);
    const between = { quota: deps.quota, metadata: { findObject, publishObject } };
    return changeTags(between, { bucket, key, tags });
  };
  const remove = () => deleteObject(deps, { bucket, key, conditions: {} });
  const rename = (name: string) => changeTags(deps, { bucket, key, tags: { name } });
  return { ...world, change, remove, rename };
}

test('tags of a disabled account stay, and so do those beyond its quota', async () => {
  const { change, disable, find } = await openWorld();
  await change({ a: 'b' });
  // The row counts what its tags exceed 1,024 bytes by.
  await assert.rejects(change({ a: 'b'.repeat(5000) }), (error) =>
    isServiceError(error, 'quota_exceeded'),
  );
  await assert.rejects(change({ a: 'c' }, disable), (error) =>
    isServiceError(error, 'account_disabled'),
  );
  assert.deepEqual((await find('k'))?.tags, { a: 'b' });
});

test('an object that was replaced meanwhile gets the tags, one that was removed none', async () => {
  const { change, put, find, remove } = await openWorld();
  const newer = Buffer.from('newer');
  await change({ a: 'b' }, (looks) => (looks === 1 ? put('k', newer) : Promise.resolve()));
  const found = await find('k');
  assert.deepEqual([found?.sizeBytes, found?.tags], [newer.length, { a: 'b' }]);
  await assert.rejects(change({ a: 'c' }, remove), (error) =>
    isServiceError(error, 'object_not_found'),
  );
  assert.equal(await find('k'), undefined);
});

test('who is always overtaken gives up after twenty looks', async () => {
  const { change, rename, find } = await openWorld();
  await change({ a: 'b' }, (looks) => (looks < 20 ? rename(`${looks}`) : Promise.resolve()));
  assert.deepEqual((await find('k'))?.tags, { a: 'b' });
  let last = 0;
  const overtaken = change({ a: 'c' }, (looks) => {
    last = looks;
    return rename(`${looks}`);
  });
  await assert.rejects(overtaken, (error) => isServiceError(error, 'precondition_failed'));
  assert.equal(last, 20);
  assert.deepEqual((await find('k'))?.tags, { name: '20' });
});
