/** Proves how what is under way counts: against its account, against memory, and until when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceOf } from '../../../../tests/world/multipart-world.ts';
import { SharedRoom } from '../../../kit/shared-room.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import { SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import { sampleAccount } from '../../ports/metadata/contract/samples.ts';
import { UnderWay, type UploadBound, uploadBound } from './under-way.ts';

const ANN = 'ann' as AccountId;
const BOB = 'bob' as AccountId;
const LARGE = SMALL_BODY_BYTES_MAX + 1;
const CHUNK = 65_536;

function openWorld(memoryBytes = Number.MAX_SAFE_INTEGER) {
  const memory = new SharedRoom({ ownBytes: 0, sharedBytes: memoryBytes, ownerBytes: memoryBytes });
  const underWay = new UnderWay(memory);
  const open = (declaredBytes: number | undefined, length = 0, account = ANN) =>
    underWay.open(account, { ...sourceOf(Buffer.alloc(length), CHUNK), declaredBytes });
  return { memory, underWay, open };
}

/** A bound of so many bytes, which counts how often it is looked at again. */
function boundOf(bytes: number | (() => number)) {
  const allowed = () => BigInt(typeof bytes === 'number' ? bytes : bytes());
  const looks = { count: 0 };
  const bound: UploadBound = {
    bytes: allowed(),
    read: async () => {
      looks.count += 1;
      return allowed();
    },
    refuse: (wanted) =>
      new ServiceError('quota_exceeded', 'No.', { details: { wanted: Number(wanted) } }),
  };
  return { bound, looks };
}

const refusedFor = (wanted: number) => (error: unknown) =>
  isServiceError(error, 'quota_exceeded') && error.details['wanted'] === wanted;
const ignore = () => undefined;

test('announced bodies of one account fit into its bound together, to the byte', () => {
  const { underWay, open } = openWorld();
  const { bound } = boundOf(2 * LARGE);
  const first = open(LARGE);
  first.admit(bound);
  const second = open(LARGE + 1);
  assert.throws(() => second.admit(bound), refusedFor(LARGE + 1));
  second.end();
  assert.equal(underWay.bytesOf(ANN), BigInt(LARGE));
  open(LARGE, 0, BOB).admit(bound);
  const third = open(LARGE);
  third.admit(bound);
  assert.equal(underWay.bytesOf(ANN), 2n * BigInt(LARGE));
  for (const share of [first, first, third]) share.end();
  assert.equal(underWay.bytesOf(ANN), 0n);
  assert.equal(underWay.bytesOf(BOB), BigInt(LARGE));
});

test('a small body counts in memory alone, and is refused where that is full', async () => {
  const { memory, underWay, open } = openWorld(SMALL_BODY_BYTES_MAX);
  const share = open(SMALL_BODY_BYTES_MAX, SMALL_BODY_BYTES_MAX);
  share.admit(boundOf(0).bound);
  assert.equal(share.body.declaredBytes, SMALL_BODY_BYTES_MAX);
  await share.body.pipeTo(ignore);
  assert.deepEqual([memory.takenBytes, underWay.bytesOf(ANN)], [SMALL_BODY_BYTES_MAX, 0n]);
  for (const declaredBytes of [1, undefined]) {
    const more = open(declaredBytes, 1);
    more.admit(boundOf(10).bound);
    await assert.rejects(more.body.pipeTo(ignore), (error) => isServiceError(error, 'overloaded'));
  }
  share.end();
  assert.equal(memory.takenBytes, 0);
  await open(1, 1).body.pipeTo(ignore);
});

test('a body of unknown length is memory while it is small, then the account’s', async () => {
  const { memory, underWay, open } = openWorld();
  const small = open(undefined, SMALL_BODY_BYTES_MAX);
  const none = boundOf(0);
  small.admit(none.bound);
  await small.body.pipeTo(ignore);
  assert.deepEqual([memory.takenBytes, underWay.bytesOf(ANN)], [SMALL_BODY_BYTES_MAX, 0n]);
  small.end();
  assert.equal(none.looks.count, 0);
  const grown = open(undefined, LARGE);
  const enough = boundOf(LARGE);
  grown.admit(enough.bound);
  await grown.body.pipeTo(ignore);
  assert.deepEqual([memory.takenBytes, underWay.bytesOf(ANN)], [0, BigInt(LARGE)]);
  grown.end();
  assert.equal(underWay.bytesOf(ANN), 0n);
});

