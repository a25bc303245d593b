/** Proves that a hash is kept with the version whose bytes were read, and with no other. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { listed } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { sweepDeadBlobs } from '../../../jobs/sweep-blobs.ts';
import { ServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import { deleteObject } from './delete-object.ts';
import { hashObject } from './hash-object.ts';

const { signal } = new AbortController();
const BYTES = Buffer.from('bytes');

async function openWorld() {
  const world = await openObjectWorld();
  const make = async (bytes: Buffer) => {
    const started = await world.begin('k');
    await world.upload(started, 1, bytes);
    await world.complete(started, [listed(1, bytes)]);
    world.clock.advance(1);
    const object = await world.find('k');
    assert(object);
    return object;
  };
  return { ...world, make };
}

test('the hash of all bytes is kept, and only with the version that was read', async () => {
  const { deps, make, find } = await openWorld();
  const object = await make(BYTES);
  assert.equal(object.contentHash, undefined);
  assert.equal(await hashObject(deps, object, { signal }), true);
  assert.equal((await find('k'))?.contentHash, blake3(BYTES).toString('hex'));
  await make(Buffer.from('newer'));
  assert.equal(await hashObject(deps, object, { signal }), false);
  assert.equal((await find('k'))?.contentHash, undefined);
});

test('an object whose bytes are gone has no hash, and damage is told', async () => {
  const { deps, make, owner } = await openWorld();
  const object = await make(BYTES);
  const open = () => Promise.reject(new ServiceError('corrupt', 'Damaged.'));
  const damaged = hashObject({ ...deps, blobs: { open } }, object, { signal });
  await assert.rejects(damaged, { code: 'corrupt' });
  await deleteObject(deps, { bucket: owner, key: 'k' as ObjectKey, conditions: {} });
  await sweepDeadBlobs(deps, { signal });
  assert.equal(await hashObject(deps, object, { signal }), false);
});
