/** Proves what a copy refuses, and that it loses nothing acknowledged while it was made. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { DESCRIPTION, listed } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { sweepDeadBlobs } from '../../../jobs/sweep-blobs.ts';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import { PART_SIZE_BYTES_MIN } from '../../limits.ts';
import { changeTags } from './change-tags.ts';
import { copyObject, type ObjectCopy } from './copy-object.ts';
import { deleteObject } from './delete-object.ts';

async function openWorld(options: Parameters<typeof openObjectWorld>[0] = {}) {
  const world = await openObjectWorld(options);
  const { deps, metadata, owner: bucket } = world;
  const copyOf = (from: string, to: string, change: Partial<ObjectCopy> = {}): ObjectCopy => ({
    source: { bucket, key: from as ObjectKey, conditions: {} },
    target: { bucket, key: to as ObjectKey, conditions: {} },
    describe: (source) => ({ ...DESCRIPTION, tags: source.tags, userMetadata: { touched: 'yes' } }),
    checksum: undefined,
    sizeBytesMax: 2 ** 40,
    usage: { source: 's3', credential: 'test' },
    ...change,
  });
  /** Dependencies by which `change` happens as soon as the source was read, so many times. */
  const changedAfterRead = (change: () => Promise<unknown>, times = 1) => {
    let left = times;
    const findObject: typeof metadata.findObject = async (...asked) => {
      const object = await metadata.findObject(...asked);
      if (left === 0) return object;
      left -= 1;
      await change();
      return object;
    };
    const publishObject: typeof metadata.publishObject = (one) => metadata.publishObject(one);
    return { ...deps, metadata: { findObject, publishObject } };
  };
  return { ...world, bucket, copyOf, changedAfterRead };
}

test('tags that came while an object was copied onto itself stay', async () => {
  const { deps, bucket, copyOf, changedAfterRead, put, find } = await openWorld();
  await put('k', Buffer.from('bytes'));
  const key = 'k' as ObjectKey;
  const racing = changedAfterRead(() => changeTags(deps, { bucket, key, tags: { a: 'b' } }));
  await copyObject(racing, copyOf('k', 'k'));
  const found = await find('k');
  assert.deepEqual(found?.tags, { a: 'b' });
  assert.deepEqual(found.userMetadata, { touched: 'yes' });
});

test('a source that was removed and swept while it was copied is not found', async () => {
  const { deps, bucket, copyOf, changedAfterRead, put, find } = await openWorld();
  const { signal } = new AbortController();
  for (const checksum of [undefined, 'CRC32'] as const) {
    await put('k', Buffer.from('bytes'));
    const racing = changedAfterRead(async () => {
      await deleteObject(deps, { bucket, key: 'k' as ObjectKey, conditions: {} });
      await sweepDeadBlobs(deps, { signal });
    });
    await assert.rejects(copyObject(racing, copyOf('k', 'copy', { checksum })), (error) =>
      isServiceError(error, 'object_not_found'),
    );
    assert.equal(await find('copy'), undefined);
  }
});

test('a copy with another checksum keeps none of the parts of the old algorithm', async () => {
  const { deps, copyOf, begin, upload, complete, find } = await openWorld();
  const big = Buffer.alloc(PART_SIZE_BYTES_MIN, 'b');
  const kind = { algorithm: 'CRC32', type: 'FULL_OBJECT' } as const;
  const started = await begin('k', { checksum: kind });
  const tail = Buffer.from('tail');
  await upload(started, 1, big);
  await upload(started, 2, tail);
  await complete(started, [listed(1, big), listed(2, tail)]);
  const { checksum } = await copyObject(deps, copyOf('k', 'copy', { checksum: 'SHA256' }));
  assert.equal(checksum?.algorithm, 'SHA256');
  const found = await find('copy');
  assert.deepEqual(
    found?.content.map((part) => part.checksum),
    [undefined, undefined],
  );
});

const refused = (code: ErrorCode) => (error: unknown) => isServiceError(error, code);

test('a copy is refused to an account that was disabled while its source was read', async () => {
  const { deps, disable, copyOf, changedAfterRead, put, find } = await openWorld();
  await put('k', Buffer.from('bytes'));
  const racing = changedAfterRead(disable);
  await assert.rejects(copyObject(racing, copyOf('k', 'copy')), refused('account_disabled'));
  await assert.rejects(copyObject(deps, copyOf('k', 'copy')), refused('account_disabled'));
  assert.equal(await find('copy'), undefined);
});

