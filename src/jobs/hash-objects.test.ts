/** Proves that multipart objects get the hash of their bytes, whatever happens meanwhile. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { FakeClock } from '../../tests/world/fake-clock.ts';
import { listed, multipartCalls } from '../../tests/world/multipart-world.ts';
import { seededRandom } from '../../tests/world/seeded-random.ts';
import { openUnderWay } from '../../tests/world/under-way.ts';
import { isServiceError, ServiceError } from '../core/errors.ts';
import type { BlobRef, BlobStore } from '../core/ports/blob-store.ts';
import { NO_FAULTS } from '../core/ports/fault-points.ts';
import { insertAccount, sampleAccount } from '../core/ports/metadata/contract/samples.ts';
import { MemoryBlobStore } from '../engines/blobs/memory/memory-blob-store.ts';
import { ThreadDigesters } from '../engines/digests/thread-digesters.ts';
import { MemoryMetadata } from '../engines/metadata/memory-metadata.ts';
import { ObjectHasher } from './hash-objects.ts';

const HOUR_MS = 3_600_000;
const signal = new AbortController().signal;

async function openWorld() {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock();
  const account = await insertAccount(metadata, sampleAccount(1));
  const owner = { accountId: account.accountId, bucketId: account.defaultBucketId };
  const blobs = new MemoryBlobStore({ ids: metadata, rows: metadata, now: () => clock.now() });
  const deps = {
    metadata,
    blobs,
    clock,
    digesters: new ThreadDigesters(),
    faults: NO_FAULTS,
    random: seededRandom('hashes'),
    quota: { freeStorageBytes: 10n ** 12n, freeEgressBytes: 0n },
    capacity: { storedBytes: () => 0n, capacityBytes: undefined },
    underWay: openUnderWay(),
  };
  const calls = multipartCalls(deps, owner);
  const make = async (key: string, parts: readonly Buffer[]) => {
    const started = await calls.begin(key);
    for (const [index, bytes] of parts.entries()) await calls.upload(started, index + 1, bytes);
    await calls.complete(
      started,
      parts.map((bytes, index) => listed(index + 1, bytes)),
    );
    clock.advance(1);
  };
  const hashOf = async (key: string) => (await calls.find(key))?.contentHash;
  return { deps, clock, make, hashOf, ...calls };
}

const LARGE = Buffer.alloc(5 * 1024 ** 2, 'large ');
const SMALL = Buffer.from('small');

test('an object of parts gets the hash of all its bytes', async () => {
  const { deps, make, hashOf } = await openWorld();
  await make('two', [LARGE, SMALL]);
  await make('one', [SMALL]);
  await make('empty', [Buffer.alloc(0)]);
  const hasher = new ObjectHasher(deps);
  assert.equal(await hasher.run({ signal }), 3);
  assert.equal(await hashOf('two'), blake3(Buffer.concat([LARGE, SMALL])).toString('hex'));
  assert.equal(await hashOf('one'), blake3(SMALL).toString('hex'));
  assert.equal(await hashOf('empty'), blake3(Buffer.alloc(0)).toString('hex'));
  assert.equal(await hasher.run({ signal }), 0);
  await make('later', [SMALL]);
  assert.equal(await hasher.run({ signal }), 1);
});

/** A store that does something else before it opens a blob. */
function opening(blobs: BlobStore, before: (blob: BlobRef) => Promise<void>) {
  return {
    open: async (blob: BlobRef) => {
      await before(blob);
      return await blobs.open(blob);
    },
  };
}

test('an object that is replaced while it is read keeps its own hash', async () => {
  const { deps, make, hashOf, put } = await openWorld();
  await make('k', [SMALL]);
  const newer = Buffer.from('newer');
  const blobs = opening(deps.blobs, async () => void (await put('k', newer)));
  assert.equal(await new ObjectHasher({ ...deps, blobs }).run({ signal }), 0);
  assert.equal(await hashOf('k'), blake3(newer).toString('hex'));
});

test('one that cannot be read is told, holds up no other and is tried again', async () => {
  const { deps, clock, make, hashOf, find } = await openWorld();
  await make('bad', [SMALL]);
  await make('good', [SMALL]);
  const bad = (await find('bad'))?.content[0]?.blob.blobId;
  let isBad = true;
  let tries = 0;
  const blobs = opening(deps.blobs, async ({ blobId }) => {
    if (blobId === bad) tries += 1;
    if (blobId === bad && isBad) throw new ServiceError('corrupt', 'A block is damaged.');
  });
  const hasher = new ObjectHasher({ ...deps, blobs });
  await assert.rejects(
    hasher.run({ signal }),
    (error) => error instanceof AggregateError && isServiceError(error.errors[0], 'corrupt'),
  );
  assert.notEqual(await hashOf('good'), undefined);
  assert.equal(await hasher.run({ signal }), 0);
  assert.equal(tries, 1);
  isBad = false;
  clock.advance(HOUR_MS);
  assert.equal(await hasher.run({ signal }), 1);
  assert.notEqual(await hashOf('bad'), undefined);
});

test('a run that is told to stop goes on later where it stopped', async () => {
  const { deps, make, hashOf } = await openWorld();
  await make('a', [SMALL]);
  await make('b', [SMALL]);
  const stopping = new AbortController();
  const blobs = opening(deps.blobs, async () => stopping.abort());
  const hasher = new ObjectHasher({ ...deps, blobs });
  await hasher.run({ signal: stopping.signal });
  assert.equal(await hashOf('b'), undefined);
  await hasher.run({ signal });
  assert.notEqual(await hashOf('a'), undefined);
  assert.notEqual(await hashOf('b'), undefined);
});
