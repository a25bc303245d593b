/** Buckets beside the default one: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { Account } from '../../../identity/account/account.ts';
import type { AccountSlug, BucketId, BucketName } from '../../../ids.ts';
import type { Bucket, BucketChange, NewBucket } from '../../../objects/buckets/bucket.ts';
import type { Metadata } from '../metadata.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  insertAccount,
  sampleAccount,
  sampleDeletion,
  samplePublication,
  timeAt,
} from './samples.ts';
import { sampleBeginning, sampleUpload } from './upload-samples.ts';

const NO_DOCUMENTS = {
  cors: undefined,
  policy: undefined,
  lifecycle: undefined,
  tagging: undefined,
};

function sampleBucket(account: Account, name: string, change: Partial<NewBucket> = {}): NewBucket {
  return {
    accountId: account.accountId,
    name: name as BucketName,
    publicRead: false,
    documents: NO_DOCUMENTS,
    createdAt: timeAt(1),
    ...change,
  };
}

function insertBucket(metadata: Metadata, bucket: NewBucket): Promise<Bucket> {
  return inTransaction(metadata, (tx) => tx.insertBucket(bucket));
}

/** The publication of `key` in another bucket than the default one. */
function publicationIn(bucket: Bucket, account: Account, key: string, blobId: number) {
  return samplePublication(account, { key, blobId, version: { bucketId: bucket.bucketId } });
}

export function bucketContract(engine: MetadataEngine): void {
  describe(`${engine.name}: buckets`, () => buckets(engine));
  describe(`${engine.name}: removing buckets`, () => removing(engine));
}

function buckets(engine: MetadataEngine): void {
  test('a bucket comes back with all its values', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    assert.equal(await metadata.findBucket('full.bucket-1' as BucketName), undefined);
    const documents = { cors: '[{"ä":1}]', policy: '{}', lifecycle: '<l/>', tagging: '' };
    const full = sampleBucket(account, 'full.bucket-1', { publicRead: true, documents });
    const inserted = await insertBucket(metadata, full);
    assert.deepEqual(inserted, { ...full, bucketId: inserted.bucketId, isDefault: false });
    assert.notEqual(inserted.bucketId, account.defaultBucketId);
    assert.deepEqual(await metadata.findBucket(full.name), inserted);
    assert.deepEqual(await metadata.findBucketById(inserted.bucketId), inserted);
  });

  test('a name is taken once, whoever has it, and a slug too', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const alice = await insertAccount(metadata, sampleAccount(1));
    const bob = await insertAccount(metadata, sampleAccount(2));
    await insertBucket(metadata, sampleBucket(alice, 'taken'));
    for (const name of ['taken', alice.slug]) {
      for (const account of [alice, bob]) {
        await assert.rejects(insertBucket(metadata, sampleBucket(account, name)), (error) =>
          isServiceError(error, 'bucket_exists'),
        );
      }
    }
  });

  test('of racing inserts of one name one wins', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => insertBucket(metadata, sampleBucket(account, 'one'))),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert(isServiceError(outcome.reason, 'bucket_exists'));
    }
    assert.equal(await metadata.countBuckets(account.accountId), 2);
  });

  test('a limit that counts within the transaction holds in a race', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await Promise.all(
      [1, 2, 3, 4, 5].map((number) =>
        inTransaction(metadata, async (tx) => {
          if ((await tx.countBuckets(account.accountId)) >= 3) return;
          await tx.insertBucket(sampleBucket(account, `race-${number}`));
        }),
      ),
    );
    assert.equal(await metadata.countBuckets(account.accountId), 3);
  });

  test('buckets are listed by account in order of name, in pages, by prefix', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const alice = await insertAccount(
      metadata,
      sampleAccount(1, { slug: 'zzzzzzzzzzzz' as AccountSlug }),
    );
    const bob = await insertAccount(metadata, sampleAccount(2));
    for (const name of ['b.b', 'b-b', 'b1', 'bb', 'a-1', 'b']) {
      await insertBucket(metadata, sampleBucket(alice, name));
    }
    await insertBucket(metadata, sampleBucket(bob, 'b0'));
    const list = async (prefix: string, after?: string, limit = 10) =>
      (await metadata.listBuckets({ accountId: alice.accountId, prefix, after, limit })).map(
        ({ name }) => String(name),
      );
    assert.deepEqual(await list(''), ['a-1', 'b', 'b-b', 'b.b', 'b1', 'bb', 'zzzzzzzzzzzz']);
    assert.deepEqual(await list('b'), ['b', 'b-b', 'b.b', 'b1', 'bb']);
    assert.deepEqual(await list('b', 'b-b', 2), ['b.b', 'b1']);
    assert.deepEqual(await list('b', 'bb'), []);
    assert.deepEqual(await list('', 'b-'), ['b-b', 'b.b', 'b1', 'bb', 'zzzzzzzzzzzz']);
    assert.deepEqual(await list('c'), []);
    assert.equal(await metadata.countBuckets(alice.accountId), 7);
    assert.equal(await metadata.countBuckets(bob.accountId), 2);
  });

  test('a change touches what it names, and is seen at once', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucket = await insertBucket(metadata, sampleBucket(account, 'bucket'));
    const change = (what: BucketChange) =>
      inTransaction(metadata, (tx) => tx.updateBucket(bucket.bucketId, what));
    assert.deepEqual(await metadata.findBucket(bucket.name), bucket);
    await change({ documents: { cors: 'c', tagging: 't' } });
    const documents = { ...NO_DOCUMENTS, cors: 'c', tagging: 't' };
    assert.deepEqual(await metadata.findBucket(bucket.name), { ...bucket, documents });
    await change({ publicRead: true, documents: { cors: null } });
    const changed = { ...bucket, publicRead: true, documents: { ...documents, cors: undefined } };
    assert.deepEqual(await metadata.findBucket(bucket.name), changed);
    await change({});
    assert.deepEqual(await metadata.findBucketById(bucket.bucketId), changed);
    await assert.rejects(
      inTransaction(metadata, (tx) => tx.updateBucket(999 as BucketId, {})),
      (error) => isServiceError(error, 'bucket_not_found'),
    );
  });
}

