/** Multipart uploads, alone and in races: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { Account } from '../../../identity/account/account.ts';
import type { AccountId, BucketId, TimeMs } from '../../../ids.ts';
import type { CommitDemands } from '../../../objects/commit/commit-demands.ts';
import type { MultipartUpload } from '../../../objects/multipart/upload.ts';
import type { PartChecksum } from '../../../objects/object.ts';
import type { UsageDelta } from '../../../usage.ts';
import type { Metadata } from '../metadata.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine, MetadataStore } from './metadata-engine.ts';
import {
  blobsOf,
  fitsBelow,
  HOUR,
  insertAccount,
  keyOf,
  mustNotExist,
  NOW,
  sampleAccount,
  samplePart,
  samplePublication,
  storedBytes,
  timeAt,
} from './samples.ts';
import {
  sampleBeginning,
  sampleCompletion,
  samplePartOf,
  sampleResult,
  sampleUpload,
  sampleUploadId,
} from './upload-samples.ts';

export function uploadContract(engine: MetadataEngine): void {
  describe(`${engine.name}: multipart uploads`, () => {
    parts(engine);
    completing(engine);
    aborting(engine);
  });
  describe(`${engine.name}: races of multipart uploads`, () => races(engine));
}

type Begun = AsyncDisposable & {
  readonly metadata: Metadata;
  readonly account: Account;
  readonly upload: MultipartUpload;
  /** Saves part `number`, of blob `number`. */
  readonly save: (number: number, sizeBytes?: number) => Promise<unknown>;
};

