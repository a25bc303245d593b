/** Proves what a write refuses before, while and after its bytes come, and what it leaves then. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  DESCRIPTION,
  md5Of,
  multipartCalls,
  sourceOf,
} from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import { OBJECT_BYTES_MAX, SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import { putObject } from './put-object.ts';

const ROW = 1024;
const bytesOf = (length: number) => Buffer.alloc(length, 'p');
const refused = (code: ErrorCode) => (error: unknown) => isServiceError(error, code);
const unannounced = (bytes: Uint8Array): ByteSource => ({
  ...sourceOf(bytes),
  declaredBytes: undefined,
});
/** A body of which `then` happens when all bytes have come. */
const followedBy = (bytes: Uint8Array, then: () => Promise<unknown>): ByteSource => ({
  declaredBytes: bytes.length,
  pipeTo: async (sink) => {
    await sourceOf(bytes).pipeTo(sink);
    await then();
  },
});
/** A body of which nobody may read a byte. */
const unread = (declaredBytes: number): ByteSource => ({
  declaredBytes,
  pipeTo: () => assert.fail('the body is read'),
});

/** A body that says more of its chunk than there is: it is refused before anybody looks into it. */
const sending = (byteLength: number, declaredBytes: number | undefined): ByteSource => ({
  declaredBytes,
  pipeTo: async (sink) => await sink({ byteLength } as Uint8Array),
});

type World = Awaited<ReturnType<typeof openObjectWorld>>;

async function assertNothingStands({ metadata, find, stored, deps, owner }: World, key: string) {
  assert.equal(await find(key), undefined);
  assert.equal(await stored(), 0n);
  assert.deepEqual(await metadata.listBlobs({ after: undefined, limit: 10 }), []);
  assert.equal(deps.underWay.bytesOf(owner.accountId), 0n);
}

test('a body that is shorter or longer than was declared becomes nothing', async () => {
  const world = await openObjectWorld();
  for (const length of [10, SMALL_BODY_BYTES_MAX + 10]) {
    for (const [declaredBytes, code] of [
      [length + 1, 'incomplete_body'],
      [length - 1, length === 10 ? 'body_too_large' : 'incomplete_body'],
    ] as const) {
      const body = { ...sourceOf(bytesOf(length)), declaredBytes };
      await assert.rejects(world.put('k', bytesOf(0), { body }), refused(code));
      await assertNothingStands(world, 'k');
    }
    const { sizeBytes, checksum } = await (await openObjectWorld()).put('k', bytesOf(length));
    assert.deepEqual([sizeBytes, checksum], [length, undefined]);
  }
});

test('an account that is disabled while its bytes come is refused at the end', async () => {
  const world = await openObjectWorld();
  const body = followedBy(bytesOf(10), world.disable);
  await assert.rejects(world.put('k', bytesOf(0), { body }), refused('account_disabled'));
  await assertNothingStands(world, 'k');
});

test('what others stored while the bytes came counts in the conditions and the quota', async () => {
  for (const [key, freeBytes, conditions, code] of [
    ['k', 100, { ifNoneMatch: '*' }, 'precondition_failed'],
    ['other', 20, {}, 'quota_exceeded'],
  ] as const) {
    const { put, find, stored } = await openObjectWorld({
      freeStorageBytes: BigInt(2 * ROW + freeBytes),
    });
    const body = followedBy(bytesOf(11), () => put(key, bytesOf(10)));
    await assert.rejects(put('k', bytesOf(0), { body, conditions }), refused(code));
    assert.equal((await find(key))?.sizeBytes, 10);
    assert.equal(await stored(), 10n);
  }
});

test('the quota holds to the byte, whatever is announced of the body', async () => {
  for (const length of [10, SMALL_BODY_BYTES_MAX + 10]) {
    const world = await openObjectWorld({ freeStorageBytes: BigInt(ROW + length) });
    await assert.rejects(
      world.put('k', bytesOf(0), { body: unread(length + 1) }),
      refused('quota_exceeded'),
    );
    const tooLong = world.put('k', bytesOf(0), { body: unannounced(bytesOf(length + 1)) });
    await assert.rejects(tooLong, refused('quota_exceeded'));
    await assertNothingStands(world, 'k');
    await world.put('k', bytesOf(length));
    // In place of itself there is room, and for another there is none.
    await world.put('k', bytesOf(0), { body: unannounced(bytesOf(length)) });
    await world.put('k', bytesOf(length));
    await assert.rejects(
      world.put('l', bytesOf(0), { body: unread(0) }),
      refused('quota_exceeded'),
    );
    const replaced = { body: unread(length + 1) };
    await assert.rejects(world.put('k', bytesOf(0), replaced), refused('quota_exceeded'));
  }
});

test('an account beyond its limit may still put less in place of more', async () => {
  const world = await openObjectWorld({ freeStorageBytes: BigInt(ROW + 100) });
  await world.put('k', bytesOf(100));
  const shrunk = { ...world.deps, quota: { freeStorageBytes: 10n, freeEgressBytes: 0n } };
  const poor = multipartCalls(shrunk, world.owner);
  await assert.rejects(poor.put('k', bytesOf(0), { body: unread(101) }), refused('quota_exceeded'));
  await poor.put('k', bytesOf(100));
  await poor.put('k', bytesOf(99));
  assert.equal(await world.stored(), 99n);
});