test('a body that outgrows its bound is refused at once and holds nothing', async () => {
  const { underWay, open } = openWorld();
  const other = open(LARGE);
  other.admit(boundOf(LARGE).bound);
  const share = open(undefined, LARGE);
  share.admit(boundOf(2 * LARGE - 1).bound);
  await assert.rejects(share.body.pipeTo(ignore), refusedFor(LARGE));
  assert.equal(underWay.bytesOf(ANN), BigInt(LARGE));
});

test('an account is looked at again after four mebibytes, and when another has ended', async () => {
  const { open } = openWorld();
  const MIB = 1024 * 1024;
  const first = SMALL_BODY_BYTES_MAX + CHUNK;
  for (const [length, count] of [
    [first + 4 * MIB, 1],
    [first + 4 * MIB + 1, 2],
  ] as const) {
    const share = open(undefined, length);
    const { bound, looks } = boundOf(length);
    share.admit(bound);
    await share.body.pipeTo(ignore);
    assert.equal(looks.count, count, `${length}`);
    share.end();
  }
  for (const [ended, count] of [
    [LARGE, 2],
    // Who took nothing gives nothing back.
    [undefined, 1],
  ] as const) {
    const { bound, looks } = boundOf(10 * MIB);
    const other = open(ended);
    other.admit(bound);
    const share = open(undefined, MIB);
    share.admit(bound);
    let taken = 0;
    await share.body.pipeTo((chunk) => {
      taken += chunk.byteLength;
      if (taken === MIB / 2) other.end();
      return undefined;
    });
    assert.equal(looks.count, count, `${ended}`);
    share.end();
  }
});

test('room that an account gets while its body comes in is used', async () => {
  const { underWay, open } = openWorld();
  const other = open(LARGE);
  other.admit(boundOf(LARGE).bound);
  let allowed = LARGE;
  const share = open(undefined, LARGE + CHUNK);
  share.admit(boundOf(() => allowed).bound);
  await share.body.pipeTo((chunk) => {
    // It has not left memory yet; the other ends and what it held is free.
    if (chunk.byteLength === CHUNK && allowed === LARGE) {
      allowed += CHUNK;
      other.end();
    }
    return undefined;
  });
  assert.equal(underWay.bytesOf(ANN), BigInt(LARGE + CHUNK));
});

test('the bound of an upload is what is left beside its row, or what it replaces', async () => {
  const account = {
    ...sampleAccount(1),
    defaultBucketId: 1 as never,
    storedBytes: 0n,
    countedBytes: 5000n,
  };
  const quota = { freeStorageBytes: 8000n, freeEgressBytes: 0n };
  const bound = (
    upload: Parameters<typeof uploadBound>[2],
    found: typeof account | undefined = account,
    facts = account,
  ) => uploadBound({ quota, metadata: { findAccount: async () => found } }, facts, upload);
  assert.equal(bound({ rowBytes: 1024, replacedBytes: 0 }).bytes, 3000n - 1024n);
  assert.equal(bound({ rowBytes: 1024, replacedBytes: 2000 }).bytes, 5000n - 1024n);
  assert.equal(bound({ rowBytes: 3001, replacedBytes: 0 }).bytes, 0n);
  const over = { ...account, countedBytes: 20_000n };
  assert.equal(bound({ rowBytes: 1024, replacedBytes: 2000 }, over, over).bytes, 2000n - 1024n);
  const read = bound({ rowBytes: 1024, replacedBytes: 2000 }, over);
  assert.deepEqual([read.bytes, await read.read()], [5000n - 1024n, 2000n - 1024n]);
  const gone = uploadBound({ quota, metadata: { findAccount: async () => undefined } }, account, {
    rowBytes: 0,
    replacedBytes: 0,
  });
  assert.equal(await gone.read(), 0n);
  assert.throws(
    () => {
      throw gone.refuse(7n);
    },
    { code: 'quota_exceeded', details: { used_bytes: 5000, allowed_bytes: 8000, needed_bytes: 7 } },
  );
});
