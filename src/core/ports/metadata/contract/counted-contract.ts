/** What counts against a quota beyond bytes, and how many rows there may be: for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { Account } from '../../../identity/account/account.ts';
import type { LinkHash, TimeMs } from '../../../ids.ts';
import type { UploadDemands } from '../../../objects/commit/commit-demands.ts';
import { footprint } from '../../../objects/commit/footprint.ts';
import type { Metadata } from '../metadata.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  countedBytes,
  fitsBelow,
  insertAccount,
  keyOf,
  NOW,
  sampleAccount,
  sampleDeletion,
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

export function countedContract(engine: MetadataEngine): void {
  describe(`${engine.name}: counted bytes`, () => counted(engine));
  describe(`${engine.name}: bounds of an account's rows`, () => bounds(engine));
}

/** Two octets a letter, so that characters are not taken for bytes. */
const LONG = { note: 'ä'.repeat(1000) };
/** `{"note":""}` around 2,000 octets. */
const LONG_BYTES = 2011;
const TYPE_BYTES = 'text/plain'.length;

/** That the row has what `rows` of the snapshot add up to, and that it is `expected`. */
async function assertCounted(metadata: Metadata, account: Account, expected: number) {
  let recounted = 0;
  await metadata.snapshot(async (snapshot) => {
    for await (const page of snapshot.owners()) {
      for (const { sizeBytes, describedBytes } of page) {
        recounted += footprint(sizeBytes, describedBytes).countedBytes;
      }
    }
    for await (const page of snapshot.openUploads()) {
      for (const { bucketId, describedBytes } of page) {
        assert.equal(bucketId, account.defaultBucketId);
        recounted += footprint(0, describedBytes).countedBytes;
      }
    }
    for await (const [row] of snapshot.accounts())
      assert.equal(row?.countedBytes, BigInt(expected));
  });
  assert.equal(await countedBytes(metadata, account), BigInt(expected));
  assert.equal(recounted, expected);
}

function counted(engine: MetadataEngine): void {
  test('a version counts its bytes and its row, in every change', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const { defaultBucketId: bucketId } = account;
    const publish = (key: string, blobId: number, version: object = {}) =>
      metadata.publishObject(samplePublication(account, { key, blobId, sizeBytes: 10, version }));
    await publish('k', 1);
    await assertCounted(metadata, account, 10 + 1024);
    await publish('k', 2, { userMetadata: LONG });
    await assertCounted(metadata, account, 10 + 1 + TYPE_BYTES + LONG_BYTES);
    const tags = { t: '1' };
    const headers = { 'cache-control': 'no-store' };
    await publish('k', 3, { userMetadata: LONG, tags, headers });
    const described = 1 + TYPE_BYTES + LONG_BYTES + '{"t":"1"}'.length + 28;
    await assertCounted(metadata, account, 10 + described);
    const empty = samplePublication(account, { key: 'e', blobId: 4, sizeBytes: 0 });
    await metadata.publishObject({ ...empty, content: [] });
    await assertCounted(metadata, account, 10 + described + 1024);
    const to = keyOf('ü'.repeat(50));
    await inTransaction(metadata, (tx) =>
      tx.moveObject({ bucketId, from: keyOf('k'), to, at: timeAt(1) }),
    );
    await assertCounted(metadata, account, 10 + described + 99 + 1024);
    await inTransaction(metadata, (tx) =>
      tx.moveObject({ bucketId, from: to, to: keyOf('e'), at: timeAt(2) }),
    );
    await assertCounted(metadata, account, 10 + described);
    await metadata.deleteObject(sampleDeletion(account, 'e'));
    await assertCounted(metadata, account, 0);
  });

  test('an open upload and its parts count, until they are an object or gone', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const { description } = sampleUpload(account, { key: 'k' });
    const large = { description: { ...description, userMetadata: LONG } };
    const row = 1 + TYPE_BYTES + LONG_BYTES;
    const first = sampleUpload(account, { key: 'k', number: 1 }, large);
    await metadata.insertUpload(sampleBeginning(first));
    await assertCounted(metadata, account, row);
    await metadata.savePart(samplePartOf(first, { number: 1, blobId: 1, sizeBytes: 10 }));
    await metadata.savePart(samplePartOf(first, { number: 2, blobId: undefined }));
    await assertCounted(metadata, account, row + 10 + 2 * 1024);
    await metadata.savePart(samplePartOf(first, { number: 1, blobId: 2, sizeBytes: 30 }));
    await assertCounted(metadata, account, row + 30 + 2 * 1024);
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 3 }));
    await assertCounted(metadata, account, row + 30 + 2 * 1024 + 10 + 1024);
    await metadata.completeUpload(sampleCompletion(first, [1]));
    await assertCounted(metadata, account, row + 30);
    const second = sampleUpload(account, { key: 'l', number: 2 });
    const third = sampleUpload(account, { key: 'm', number: 3 }, large);
    for (const upload of [second, third]) {
      await metadata.insertUpload(sampleBeginning(upload));
      const { uploadId } = upload;
      const blobId = Number(uploadId) + 10;
      await metadata.savePart(samplePartOf(upload, { number: 1, blobId }));
    }
    await assertCounted(metadata, account, 2 * row + 30 + 1024 + 2 * (10 + 1024));
    await metadata.abortUpload({ address: second, at: NOW });
    await assertCounted(metadata, account, 2 * row + 30 + 10 + 1024);
    await inTransaction(metadata, (tx) =>
      tx.abortIdleUploads({ changedBefore: timeAt(10 ** 6), at: NOW, limit: 10 }),
    );
    await assertCounted(metadata, account, row + 30);
    assert.equal(await storedBytes(metadata, account), 30n);
    await inTransaction(metadata, (tx) =>
      tx.forgetUploads({ completedBefore: timeAt(10 ** 6) as TimeMs, limit: 10 }),
    );
    await assertCounted(metadata, account, row + 30);
  });
}