test('what cannot be taken is refused before a byte is read', async () => {
  const world = await openObjectWorld({
    freeStorageBytes: 10n ** 18n,
    capacity: { storedBytes: () => 5n, capacityBytes: 10n },
  });
  await assert.rejects(world.put('k', bytesOf(0), { body: unread(6) }), refused('storage_full'));
  await world.put('k', bytesOf(5));
  const { put, owner } = await openObjectWorld({ freeStorageBytes: 10n ** 18n });
  const huge = put('k', bytesOf(0), { body: unread(OBJECT_BYTES_MAX + 1) });
  await assert.rejects(huge, refused('body_too_large'));
  const gone = { accountId: '0198a000-0000-7000-8000-00000000ffff' as typeof owner.accountId };
  const strange = put('k', bytesOf(0), { body: unread(1), ...gone });
  await assert.rejects(strange, refused('account_not_found'));
  const conditions = { ifMatch: '*' } as const;
  const missing = put('k', bytesOf(0), { body: unread(1), conditions });
  await assert.rejects(missing, refused('object_not_found'));
});

test('bytes that are not those that were announced become nothing', async () => {
  const world = await openObjectWorld();
  const bytes = bytesOf(10);
  const crc = (declared: string | undefined) =>
    ({ algorithm: 'CRC32', declared: () => declared }) as const;
  for (const [demands, digest] of [
    [{ md5: md5Of(bytesOf(9)) }, 'md5'],
    [{ sha256: '0'.repeat(64) }, 'sha256'],
    [{ checksum: crc('AAAAAA==') }, 'CRC32'],
    [
      { checksum: { algorithm: 'SHA1', declared: () => undefined }, second: crc('AAAAAA==') },
      'CRC32',
    ],
  ] as const) {
    await assert.rejects(world.put('k', bytes, { demands }), {
      code: 'digest_mismatch',
      details: { digest },
    });
    await assertNothingStands(world, 'k');
  }
  const { checksum } = await world.put('k', bytes, { demands: { checksum: crc(undefined) } });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const demands = { md5: md5Of(bytes), sha256, checksum: crc(checksum?.value) };
  await world.put('k', bytes, { demands });
});

test('a body may have five tebibytes and no byte more, announced or not', async () => {
  const { put } = await openObjectWorld({ freeStorageBytes: 10n ** 18n });
  const take = (body: ByteSource) => put('k', bytesOf(0), { body });
  const asked = { pipeTo: () => Promise.reject(new Error('it was asked for')) };
  const largest = take({ ...asked, declaredBytes: OBJECT_BYTES_MAX });
  await assert.rejects(largest, /it was asked for/);
  for (const declaredBytes of [undefined, SMALL_BODY_BYTES_MAX + 1]) {
    const body = sending(OBJECT_BYTES_MAX + 1, declaredBytes);
    await assert.rejects(take(body), refused('body_too_large'));
  }
});

test('who has room for just the largest object is told of the quota beyond it', async () => {
  const { put } = await openObjectWorld({ freeStorageBytes: BigInt(ROW + OBJECT_BYTES_MAX) });
  const body = sending(OBJECT_BYTES_MAX + 1, SMALL_BODY_BYTES_MAX + 1);
  await assert.rejects(put('k', bytesOf(0), { body }), refused('quota_exceeded'));
});

test('a small body that is longer than it announced is told so, also where it just fits', async () => {
  for (const length of [10, SMALL_BODY_BYTES_MAX]) {
    const { put } = await openObjectWorld({ freeStorageBytes: BigInt(ROW + length) });
    const body = { ...sourceOf(bytesOf(length + 1)), declaredBytes: length };
    await assert.rejects(put('k', bytesOf(0), { body }), refused('body_too_large'));
    await put('k', bytesOf(length));
  }
});

test('a large body counts while it is under way, and no more when it has ended', async () => {
  const { put, deps, owner } = await openObjectWorld();
  const length = SMALL_BODY_BYTES_MAX + 1;
  const seen: bigint[] = [];
  const body: ByteSource = {
    declaredBytes: length,
    pipeTo: async (sink) => {
      seen.push(deps.underWay.bytesOf(owner.accountId));
      await sourceOf(bytesOf(length)).pipeTo(sink);
    },
  };
  await put('k', bytesOf(0), { body });
  assert.deepEqual([...seen, deps.underWay.bytesOf(owner.accountId)], [BigInt(length), 0n]);
});

test('what is refused at last is refused before a byte when it can be known', async () => {
  const { put, deps, owner } = await openObjectWorld();
  await put('k', bytesOf(1));
  let looks = 0;
  const findObject: typeof deps.metadata.findObject = (...asked) => {
    looks += 1;
    return deps.metadata.findObject(...asked);
  };
  const { metadata } = deps;
  const looking = (length: number, isExpectingContinue: boolean) =>
    putObject(
      {
        ...deps,
        metadata: {
          findAccount: (accountId) => metadata.findAccount(accountId),
          publishObject: (publication) => metadata.publishObject(publication),
          findObject,
        },
      },
      {
        ...owner,
        key: 'k' as ObjectKey,
        description: DESCRIPTION,
        body: sourceOf(bytesOf(length)),
        conditions: {},
        usage: { source: 's3', credential: 'test' },
        isExpectingContinue,
        describeOperation: undefined,
      },
    );
  for (const [isExpectingContinue, length, count] of [
    // A small body that fits beside all that is stored needs no look at what it replaces.
    [false, 10, 0],
    [true, 10, 1],
    [false, SMALL_BODY_BYTES_MAX, 0],
    [false, SMALL_BODY_BYTES_MAX + 1, 1],
  ] as const) {
    looks = 0;
    await looking(length, isExpectingContinue);
    assert.equal(looks, count, `${length}`);
  }
  const refusedEarly = put('k', bytesOf(0), {
    body: unread(1),
    conditions: { ifNoneMatch: '*' },
    isExpectingContinue: true,
  });
  await assert.rejects(refusedEarly, refused('precondition_failed'));
});
