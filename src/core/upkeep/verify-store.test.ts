/**
 * Proves that what happens to a store while it is verified is no fault of it: blobs that die,
 * move or are swept between two looks; and that a failing disk is a finding, a failing program is
 * not.
 */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';

import { openBlobRows } from '../../../tests/world/blob-rows.ts';
import { FakeClock } from '../../../tests/world/fake-clock.ts';
import { MemoryBlobStore } from '../../engines/blobs/memory/memory-blob-store.ts';
import { ServiceError } from '../errors.ts';
import type { BlobLocation } from '../ids.ts';
import type { BlobRef, BlobStore } from '../ports/blob-store.ts';
import { keep, patternBytes } from '../ports/blob-store-contract.ts';
import { Tally } from './tally.ts';
import { verifyStore } from './verify-store.ts';

const HOUR_MS = 3_600_000;

/** A store with ten blobs; `open` may be replaced to let something happen at the first look. */
async function openWorld() {
  const rows = await openBlobRows();
  const clock = new FakeClock();
  const { metadata } = rows;
  const blobs = new MemoryBlobStore({ ids: metadata, rows: metadata, now: () => clock.now() });
  const kept: BlobRef[] = [];
  for (let index = 0; index < 10; index += 1) {
    const blob = await keep(blobs, patternBytes(1000, index));
    await rows.publish(blob);
    kept.push(blob);
  }
  const verify = async (open: BlobStore['open'] = (blob) => blobs.open(blob)) => {
    const inspect = () => blobs.inspect();
    const deps = { metadata, blobs: { open, inspect }, clock };
    const options = { signal: AbortSignal.any([]), onProgress: () => undefined };
    return await verifyStore(deps, { orphanGraceMs: HOUR_MS }, options);
  };
  return { rows, clock, blobs, kept, verify };
}

test('a blob that dies before it is read is no fault', async () => {
  const { rows, blobs, kept, verify } = await openWorld();
  const [victim = assert.fail()] = kept;
  const { findings, checked } = await verify(async (blob) => {
    if (blob.blobId === victim.blobId) {
      await rows.forget(victim);
      await blobs.remove([victim]);
      await rows.metadata.forgetDeadBlobs([victim.blobId]);
    }
    return await blobs.open(blob);
  });
  assert.deepEqual(findings, []);
  assert.equal(checked.blobs, 10);
});

test('a blob that moves is read where it went, and its faults there count', async () => {
  const { rows, blobs, kept, verify } = await openWorld();
  const [moved = assert.fail()] = kept;
  const to = 'm2' as BlobLocation;
  const opened: string[] = [];
  const follow = (isLost: boolean) => async (blob: BlobRef) => {
    if (blob.blobId !== moved.blobId) return await blobs.open(blob);
    opened.push(blob.location);
    if (blob.location !== to) {
      await rows.metadata.moveBlobs([{ blobId: moved.blobId, from: moved.location, to }]);
      throw new ServiceError('object_not_found', 'It went.');
    }
    if (isLost) throw new ServiceError('object_not_found', 'It is lost.');
    return await blobs.open(moved);
  };
  assert.deepEqual((await verify(follow(false))).findings, []);
  assert.deepEqual(opened, ['m1', 'm2']);
  const { findings } = await verify(follow(true));
  assert.deepEqual(
    findings.map(({ kind, blobId, objects }) => [kind, blobId, objects?.length]),
    [['blob_missing', moved.blobId, 1]],
  );
});

test('a place that the disk cannot read is damage, and other errors end the run', async () => {
  const { blobs, kept, verify } = await openWorld();
  const failing = (error: Error) => async (blob: BlobRef) => {
    if (blob.blobId === kept[3]?.blobId) throw error;
    return await blobs.open(blob);
  };
  const { findings } = await verify(failing(Object.assign(new Error('bad'), { code: 'EIO' })));
  assert.deepEqual(
    findings.map(({ kind }) => kind),
    ['blob_damaged'],
  );
  const fault = new TypeError('a fault of ours');
  await assert.rejects(verify(failing(fault)), fault);
});

test('bytes without a row are orphans after the grace, and dead ones never', async () => {
  const { rows, clock, blobs, kept, verify } = await openWorld();
  const stray = await keep(blobs, patternBytes(500, 99));
  await rows.forget(kept[0] ?? assert.fail());
  const young = await verify();
  assert.deepEqual([young.findings, young.checked.unpublished], [[], 1]);
  clock.advance(HOUR_MS);
  const old = await verify();
  assert.deepEqual(
    old.findings.map(({ kind, blobId }) => [kind, blobId]),
    [['orphan', stray.blobId]],
  );
  await blobs.remove([stray]);
  assert.deepEqual((await verify()).findings, []);
});

test('a signal stops it', async () => {
  const { rows, blobs, clock } = await openWorld();
  const deps = { metadata: rows.metadata, blobs, clock };
  for (const step of ['rows', 'blobs', 'kept']) {
    const abort = new AbortController();
    const onProgress = (progress: { readonly step: string }) => {
      if (progress.step === step) abort.abort();
    };
    const options = { signal: abort.signal, onProgress };
    await assert.rejects(verifyStore(deps, { orphanGraceMs: 0 }, options), { code: 'aborted' });
  }
});

test('a tally counts far apart and far up', () => {
  const tally = new Tally();
  for (let times = 0; times < 1000; times += 1) tally.add(2 ** 41 + 7);
  tally.add(0);
  tally.add(255);
  tally.add(256);
  assert.deepEqual(
    [0, 1, 255, 256, 2 ** 41 + 7, 2 ** 41 + 8].map((number) => tally.count(number)),
    [1, 0, 1, 1, 1000, 0],
  );
});
