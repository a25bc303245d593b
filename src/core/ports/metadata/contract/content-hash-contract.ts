/** Content hashes that come after their objects: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { ContentHash, Etag } from '../../../ids.ts';
import type { UnhashedPosition } from '../content-hashes.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  insertAccount,
  keyOf,
  sampleAccount,
  samplePart,
  samplePublication,
  timeAt,
} from './samples.ts';

const HASH = 'ab'.repeat(32) as ContentHash;

export function contentHashContract(engine: MetadataEngine): void {
  describe(`${engine.name}: content hashes`, () => contentHashes(engine));
}

function contentHashes(engine: MetadataEngine): void {
  test('objects without a hash are listed oldest first, in pages', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const other = await insertAccount(metadata, sampleAccount(2));
    const publish = async (owner: typeof account, key: string, at: number) => {
      const version = { contentHash: undefined, createdAt: timeAt(at), sizeBytes: 20 };
      const blobId = at * 10 + owner.defaultBucketId;
      const publication = samplePublication(owner, { key, blobId, version });
      const content = [samplePart(blobId), samplePart(blobId + 1000)];
      await metadata.publishObject({ ...publication, content });
      return { ...publication.version, content };
    };
    const late = await publish(account, 'late', 9);
    const tied = await publish(other, 'a', 5);
    const ä = await publish(account, 'ä', 5);
    const b = await publish(account, 'b', 5);
    await metadata.publishObject(samplePublication(account, { key: 'hashed', blobId: 500 }));
    const list = (after: UnhashedPosition | undefined, limit: number) =>
      metadata.listUnhashed({ after, limit });
    const byBucket = account.defaultBucketId < other.defaultBucketId ? [b, ä, tied] : [tied, b, ä];
    const whole = [...byBucket, late];
    assert.deepEqual(await list(undefined, 10), whole);
    assert.deepEqual(await list(undefined, 2), whole.slice(0, 2));
    assert.deepEqual(await list(whole[1], 10), whole.slice(2));
    assert.deepEqual(await list(late, 10), []);
  });

  test('a hash is kept only with the version that it is of', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publication = samplePublication(account, {
      key: 'k',
      blobId: 1,
      version: { contentHash: undefined },
    });
    await metadata.publishObject(publication);
    const { version } = publication;
    const set = (change: object, hash = HASH) =>
      inTransaction(metadata, (tx) => tx.setContentHash({ ...version, ...change }, hash));
    assert.equal(await set({ createdAt: timeAt(1) }), false);
    assert.equal(await set({ etag: '0'.repeat(32) as Etag }), false);
    assert.equal(await set({ key: keyOf('other') }), false);
    assert.equal(await set({}), true);
    assert.equal(await set({}, '00'.repeat(32) as ContentHash), false);
    const found = await metadata.findObject(version.bucketId, version.key);
    assert.equal(found?.contentHash, HASH);
    assert.deepEqual(await metadata.listUnhashed({ after: undefined, limit: 10 }), []);
    const byHash = await metadata.findObjectByHash(version.bucketId, HASH, undefined);
    assert.equal(byHash?.key, 'k');
  });
}
