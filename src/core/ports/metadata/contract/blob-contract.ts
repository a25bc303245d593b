/** Deleting and moving objects; blobs, their owners and numbers: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { Account } from '../../../identity/account/account.ts';
import type { BlobId, BlobLocation, LinkHash, TimeMs } from '../../../ids.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  blobsOf,
  insertAccount,
  keyOf,
  mustNotExist,
  NOW,
  sampleAccount,
  sampleDeletion,
  samplePart,
  samplePublication,
  storedBytes,
  timeAt,
} from './samples.ts';

export function blobContract(engine: MetadataEngine): void {
  describe(`${engine.name}: deleting and moving`, () => deleting(engine));
  describe(`${engine.name}: blobs`, () => blobs(engine));
}

function deleting(engine: MetadataEngine): void {
  const link = (account: Account, hash: string, key: string) => ({
    hash: hash as LinkHash,
    accountId: account.accountId,
    bucketId: account.defaultBucketId,
    key: keyOf(key),
    title: undefined,
    description: undefined,
    expiresAt: undefined,
    passwordHash: undefined,
    createdAt: NOW,
  });

  test('a delete ends the links of its name, and answers what it removed', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publication = samplePublication(account, { key: 'k', blobId: 1 });
    await metadata.publishObject(publication);
    await metadata.publishObject(samplePublication(account, { key: 'other', blobId: 2 }));
    await inTransaction(metadata, async (tx) => {
      await tx.insertLink(link(account, 'one', 'k'));
      await tx.insertLink(link(account, 'two', 'k'));
      await tx.insertLink(link(account, 'three', 'other'));
    });
    assert.deepEqual(
      await metadata.deleteObject(sampleDeletion(account, 'k')),
      publication.version,
    );
    assert.equal(await metadata.deleteObject(sampleDeletion(account, 'k')), undefined);
    assert.equal(await metadata.findLink('one' as LinkHash), undefined);
    assert.equal(await metadata.findLink('two' as LinkHash), undefined);
    assert.notEqual(await metadata.findLink('three' as LinkHash), undefined);
    assert.equal(await metadata.findObject(account.defaultBucketId, keyOf('k')), undefined);
  });

  test('a link that is made beside a delete ends with it', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const key = 'k';
    await metadata.publishObject(samplePublication(account, { key, blobId: 1 }));
    let deletion: Promise<unknown> | undefined;
    await inTransaction(metadata, async (tx) => {
      const found = await tx.findObject(account.defaultBucketId, keyOf(key));
      if (found === undefined) return;
      deletion ??= metadata.deleteObject(sampleDeletion(account, key));
      // Time enough for the delete to commit, where an engine would let it.
      for (let reads = 0; reads < 500; reads += 1) await tx.findAccount(account.accountId);
      await tx.insertLink(link(account, 'one', key));
    });
    await deletion;
    assert.equal(await metadata.findLink('one' as LinkHash), undefined);
  });

  test('a refused delete changes nothing', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 1 }));
    await inTransaction(metadata, (tx) => tx.insertLink(link(account, 'one', 'k')));
    await assert.rejects(
      metadata.deleteObject(sampleDeletion(account, 'k', { demands: mustNotExist })),
      (error) => isServiceError(error, 'precondition_failed'),
    );
    assert.notEqual(await metadata.findLink('one' as LinkHash), undefined);
    assert.deepEqual((await blobsOf(metadata)).live, [[1, 1]]);
  });

  test('a move takes the object and its links along, and ends those of what stood there', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucketId = account.defaultBucketId;
    const moved = samplePublication(account, { key: 'from', blobId: 1, sizeBytes: 20 });
    const content = [samplePart(1), samplePart(2)];
    await metadata.publishObject({ ...moved, content });
    await metadata.publishObject(samplePublication(account, { key: 'to', blobId: 3 }));
    await inTransaction(metadata, async (tx) => {
      await tx.insertLink(link(account, 'follows', 'from'));
      await tx.insertLink(link(account, 'ends', 'to'));
      await tx.moveObject({ bucketId, from: keyOf('from'), to: keyOf('to'), at: timeAt(4) });
    });
    assert.equal(await metadata.findObject(bucketId, keyOf('from')), undefined);
    const found = await metadata.findObject(bucketId, keyOf('to'));
    assert.deepEqual(found, { ...moved.version, key: keyOf('to'), content });
    assert.equal((await metadata.findLink('follows' as LinkHash))?.key, 'to');
    assert.equal(await metadata.findLink('ends' as LinkHash), undefined);
    assert.equal(await metadata.findLinkedObject('ends' as LinkHash), undefined);
    assert.deepEqual((await blobsOf(metadata)).dead, [[3, timeAt(4)]]);
    assert.equal(await storedBytes(metadata, account), 20n);
  });

  test('a link serves what stands under its name now, and nothing that took its old name', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucketId = account.defaultBucketId;
    const linked = () => metadata.findLinkedObject('follows' as LinkHash);
    await metadata.publishObject(samplePublication(account, { key: 'from', blobId: 1 }));
    await inTransaction(metadata, async (tx) => {
      await tx.insertLink(link(account, 'follows', 'from'));
      await tx.moveObject({ bucketId, from: keyOf('from'), to: keyOf('to'), at: timeAt(4) });
    });
    await metadata.publishObject(samplePublication(account, { key: 'from', blobId: 2 }));
    assert.deepEqual(await linked(), await metadata.findObject(bucketId, keyOf('to')));
    await metadata.deleteObject(sampleDeletion(account, 'to'));
    assert.equal(await linked(), undefined);
    await metadata.publishObject(samplePublication(account, { key: 'to', blobId: 3 }));
    assert.equal(await linked(), undefined);
  });

  test('a move of nothing is refused, onto itself changes nothing', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucketId = account.defaultBucketId;
    const move = (from: string, to: string) =>
      inTransaction(metadata, (tx) =>
        tx.moveObject({ bucketId, from: keyOf(from), to: keyOf(to), at: NOW }),
      );
    await assert.rejects(move('no', 'k'), (error) => isServiceError(error, 'object_not_found'));
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 1 }));
    await move('k', 'k');
    assert.notEqual(await metadata.findObject(bucketId, keyOf('k')), undefined);
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 1]], dead: [] });
  });

  test('a transaction has its turn on an account that is busy', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const bucketId = account.defaultBucketId;
    await metadata.publishObject(samplePublication(account, { key: 'name0', blobId: 1 }));
    let blobId = 1;
    let isOver = false;
    const publishers = Array.from({ length: 4 }, async (_, publisher) => {
      while (!isOver) {
        blobId += 1;
        await metadata.publishObject(samplePublication(account, { key: `k${publisher}`, blobId }));
      }
    });
    for (let times = 0; times < 10; times += 1) {
      const [from, to] = [keyOf(`name${times}`), keyOf(`name${times + 1}`)];
      await inTransaction(metadata, (tx) => tx.moveObject({ bucketId, from, to, at: NOW }));
    }
    isOver = true;
    await Promise.all(publishers);
    assert.notEqual(await metadata.findObject(bucketId, keyOf('name10')), undefined);
  });

  test('object writes of one transaction see each other and fall together', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const fault = new Error('on purpose');
    const work = (isFaulty: boolean) =>
      inTransaction(metadata, async (tx) => {
        await tx.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
        const source = await tx.findObject(account.defaultBucketId, keyOf('a'));
        const copy = samplePublication(account, { key: 'b', blobId: 1 });
        await tx.publishObject({ ...copy, content: source?.content ?? [] });
        await tx.deleteObject(sampleDeletion(account, 'a'));
        assert.equal((await tx.findAccount(account.accountId))?.storedBytes, 10n);
        if (isFaulty) throw fault;
      });
    await assert.rejects(work(true), fault);
    assert.deepEqual(await blobsOf(metadata), { live: [], dead: [] });
    assert.equal(await storedBytes(metadata, account), 0n);
    await work(false);
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 1]], dead: [] });
    assert.equal(await storedBytes(metadata, account), 10n);
  });
}

function blobs(engine: MetadataEngine): void {
  test('blobs are found and listed in order while they live', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    for (const blobId of [5, 3, 2 ** 40, 1]) {
      const key = `k${blobId}`;
      await metadata.publishObject(samplePublication(account, { key, blobId }));
    }
    await metadata.deleteObject(sampleDeletion(account, 'k3'));
    const ids = (blobIds: readonly number[]) => blobIds as readonly BlobId[];
    assert.deepEqual(
      await metadata.findBlobs(ids([2 ** 40, 5, 3, 4])),
      [5, 2 ** 40].map((blobId) => samplePart(blobId).blob),
    );
    assert.deepEqual(await metadata.findBlobs([]), []);
    const { blob } = samplePart(5);
    assert.deepEqual(await metadata.listBlobsAt(blob.location), [blob]);
    assert.deepEqual(await metadata.listBlobsAt(`${blob.location}?`), []);
    assert.deepEqual(await metadata.listBlobsAt(samplePart(3).blob.location), []);
    const page = await metadata.listBlobs({ after: 1 as BlobId, limit: 1 });
    assert.deepEqual(page, [{ ...samplePart(5).blob, owners: 1 }]);
  });

  test('dead blobs are listed oldest first until they are forgotten', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    for (const [blobId, at] of [
      [1, 9],
      [2, 5],
      [3, 7],
      [4, 5],
    ] as const) {
      await metadata.publishObject(samplePublication(account, { key: 'k', blobId }));
      await metadata.deleteObject(sampleDeletion(account, 'k', { at: timeAt(at) }));
    }
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 6 }));
    const list = async (diedBefore: TimeMs, limit: number) =>
      (await metadata.listDeadBlobs({ diedBefore, limit })).map(({ blobId }) => Number(blobId));
    assert.deepEqual(await list(timeAt(9), 10), [2, 4, 3]);
    assert.deepEqual(await list(timeAt(10), 3), [2, 4, 3]);
    assert.deepEqual(await metadata.listDeadBlobs({ diedBefore: timeAt(6), limit: 1 }), [
      { ...samplePart(2).blob, diedAt: timeAt(5) },
    ]);
    await metadata.forgetDeadBlobs([2, 3, 6, 77] as readonly number[] as readonly BlobId[]);
    assert.deepEqual(await list(timeAt(10), 10), [4, 1]);
    assert.deepEqual((await blobsOf(metadata)).live, [[6, 1]]);
  });

  test('a blob moves only from where it is, dead or alive', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
    await metadata.publishObject(samplePublication(account, { key: 'b', blobId: 2 }));
    await metadata.deleteObject(sampleDeletion(account, 'b'));
    const place = (text: string) => text as BlobLocation;
    const move = (blobId: number, from: string, to: string) => ({
      blobId: blobId as BlobId,
      from: place(from),
      to: place(to),
    });
    const moved = await metadata.moveBlobs([
      move(1, 'file:1', 'segment:1'),
      move(1, 'file:1', 'segment:2'),
      move(2, 'file:2', 'segment:3'),
      move(3, 'file:3', 'segment:4'),
    ]);
    assert.deepEqual(moved, [1, 2]);
    const found = await metadata.findObject(account.defaultBucketId, keyOf('a'));
    assert.equal(found?.content[0]?.blob.location, 'segment:1');
    const [dead] = await metadata.listDeadBlobs({ diedBefore: timeAt(1), limit: 1 });
    assert.equal(dead?.location, 'segment:3');
    // A copy of what was read before the move keeps the place that the row names.
    await metadata.publishObject(samplePublication(account, { key: 'c', blobId: 1 }));
    const copy = await metadata.findObject(account.defaultBucketId, keyOf('c'));
    assert.equal(copy?.content[0]?.blob.location, 'segment:1');
  });

  test('blob numbers never repeat, whoever asks at once', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const counts = Array.from({ length: 30 }, (_, index) => ((index * 131) % 700) + 1);
    const firsts = await Promise.all(counts.map((count) => metadata.reserveBlobIds(count)));
    const seen = new Set<number>();
    firsts.forEach((first, index) => {
      for (let offset = 0; offset < (counts[index] ?? 0); offset += 1) {
        assert(!seen.has(first + offset), `${first + offset} was given twice`);
        seen.add(first + offset);
      }
    });
    assert(Math.min(...firsts) >= 1);
  });

  const { reopen } = engine;
  if (reopen === undefined) return;

  test('blob numbers never repeat after a restart or a kill', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const before = await metadata.reserveBlobIds(5);
    const again = await reopen(store);
    const after = await again.reserveBlobIds(1);
    assert(after >= before + 5);
    const still = await metadata.reserveBlobIds(1);
    assert.notEqual(still, after);
  });

  test('a published object outlives the engine', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publication = samplePublication(account, { key: 'k', blobId: 1 });
    await metadata.publishObject(publication);
    const again = await reopen(store);
    const { version, content } = publication;
    assert.deepEqual(await again.findObject(version.bucketId, version.key), {
      ...version,
      content,
    });
    assert.deepEqual(await again.findAccount(account.accountId), {
      ...account,
      storedBytes: 10n,
      countedBytes: 1034n,
    });
  });
}