function bounds(engine: MetadataEngine): void {
  const isRefusedFor = (code: 'too_many_uploads' | 'quota_exceeded') => (error: unknown) =>
    isServiceError(error, code);

  test('an account has no more open uploads than its demand says, also in a race', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const other = await insertAccount(metadata, sampleAccount(2));
    const demands: UploadDemands = [{ kind: 'enabled' }, { kind: 'open_uploads', max: 3 }];
    const begin = (number: number, of: Account = account) =>
      metadata.insertUpload(sampleBeginning(sampleUpload(of, { key: 'k', number }), demands));
    await begin(100, other);
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map((number) => begin(number)));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    assert.equal(refused.length, 2);
    for (const { reason } of refused) assert(isRefusedFor('too_many_uploads')(reason), `${reason}`);
    assert.equal(await countedBytes(metadata, account), 3n * 1024n);
    const query = { prefix: '', delimiter: '', after: undefined, limit: 10 };
    const bucketId = account.defaultBucketId;
    const { entries } = await metadata.listUploads({ ...query, bucketId });
    const open = entries.flatMap((entry) => (entry.kind === 'upload' ? [entry.upload] : []));
    assert.equal(open.length, 3);
    const [first = assert.fail(), second = assert.fail()] = open;
    await metadata.abortUpload({ address: first, at: NOW });
    await begin(6);
    await assert.rejects(begin(7), isRefusedFor('too_many_uploads'));
    // A completed one is open no more, though its row stands for a day.
    await metadata.savePart(samplePartOf(second, { number: 1, blobId: 1 }));
    await metadata.completeUpload(sampleCompletion(second, [1]));
    await begin(8);
    await assert.rejects(begin(9), isRefusedFor('too_many_uploads'));
  });

  test('an upload begins within the quota only', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const begin = (number: number) => {
      const upload = sampleUpload(account, { key: 'k', number });
      return metadata.insertUpload(sampleBeginning(upload, [fitsBelow(2 * 1024, 1024)]));
    };
    await begin(1);
    await begin(2);
    await assert.rejects(begin(3), isRefusedFor('quota_exceeded'));
    assert.equal(await countedBytes(metadata, account), 2n * 1024n);
  });

  test('of completed uploads of an account the newest stay', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const other = await insertAccount(metadata, sampleAccount(2));
    const complete = async (of: Account, number: number, resultsKept: number) => {
      const upload = sampleUpload(of, { key: `k${number}`, number });
      await metadata.insertUpload(sampleBeginning(upload));
      await metadata.savePart(samplePartOf(upload, { number: 1, blobId: number }));
      const change = { at: timeAt(number), resultsKept };
      const completion = sampleCompletion(upload, [1], change);
      assert.deepEqual(await metadata.completeUpload(completion), sampleResult([1]));
    };
    const standing = async (numbers: readonly number[]) => {
      const found = numbers.map((number) => metadata.findUpload(sampleUploadId(number)));
      return (await Promise.all(found)).flatMap((each) => (each ? [+each.uploadId] : []));
    };
    await metadata.insertUpload(sampleBeginning(sampleUpload(account, { key: 'k', number: 1 })));
    await complete(other, 2, 3);
    const numbers = [3, 4, 5, 6, 7, 8, 9];
    for (const number of numbers) await complete(account, number, number < 7 ? 10 : 3);
    // Those above the number go two at a time, and neither open ones nor another account's.
    assert.deepEqual(await standing([1, 2, ...numbers]), [1, 2, 7, 8, 9]);
    assert.notEqual(await metadata.findObject(account.defaultBucketId, keyOf('k3')), undefined);
  });

  test('links of an account are counted, up to a limit', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const accounts = [
      await insertAccount(metadata, sampleAccount(1)),
      await insertAccount(metadata, sampleAccount(2)),
    ] as const;
    const count = (account: Account, limit: number) =>
      inTransaction(metadata, (tx) => tx.countLinks(account.accountId, limit));
    for (const [index, account] of [accounts[0], accounts[0], accounts[0], accounts[1]].entries()) {
      await inTransaction(metadata, (tx) =>
        tx.insertLink({
          hash: `h${index}` as LinkHash,
          accountId: account.accountId,
          bucketId: account.defaultBucketId,
          key: keyOf('k'),
          title: undefined,
          description: undefined,
          expiresAt: undefined,
          passwordHash: undefined,
          createdAt: NOW,
        }),
      );
    }
    assert.equal(await count(accounts[0], 10), 3);
    assert.equal(await count(accounts[0], 2), 2);
    assert.equal(await count(accounts[1], 10), 1);
  });
}
