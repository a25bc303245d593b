/** Proves that a copy loses nothing that was acknowledged while it was made. */

import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { FakeClock } from '../../../tests/world/fake-clock.ts';
import { DESCRIPTION, listed, multipartCalls } from '../../../tests/world/multipart-world.ts';
import { seededRandom } from '../../../tests/world/seeded-random.ts';
import { openUnderWay } from '../../../tests/world/under-way.ts';
import { MemoryBlobStore } from '../../engines/blobs/memory/memory-blob-store.ts';
import { ThreadDigesters } from '../../engines/digests/thread-digesters.ts';
import { MemoryMetadata } from '../../engines/metadata/memory-metadata.ts';
import { sweepDeadBlobs } from '../../jobs/sweep-blobs.ts';
import { isServiceError } from '../errors.ts';
import type { ObjectKey } from '../ids.ts';
import { PART_SIZE_BYTES_MIN } from '../limits.ts';
import { NO_FAULTS } from '../ports/fault-points.ts';
import { insertAccount, sampleAccount } from '../ports/metadata/contract/samples.ts';
import { changeTags } from './change-tags.ts';
import { copyObject, type ObjectCopy } from './copy-object.ts';
import { deleteObject } from './delete-object.ts';

async function openWorld() {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock();
  const account = await insertAccount(metadata, sampleAccount(1));
  const bucket = { accountId: account.accountId, bucketId: account.defaultBucketId };
  const deps = {
    metadata,
    blobs: new MemoryBlobStore({ ids: metadata, rows: metadata, now: () => clock.now() }),
    clock,
    digesters: new ThreadDigesters(),
    faults: NO_FAULTS,
    random: seededRandom('copy'),
    quota: { freeStorageBytes: 10n ** 12n, freeEgressBytes: 0n },
    capacity: { storedBytes: () => 0n, capacityBytes: undefined },
    underWay: openUnderWay(),
  };
  const copyOf = (from: string, to: string, change: Partial<ObjectCopy> = {}): ObjectCopy => ({
    source: { bucket, key: from as ObjectKey, conditions: {} },
    target: { bucket, key: to as ObjectKey, conditions: {} },
    describe: (source) => ({ ...DESCRIPTION, tags: source.tags, userMetadata: { touched: 'yes' } }),
    checksum: undefined,
    sizeBytesMax: 2 ** 40,
    usage: { source: 's3', credential: 'test' },
    ...change,
  });
  /** Dependencies by which `change` happens once, as soon as the source was read. */
  const changedAfterRead = (change: () => Promise<void>) => {
    let isDue = true;
    const findObject: typeof metadata.findObject = async (...asked) => {
      const object = await metadata.findObject(...asked);
      if (!isDue) return object;
      isDue = false;
      await change();
      return object;
    };
    const publishObject: typeof metadata.publishObject = (one) => metadata.publishObject(one);
    return { ...deps, metadata: { findObject, publishObject } };
  };
  return { deps, bucket, copyOf, changedAfterRead, ...multipartCalls(deps, bucket) };
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