/** A store with one upload of `k`. */
async function begun(
  engine: MetadataEngine,
  change: Partial<MultipartUpload> = {},
): Promise<Begun> {
  const store: MetadataStore = await engine.open();
  const { metadata } = store;
  const account = await insertAccount(metadata, sampleAccount(1));
  const upload = sampleUpload(account, { key: 'k' }, change);
  await metadata.insertUpload(sampleBeginning(upload));
  return {
    metadata,
    account,
    upload,
    save: (number, sizeBytes) =>
      metadata.savePart(
        samplePartOf(upload, { number, blobId: number, sizeBytes: sizeBytes ?? 10 }),
      ),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const isNotFound = (error: unknown) => isServiceError(error, 'upload_not_found');

function parts(engine: MetadataEngine): void {
  test('an upload is read back with all that its start named', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const upload = sampleUpload(
      account,
      { key: 'ä/\u{1F600}' },
      {
        description: {
          contentType: 'image/png',
          headers: { 'cache-control': 'no-store' },
          userMetadata: { a: 'ü' },
          tags: { b: '' },
          storageClass: 'GLACIER_IR',
          tier: 'ultra',
          origin: 's3',
        },
        checksum: { algorithm: 'CRC32C', type: 'COMPOSITE' },
      },
    );
    await metadata.insertUpload(sampleBeginning(upload));
    assert.deepEqual(await metadata.findUpload(upload.uploadId), upload);
    assert.equal(await metadata.findUpload(sampleUploadId(2)), undefined);
    assert.equal(await metadata.findObject(upload.bucketId, upload.key), undefined);
    const plain = sampleUpload(account, { key: 'k', number: 3 });
    await inTransaction(metadata, (tx) => tx.insertUpload(sampleBeginning(plain)));
    assert.deepEqual(await metadata.findUpload(plain.uploadId), plain);
  });

  test('an upload begins in a bucket of its account only', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const other = await insertAccount(metadata, sampleAccount(2));
    for (const bucketId of [other.defaultBucketId, 99 as BucketId]) {
      await assert.rejects(
        metadata.insertUpload(sampleBeginning(sampleUpload(account, { key: 'k' }, { bucketId }))),
        (error) => isServiceError(error, 'bucket_not_found'),
      );
    }
    assert.equal(await metadata.findUpload(sampleUploadId(1)), undefined);
  });

  test('parts are listed by their numbers, and count as stored', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    for (const number of [10_000, 2, 10, 1]) await store.save(number);
    const empty = samplePartOf(upload, {
      number: 11,
      blobId: undefined,
      checksum: { value: 'AA==', second: { algorithm: 'CRC32', value: 'BB==' } },
    });
    assert.equal(await metadata.savePart(empty), undefined);
    const { uploadId } = upload;
    const list = async (after: number, limit: number) =>
      (await metadata.listParts({ uploadId, after, limit })).map(({ partNumber }) => +partNumber);
    assert.deepEqual(await list(0, 1000), [1, 2, 10, 11, 10_000]);
    assert.deepEqual(await list(2, 2), [10, 11]);
    assert.deepEqual(await list(10_000, 1), []);
    assert.deepEqual(await metadata.listParts({ uploadId, after: 10, limit: 1 }), [empty.part]);
    assert.deepEqual(
      await metadata.listParts({ uploadId: sampleUploadId(2), after: 0, limit: 1 }),
      [],
    );
    assert.equal(await storedBytes(metadata, account), 40n);
    const live = [1, 2, 10, 10_000].map((blobId) => [blobId, 1]);
    assert.deepEqual(await blobsOf(metadata), { live, dead: [] });
  });

  test('a part replaces the one of its number, whose bytes die', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const first = samplePartOf(upload, { number: 1, blobId: 1, sizeBytes: 30 });
    await metadata.savePart(first);
    const second = (limit: number) =>
      samplePartOf(
        upload,
        { number: 1, blobId: 2, sizeBytes: 12, at: timeAt(5) },
        // More than what it replaces, so that the demand looks at the account.
        { demands: [{ kind: 'enabled' }, fitsBelow(limit, 10 + 1054)] },
      );
    await assert.rejects(
      metadata.savePart(second(2087)),
      (error) => isServiceError(error, 'quota_exceeded') && error.details['used_bytes'] === 2078,
    );
    assert.deepEqual(await metadata.savePart(second(2088)), first.part);
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [[1, timeAt(5)]] });
    assert.equal(await storedBytes(metadata, account), 12n);
    assert.equal((await metadata.findUpload(upload.uploadId))?.changedAt, timeAt(5));
    const empty = samplePartOf(upload, { number: 1, blobId: undefined, at: timeAt(6) });
    await metadata.savePart(empty);
    assert.equal(await storedBytes(metadata, account), 0n);
    assert.deepEqual((await blobsOf(metadata)).live, []);
  });

  test('a part is counted as usage with its commit', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const { accountId, defaultBucketId: bucketId } = account;
    const usage: UsageDelta = {
      accountId,
      hour: HOUR,
      meter: 'ingress',
      source: 's3',
      bucketId,
      credential: 'key',
      link: undefined,
      bytes: 10n,
      requests: 1,
    };
    await metadata.savePart(samplePartOf(upload, { number: 1, blobId: 1 }, { usage }));
    const range = { accountId, from: HOUR, to: (HOUR + 1) as TimeMs };
    assert.deepEqual(await metadata.sumUsage(range), [usage]);
  });

  test('a part does not bring back a blob that is dead, whose bytes may be gone', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    await metadata.savePart(samplePartOf(upload, { number: 1, blobId: 2 }));
    for (const number of [1, 2]) {
      await assert.rejects(
        metadata.savePart(samplePartOf(upload, { number, blobId: 1 })),
        (error) => isServiceError(error, 'object_not_found'),
      );
    }
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [[1, NOW]] });
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a refused part changes nothing', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    const demands = [fitsBelow(0, 1035)];
    await assert.rejects(
      metadata.savePart(samplePartOf(upload, { number: 1, blobId: 2 }, { demands })),
      (error) => isServiceError(error, 'quota_exceeded'),
    );
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 1]], dead: [] });
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('only the whole address finds an upload', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const other = await insertAccount(metadata, sampleAccount(2));
    await store.save(1);
    const wrong: readonly Partial<MultipartUpload>[] = [
      { uploadId: sampleUploadId(2) },
      { key: keyOf('K') },
      { bucketId: other.defaultBucketId },
      { accountId: other.accountId },
    ];
    for (const change of wrong) {
      const address = { ...upload, ...change };
      const part = samplePartOf(address, { number: 2, blobId: 2 });
      await assert.rejects(metadata.savePart(part), isNotFound);
      await assert.rejects(metadata.completeUpload(sampleCompletion(address, [1])), isNotFound);
      await assert.rejects(metadata.abortUpload({ address, at: NOW }), isNotFound);
    }
    const stranger = { ...upload, accountId: 'nobody' as AccountId };
    await assert.rejects(metadata.savePart(samplePartOf(stranger, { number: 2, blobId: 2 })));
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 1]], dead: [] });
    assert.equal(await storedBytes(metadata, account), 10n);
  });
}

