/** The rows of one moment, by which `verify` recounts: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { LinkHash } from '../../../ids.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  insertAccount,
  keyOf,
  NOW,
  sampleAccount,
  sampleDeletion,
  samplePart,
  samplePublication,
} from './samples.ts';

export function snapshotContract(engine: MetadataEngine): void {
  describe(`${engine.name}: snapshots`, () => snapshots(engine));
}

function snapshots(engine: MetadataEngine): void {
  test('a snapshot holds every row that owns or is owned', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const { accountId, defaultBucketId: bucketId } = account;
    await metadata.publishObject(samplePublication(account, { key: 'one', blobId: 1 }));
    const list = samplePublication(account, { key: 'list', blobId: 2, sizeBytes: 25 });
    const content = [samplePart(2), samplePart(3), { ...samplePart(2), sizeBytes: 5 }];
    await metadata.publishObject({ ...list, content });
    const empty = samplePublication(account, { key: 'empty', blobId: 4, sizeBytes: 0 });
    await metadata.publishObject({ ...empty, content: [] });
    await metadata.publishObject(samplePublication(account, { key: 'gone', blobId: 5 }));
    await metadata.deleteObject(sampleDeletion(account, 'gone'));
    const texts = { title: undefined, description: undefined, passwordHash: undefined };
    const link = { hash: 'h' as LinkHash, accountId, bucketId, key: keyOf('one'), ...texts };
    await inTransaction(metadata, (tx) =>
      tx.insertLink({ ...link, expiresAt: undefined, createdAt: NOW }),
    );

    await metadata.snapshot(async (snapshot) => {
      const { slug } = account;
      const [row] = await rowsOf(snapshot.accounts());
      assert.deepEqual(
        [row?.accountId, row?.slug, row?.defaultBucketId, row?.storedBytes, row?.countedBytes],
        [accountId, slug, bucketId, 35n, 35n + 3n * 1024n],
      );
      const [bucket] = await rowsOf(snapshot.buckets());
      assert.deepEqual(
        [bucket?.bucketId, bucket?.accountId, bucket?.name],
        [bucketId, accountId, slug],
      );
      const [found] = await rowsOf(snapshot.links());
      assert.deepEqual(
        [found?.hash, found?.accountId, found?.bucketId],
        ['h', accountId, bucketId],
      );
      const blobs = await rowsOf(snapshot.blobs());
      assert.deepEqual(
        blobs.map((blob) => [blob.blobId, blob.sizeBytes, blob.location, blob.owners, blob.isDead]),
        [
          [1, 10, 'file:1', 1, false],
          [2, 10, 'file:2', 2, false],
          [3, 10, 'file:3', 1, false],
          [5, 10, 'file:5', 0, true],
        ],
      );
      const [whole, ...rest] = (await rowsOf(snapshot.lists())).map(({ listId, partCount }) => {
        assert.equal(partCount, 3);
        return listId;
      });
      assert.deepEqual(rest, []);
      const blob = { sizeBytes: 10, isDead: false };
      const parts = await rowsOf(snapshot.listParts());
      assert.deepEqual(
        parts,
        [
          [2, 10],
          [3, 10],
          [2, 5],
        ].map(([blobId, sizeBytes]) => ({ listId: whole, blobId, sizeBytes, blob })),
      );
      const owners = await rowsOf(snapshot.owners());
      const owner = (key: string, sizeBytes: number, owned: object) => ({
        kind: 'object',
        bucketId,
        key,
        sizeBytes,
        describedBytes: key.length + 'text/plain'.length,
        content: owned,
      });
      assert.deepEqual(
        owners.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        [
          owner('empty', 0, { kind: 'none' }),
          owner('list', 25, { kind: 'list', listId: whole, sizeBytes: 25 }),
          owner('one', 10, { kind: 'blob', blobId: 1, blob }),
        ],
      );
    });
  });

  test('a snapshot does not see what is written after it began', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'old', blobId: 1 }));
    await metadata.snapshot(async (snapshot) => {
      await metadata.publishObject(samplePublication(account, { key: 'new', blobId: 2 }));
      await metadata.deleteObject(sampleDeletion(account, 'old'));
      const [row] = await rowsOf(snapshot.accounts());
      assert.equal(row?.storedBytes, 10n);
      assert.deepEqual(await keysOf(snapshot.owners()), ['old']);
      const blobs = await rowsOf(snapshot.blobs());
      assert.deepEqual(
        blobs.map(({ blobId, owners, isDead }) => [blobId, owners, isDead]),
        [[1, 1, false]],
      );
    });
    await metadata.snapshot(async (snapshot) => {
      assert.deepEqual(await keysOf(snapshot.owners()), ['new']);
      const blobs = await rowsOf(snapshot.blobs());
      assert.deepEqual(
        blobs.map(({ blobId, owners, isDead }) => [blobId, owners, isDead]),
        [
          [1, 0, true],
          [2, 1, false],
        ],
      );
    });
  });

  test('pages of a snapshot hold each row once', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const count = 1001;
    const accounts = [
      await insertAccount(metadata, sampleAccount(1)),
      await insertAccount(metadata, sampleAccount(2)),
    ];
    await inTransaction(metadata, async (tx) => {
      for (let number = 1; number <= count; number += 1) {
        const account = accounts[number % 2];
        assert(account);
        // Both buckets have the same keys, so that a page ends within one of them.
        const key = `k${Math.floor(number / 2)}`;
        await tx.publishObject(samplePublication(account, { key, blobId: number }));
      }
    });
    await metadata.snapshot(async (snapshot) => {
      const named = (await rowsOf(snapshot.owners())).map(({ content }) =>
        content.kind === 'blob' ? Number(content.blobId) : 0,
      );
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      assert.deepEqual(
        named.toSorted((a, b) => a - b),
        numbers,
      );
      const blobs = await rowsOf(snapshot.blobs());
      assert.deepEqual(
        blobs.map(({ blobId }) => Number(blobId)),
        numbers,
      );
    });
  });

  test('a snapshot passes on what its reader throws, and ends', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const fault = new Error('on purpose');
    await assert.rejects(
      metadata.snapshot(() => Promise.reject(fault)),
      fault,
    );
    await insertAccount(metadata, sampleAccount(1));
  });
}

async function rowsOf<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const rows: T[] = [];
  for await (const page of pages) rows.push(...page);
  return rows;
}

async function keysOf(pages: AsyncIterable<readonly { readonly key: string }[]>) {
  return (await rowsOf(pages)).map(({ key }) => key);
}