test('what is copied counts in quota and capacity to the byte', async () => {
  const bytes = Buffer.from('bytes');
  const room = { freeStorageBytes: 2n * (1024n + 5n), limitBytes: 10n };
  const capacity = { storedBytes: () => 5n, capacityBytes: room.limitBytes };
  const fitting = await openWorld({ freeStorageBytes: room.freeStorageBytes, capacity });
  await fitting.put('k', bytes);
  await copyObject(fitting.deps, fitting.copyOf('k', 'copy'));
  assert.deepEqual(await fitting.read('copy'), bytes);
  const poor = await openWorld({ freeStorageBytes: room.freeStorageBytes - 1n });
  await poor.put('k', bytes);
  await assert.rejects(copyObject(poor.deps, poor.copyOf('k', 'copy')), refused('quota_exceeded'));
  const full = { ...fitting.deps, capacity: { ...capacity, capacityBytes: 9n } };
  const copying = copyObject(full, fitting.copyOf('k', 'other'));
  await assert.rejects(copying, refused('storage_full'));
});

test('a source may be as large as is allowed and no larger', async () => {
  const { deps, copyOf, put, find } = await openWorld();
  await put('k', Buffer.from('bytes'));
  for (const checksum of [undefined, 'CRC32'] as const) {
    const tooLarge = copyObject(deps, copyOf('k', 'copy', { checksum, sizeBytesMax: 4 }));
    await assert.rejects(tooLarge, refused('body_too_large'));
    assert.equal(await find('copy'), undefined);
  }
  await copyObject(deps, copyOf('k', 'copy', { sizeBytesMax: 5 }));
});

test('conditions on the source are asked before anything is read or written', async () => {
  const { deps, bucket, copyOf, put, find } = await openWorld();
  const { etag } = await put('k', Buffer.from('bytes'));
  const key = 'k' as ObjectKey;
  for (const checksum of [undefined, 'CRC32'] as const) {
    for (const [conditions, condition] of [
      [{ ifMatch: ['other'] }, 'If-Match'],
      [{ ifNoneMatch: [etag] }, 'x-amz-copy-source-If-None-Match'],
    ] as const) {
      const copy = copyOf('k', 'copy', { checksum, source: { bucket, key, conditions } });
      await assert.rejects(copyObject(deps, copy), {
        code: 'precondition_failed',
        details: { condition },
      });
    }
  }
  await assert.rejects(copyObject(deps, copyOf('none', 'copy')), refused('object_not_found'));
  assert.equal(await find('copy'), undefined);
});

test('conditions on the target refuse at once, without another look at the source', async () => {
  const { bucket, copyOf, changedAfterRead, put } = await openWorld();
  await put('k', Buffer.from('bytes'));
  const { etag } = await put('old', Buffer.from('old'));
  for (const [to, conditions, code] of [
    ['old', { ifNoneMatch: '*' }, 'precondition_failed'],
    ['old', { ifMatch: ['other'] }, 'precondition_failed'],
    ['new', { ifMatch: [etag] }, 'object_not_found'],
  ] as const) {
    let reads = 0;
    const counting = changedAfterRead(async () => {
      reads += 1;
    }, Number.POSITIVE_INFINITY);
    const target = { bucket, key: to as ObjectKey, conditions };
    await assert.rejects(copyObject(counting, copyOf('k', to, { target })), refused(code));
    assert.equal(reads, 1);
  }
});

test('a source that is always another is given up after twenty looks', async () => {
  const { deps, bucket, copyOf, changedAfterRead, put, clock } = await openWorld();
  const key = 'k' as ObjectKey;
  await put('k', Buffer.from('bytes'));
  let changes = 0;
  const change = async () => {
    changes += 1;
    await changeTags(deps, {
      bucket,
      key,
      tags: { change: String(changes), at: `${clock.now()}` },
    });
  };
  await copyObject(changedAfterRead(change, 19), copyOf('k', 'k'));
  changes = 0;
  const racing = changedAfterRead(change, Number.POSITIVE_INFINITY);
  await assert.rejects(copyObject(racing, copyOf('k', 'k')), refused('precondition_failed'));
  assert.equal(changes, 20);
});

test('a copy that keeps the checksum of its source reads no bytes', async () => {
  const { deps, bucket, copyOf, put } = await openWorld();
  const crc = { algorithm: 'CRC32', declared: () => undefined } as const;
  const { checksum } = await put('k', Buffer.from('bytes'), { demands: { checksum: crc } });
  const unread = {
    ...deps,
    blobs: { open: () => assert.fail('bytes are read') },
  };
  for (const asked of [undefined, 'CRC32'] as const) {
    const { checksum: copied } = await copyObject(unread, copyOf('k', 'copy', { checksum: asked }));
    assert.deepEqual(copied, checksum);
  }
  assert.equal(checksum?.algorithm, 'CRC32');
  const other = copyOf('k', 'copy', { checksum: 'XXHASH64' });
  const { checksum: made } = await copyObject(deps, other);
  assert.equal(made?.algorithm, 'XXHASH64');
  // One that few readers can check has one beside it that all can.
  assert.equal(made.second?.algorithm, 'CRC64NVME');
  const found = await deps.metadata.findObject(bucket.bucketId, 'copy' as ObjectKey);
  assert.deepEqual(found?.checksum, made);
});