function completing(engine: MetadataEngine): void {
  test('listed parts become the object, others lose their bytes', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    for (const number of [1, 2, 5, 9]) {
      const sample = {
        number,
        blobId: 20 - number,
        sizeBytes: number,
        checksum: crcOf(number),
      };
      await metadata.savePart(samplePartOf(upload, sample));
    }
    await metadata.savePart(samplePartOf(upload, { number: 10, blobId: undefined }));
    assert.equal(await storedBytes(metadata, account), 17n);
    const completion = sampleCompletion(upload, [1, 5, 9, 10], { at: timeAt(7) });
    assert.deepEqual(await metadata.completeUpload(completion), sampleResult([1, 5, 9, 10]));
    const found = await metadata.findObject(upload.bucketId, upload.key);
    assert.deepEqual(
      found?.content,
      [1, 5, 9].map((number) => ({
        ...samplePart(20 - number, number),
        checksum: crcOf(number),
      })),
    );
    assert.equal(found.sizeBytes, 15);
    assert.equal(found.contentHash, undefined);
    assert.equal(await storedBytes(metadata, account), 15n);
    const live = [11, 15, 19].map((blobId) => [blobId, 1]);
    assert.deepEqual(await blobsOf(metadata), { live, dead: [[18, timeAt(7)]] });
    const { uploadId } = upload;
    assert.deepEqual(await metadata.listParts({ uploadId, after: 0, limit: 10 }), []);
    assert.deepEqual((await metadata.findUpload(uploadId))?.completion, {
      at: timeAt(7),
      result: sampleResult([1, 5, 9, 10]),
    });
  });

  test('an object of one part, or of none with bytes, is read back', async () => {
    await using store = await begun(engine);
    const { metadata, account, upload } = store;
    await store.save(3, 30);
    await metadata.completeUpload(sampleCompletion(upload, [3]));
    const one = await metadata.findObject(upload.bucketId, upload.key);
    assert.deepEqual(one?.content, [samplePart(3, 30)]);
    const summed = sampleUpload(account, { key: 'summed', number: 2 });
    await metadata.insertUpload(sampleBeginning(summed));
    const checksum = {
      value: 'AAAAAAAAAAA=',
      second: { algorithm: 'SHA1', value: 'B/+=' },
    } as const;
    await metadata.savePart(samplePartOf(summed, { number: 1, blobId: 4, checksum }));
    await metadata.completeUpload(sampleCompletion(summed, [1]));
    const kept = await metadata.findObject(summed.bucketId, summed.key);
    assert.deepEqual(kept?.content, [{ ...samplePart(4), checksum }]);
    const empty = sampleUpload(account, { key: 'empty', number: 3 });
    await metadata.insertUpload(sampleBeginning(empty));
    await metadata.savePart(samplePartOf(empty, { number: 1, blobId: undefined }));
    await metadata.completeUpload(sampleCompletion(empty, [1]));
    assert.deepEqual((await metadata.findObject(empty.bucketId, empty.key))?.content, []);
    assert.equal(await storedBytes(metadata, account), 40n);
  });

  test('a completed upload replaces the object and is replaced like any', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const before = samplePublication(account, { key: 'k', blobId: 100, sizeBytes: 100 });
    await metadata.publishObject(before);
    await store.save(1);
    await store.save(2);
    const demands: CommitDemands = [{ kind: 'unchanged', version: before.version }];
    await metadata.completeUpload(sampleCompletion(upload, [1, 2], { at: timeAt(3), demands }));
    assert.deepEqual((await blobsOf(metadata)).dead, [[100, timeAt(3)]]);
    assert.equal(await storedBytes(metadata, account), 20n);
    await metadata.publishObject(
      samplePublication(account, { key: 'k', blobId: 101, version: { createdAt: timeAt(4) } }),
    );
    assert.deepEqual((await blobsOf(metadata)).dead, [
      [100, timeAt(3)],
      [1, timeAt(4)],
      [2, timeAt(4)],
    ]);
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a refused completion leaves the upload as it was', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 100 }));
    await store.save(1);
    await store.save(2);
    const completion = sampleCompletion(upload, [1]);
    const refused = metadata.completeUpload({ ...completion, demands: mustNotExist });
    await assert.rejects(refused, (error) => isServiceError(error, 'precondition_failed'));
    await assert.rejects(metadata.completeUpload(sampleCompletion(upload, [1, 3])), (error) =>
      isServiceError(error, 'invalid_part'),
    );
    assert.equal((await metadata.findUpload(upload.uploadId))?.completion, undefined);
    assert.equal(await storedBytes(metadata, account), 30n);
    await metadata.completeUpload(completion);
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a completed upload answers its result again, whatever became of the object', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    const first = await metadata.completeUpload(
      sampleCompletion(upload, [1], { listHash: 'first' }),
    );
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 5 }));
    const again = sampleCompletion(upload, [1], { listHash: 'second', at: timeAt(9) });
    assert.deepEqual(await metadata.completeUpload(again), first);
    assert.deepEqual((await blobsOf(metadata)).live, [[5, 1]]);
    await assert.rejects(store.save(2), isNotFound);
    await assert.rejects(metadata.abortUpload({ address: upload, at: NOW }), isNotFound);
    const { uploadId } = upload;
    const forget = (completedBefore: TimeMs) =>
      inTransaction(metadata, (tx) => tx.forgetUploads({ completedBefore, limit: 10 }));
    assert.equal(await forget(NOW), 0);
    assert.notEqual(await metadata.findUpload(uploadId), undefined);
    assert.equal(await forget(timeAt(1)), 1);
    assert.equal(await metadata.findUpload(uploadId), undefined);
    await assert.rejects(metadata.completeUpload(again), isNotFound);
  });

  test('many parts become one object', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const numbers = Array.from({ length: 1500 }, (_, index) => index + 1);
    // So few at once that the last one is not given up, on whatever machine: they go one by one.
    for (let start = 0; start < numbers.length; start += 50) {
      await Promise.all(numbers.slice(start, start + 50).map((number) => store.save(number, 1)));
    }
    const listed = new Set(numbers.filter((number) => number % 100 !== 7));
    await metadata.completeUpload(sampleCompletion(upload, [...listed]));
    const found = await metadata.findObject(upload.bucketId, upload.key);
    assert.deepEqual(
      found?.content.map(({ blob }) => Number(blob.blobId)),
      [...listed],
    );
    assert.equal(await storedBytes(metadata, account), 1485n);
    assert.equal((await blobsOf(metadata)).dead.length, 15);
  });
}