function removing(engine: MetadataEngine): void {
  test('an empty bucket is removed at once, and its number is not given again', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucket = await insertBucket(metadata, sampleBucket(account, 'bucket'));
    assert.deepEqual(await metadata.findBucket(bucket.name), bucket);
    const remove = () => inTransaction(metadata, (tx) => tx.deleteBucket(bucket.bucketId));
    await remove();
    assert.equal(await metadata.findBucket(bucket.name), undefined);
    assert.equal(await metadata.findBucketById(bucket.bucketId), undefined);
    await assert.rejects(remove(), (error) => isServiceError(error, 'bucket_not_found'));
    await assert.rejects(metadata.publishObject(publicationIn(bucket, account, 'k', 1)), (error) =>
      isServiceError(error, 'bucket_not_found'),
    );
    const again = await insertBucket(metadata, sampleBucket(account, 'bucket'));
    assert.notEqual(again.bucketId, bucket.bucketId);
  });

  test('a bucket that holds an object stays, until the object is gone', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucket = await insertBucket(metadata, sampleBucket(account, 'bucket'));
    await metadata.publishObject(publicationIn(bucket, account, 'k', 1));
    const remove = () => inTransaction(metadata, (tx) => tx.deleteBucket(bucket.bucketId));
    await assert.rejects(remove(), (error) => isServiceError(error, 'bucket_not_empty'));
    assert.deepEqual(await metadata.findBucket(bucket.name), bucket);
    await metadata.deleteObject(sampleDeletion(account, 'k', { bucketId: bucket.bucketId }));
    await remove();
    assert.equal(await metadata.countBuckets(account.accountId), 1);
  });

  test('of a removal and the puts that race with it, nothing is left without its bucket', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    for (let round = 0; round < 5; round += 1) {
      const bucket = await insertBucket(metadata, sampleBucket(account, `bucket-${round}`));
      const publish = (index: number) =>
        metadata.publishObject(publicationIn(bucket, account, `k${index}`, round * 10 + index + 1));
      const remove = inTransaction(metadata, async (tx) => {
        await tx.findBucket(bucket.name);
        await tx.deleteBucket(bucket.bucketId);
      });
      const [removed, ...published] = await Promise.allSettled([remove, ...[0, 1, 2].map(publish)]);
      const isGone = (await metadata.findBucketById(bucket.bucketId)) === undefined;
      assert.equal(removed.status === 'fulfilled', isGone);
      if (removed.status === 'rejected') {
        assert(isServiceError(removed.reason, 'bucket_not_empty'), String(removed.reason));
      }
      for (const outcome of published) {
        if (outcome.status === 'fulfilled') assert.equal(isGone, false);
        else assert(isServiceError(outcome.reason, 'bucket_not_found'), String(outcome.reason));
      }
      const page = await metadata.listObjects({
        bucketId: bucket.bucketId,
        prefix: '',
        delimiter: '',
        after: undefined,
        limit: 10,
      });
      const stored = published.filter(({ status }) => status === 'fulfilled').length;
      assert.equal(page.entries.length, isGone ? 0 : stored);
    }
  });

  test('of a removal and the uploads that race with it, none is left without its bucket', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    for (let round = 0; round < 5; round += 1) {
      const bucket = await insertBucket(metadata, sampleBucket(account, `bucket-${round}`));
      const { bucketId } = bucket;
      const uploads = [1, 2, 3].map((number) =>
        sampleUpload(account, { key: 'k', number: round * 10 + number }, { bucketId }),
      );
      const remove = inTransaction(metadata, async (tx) => {
        await tx.findBucket(bucket.name);
        await tx.abortUploadsOf({ bucketId, at: timeAt(2), limit: 10 });
        await tx.deleteBucket(bucketId);
      });
      const begun = uploads.map((upload) => metadata.insertUpload(sampleBeginning(upload)));
      const [removed, ...inserted] = await Promise.allSettled([remove, ...begun]);
      assert.equal(removed.status, 'fulfilled');
      for (const outcome of inserted) {
        if (outcome.status === 'fulfilled') continue;
        assert(isServiceError(outcome.reason, 'bucket_not_found'), String(outcome.reason));
      }
      for (const { uploadId } of uploads) {
        assert.equal(await metadata.findUpload(uploadId), undefined);
      }
    }
  });
}