function aborting(engine: MetadataEngine): void {
  test('an abort frees all parts and ends the upload', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    await store.save(2);
    await metadata.savePart(samplePartOf(upload, { number: 3, blobId: undefined }));
    await metadata.abortUpload({ address: upload, at: timeAt(2) });
    assert.equal(await metadata.findUpload(upload.uploadId), undefined);
    assert.equal(await storedBytes(metadata, account), 0n);
    const dead = [1, 2].map((blobId) => [blobId, timeAt(2)]);
    assert.deepEqual(await blobsOf(metadata), { live: [], dead });
    await assert.rejects(store.save(4), isNotFound);
    await assert.rejects(metadata.completeUpload(sampleCompletion(upload, [1])), isNotFound);
    await assert.rejects(metadata.abortUpload({ address: upload, at: NOW }), isNotFound);
  });

  test('uploads of a bucket are aborted in batches, completed ones stay', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const other = await insertAccount(metadata, sampleAccount(2));
    const foreign = sampleUpload(other, { key: 'k', number: 50 });
    await metadata.insertUpload(sampleBeginning(foreign));
    await metadata.savePart(samplePartOf(foreign, { number: 1, blobId: 50 }));
    await store.save(1);
    await metadata.completeUpload(sampleCompletion(upload, [1]));
    for (const number of [2, 3, 4]) {
      const each = sampleUpload(account, { key: 'k', number });
      await metadata.insertUpload(sampleBeginning(each));
      await metadata.savePart(samplePartOf(each, { number: 1, blobId: number }));
    }
    const { defaultBucketId: bucketId } = account;
    const abort = () =>
      inTransaction(metadata, (tx) => tx.abortUploadsOf({ bucketId, at: NOW, limit: 2 }));
    assert.equal(await abort(), 2);
    assert.equal(await storedBytes(metadata, account), 20n);
    assert.equal(await abort(), 1);
    assert.equal(await abort(), 0);
    assert.equal(await storedBytes(metadata, account), 10n);
    assert.equal(await storedBytes(metadata, other), 10n);
    assert.notEqual(await metadata.findUpload(upload.uploadId), undefined);
    const live = [1, 50].map((blobId) => [blobId, 1]);
    assert.deepEqual((await blobsOf(metadata)).live, live);
  });

  test('idle uploads are aborted, those whose last part is young are not', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await metadata.insertUpload(sampleBeginning(sampleUpload(account, { key: 'k', number: 2 })));
    await metadata.savePart(samplePartOf(upload, { number: 1, blobId: 1, at: timeAt(100) }));
    const abort = (changedBefore: TimeMs) =>
      inTransaction(metadata, (tx) => tx.abortIdleUploads({ changedBefore, at: NOW, limit: 10 }));
    assert.equal(await abort(timeAt(2)), 0);
    assert.equal(await abort(timeAt(100)), 1);
    assert.equal(await metadata.findUpload(sampleUploadId(2)), undefined);
    assert.equal(await abort(timeAt(101)), 1);
    assert.equal(await storedBytes(metadata, account), 0n);
    assert.deepEqual((await blobsOf(metadata)).live, []);
  });

  test('changes of one transaction see each other and fall together', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const fault = new Error('on purpose');
    const work = (isFaulty: boolean) =>
      inTransaction(metadata, async (tx) => {
        await tx.savePart(samplePartOf(upload, { number: 1, blobId: 1 }));
        await tx.savePart(samplePartOf(upload, { number: 2, blobId: 2 }));
        await tx.completeUpload(sampleCompletion(upload, [2]));
        const found = await tx.findObject(upload.bucketId, upload.key);
        assert.deepEqual(found?.content, [samplePart(2)]);
        assert.equal((await tx.findAccount(account.accountId))?.storedBytes, 10n);
        if (isFaulty) throw fault;
      });
    await assert.rejects(work(true), fault);
    assert.deepEqual(await blobsOf(metadata), { live: [], dead: [] });
    assert.equal((await metadata.findUpload(upload.uploadId))?.completion, undefined);
    await work(false);
    assert.deepEqual((await blobsOf(metadata)).live, [[2, 1]]);
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a snapshot holds the parts of open uploads', async () => {
    await using store = await begun(engine);
    const { metadata, upload } = store;
    await store.save(1);
    await metadata.savePart(samplePartOf(upload, { number: 2, blobId: undefined }));
    await metadata.snapshot(async (snapshot) => {
      const owners = [];
      for await (const page of snapshot.owners()) owners.push(...page);
      const { bucketId, key } = upload;
      const blob = { sizeBytes: 10, isDead: false };
      const part = { kind: 'part', bucketId, key, describedBytes: 0 };
      assert.deepEqual(owners, [
        { ...part, sizeBytes: 10, content: { kind: 'blob', blobId: 1, blob } },
        { ...part, sizeBytes: 0, content: { kind: 'none' } },
      ]);
    });
  });
}

function races(engine: MetadataEngine): void {
  test('of racing completions one commits, and all get its result', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    await store.save(2);
    const results = await Promise.all(
      ['a', 'b', 'c', 'd'].map((word) =>
        metadata.completeUpload(sampleCompletion(upload, [1, 2], { listHash: word })),
      ),
    );
    for (const result of results) assert.deepEqual(result, results[0]);
    assert.equal(await storedBytes(metadata, account), 20n);
    const live = [1, 2].map((blobId) => [blobId, 1]);
    assert.deepEqual(await blobsOf(metadata), { live, dead: [] });
  });

  test('of a completion and an abort exactly one wins', async () => {
    await using store = await begun(engine);
    const { metadata, account } = store;
    for (let number = 10; number < 30; number += 1) {
      const upload = sampleUpload(account, { key: `k${number}`, number });
      await metadata.insertUpload(sampleBeginning(upload));
      await metadata.savePart(samplePartOf(upload, { number: 1, blobId: number }));
      const complete = () => metadata.completeUpload(sampleCompletion(upload, [1]));
      const abort = () => metadata.abortUpload({ address: upload, at: NOW });
      const rivals = number % 2 === 0 ? [complete, abort] : [abort, complete];
      const outcomes = await Promise.allSettled(rivals.map((rival) => rival()));
      const [lost, ...others] = outcomes.filter((outcome) => outcome.status === 'rejected');
      assert.deepEqual(others, []);
      assert(lost !== undefined && isNotFound(lost.reason));
      const isThere = (await metadata.findObject(upload.bucketId, upload.key)) !== undefined;
      assert.equal((await metadata.findUpload(upload.uploadId)) !== undefined, isThere);
    }
    const { live } = await blobsOf(metadata);
    assert.equal(await storedBytes(metadata, account), BigInt(live.length * 10));
  });

  test('parts that race with an abort are refused or freed', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    const saves = Array.from({ length: 20 }, (_, index) => store.save(index + 1));
    const rest = Array.from({ length: 20 }, (_, index) => index + 21);
    const abort = metadata.abortUpload({ address: upload, at: NOW });
    const outcomes = await Promise.allSettled([...saves, abort, ...rest.map((n) => store.save(n))]);
    for (const outcome of outcomes) {
      assert(outcome.status === 'fulfilled' || isNotFound(outcome.reason));
    }
    assert.deepEqual((await blobsOf(metadata)).live, []);
    assert.equal(await storedBytes(metadata, account), 0n);
  });

  test('a part that races with a completion is in the object or refused', async () => {
    await using store = await begun(engine);
    const { metadata, upload, account } = store;
    await store.save(1);
    const outcomes = await Promise.allSettled([
      metadata.savePart(samplePartOf(upload, { number: 1, blobId: 2 })),
      metadata.completeUpload(sampleCompletion(upload, [1])),
      metadata.savePart(samplePartOf(upload, { number: 1, blobId: 3 })),
    ]);
    assert.equal(outcomes[1]?.status, 'fulfilled');
    const found = await metadata.findObject(upload.bucketId, upload.key);
    assert.equal(found?.content.length, 1);
    const { live } = await blobsOf(metadata);
    assert.deepEqual(live, [[Number(found.content[0]?.blob.blobId), 1]]);
    assert.equal(await storedBytes(metadata, account), 10n);
  });
}

/** As long as a CRC64NVME, which the checksum of a whole is made of. */
function crcOf(number: number): PartChecksum {
  return { value: Buffer.alloc(8, number).toString('base64') };
}
