/** Publishing, alone and in races: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { Account } from '../../../identity/account/account.ts';
import type { AccountId, BucketId, ContentHash, OperationId, TimeMs } from '../../../ids.ts';
import type { CommitDemands } from '../../../objects/commit/commit-demands.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import {
  blobsOf,
  countedBytes,
  fitsBelow,
  HOUR,
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

export function objectContract(engine: MetadataEngine): void {
  describe(`${engine.name}: publishing`, () => publishing(engine));
  describe(`${engine.name}: races of publishing`, () => races(engine));
}

function publishing(engine: MetadataEngine): void {
  test('a published object is read back with all its values', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publication = samplePublication(account, {
      key: 'dir/ä "quoted" \u{1F600}\n',
      blobId: 1,
      sizeBytes: 5 * 1024 ** 4,
      version: {
        contentType: 'text/html; charset=utf-8',
        headers: { 'cache-control': 'no-cache', 'content-disposition': 'attachment; filename="ü"' },
        userMetadata: { ['__proto__']: 'x', constructor: 'y', empty: '', nul: 'a\0b\ud800' },
        tags: { 'a/b': 'c=d', '': '\\' },
        storageClass: 'GLACIER_IR',
        tier: 'ultra',
        origin: 's3',
        contentHash: undefined,
        checksum: {
          algorithm: 'SHA512',
          type: 'COMPOSITE',
          value: 'ab+/=-2',
          second: { algorithm: 'CRC64NVME', value: 'A/+=' },
        },
      },
    });
    assert.equal(await metadata.publishObject(publication), undefined);
    const { version, content } = publication;
    assert.deepEqual(await metadata.findObject(version.bucketId, version.key), {
      ...version,
      content,
    });
    assert.equal(await storedBytes(metadata, account), 5n * 1024n ** 4n);
    assert.equal(await metadata.findObject(version.bucketId, keyOf('dir')), undefined);
    assert.equal(await metadata.findObject(99 as BucketId, version.key), undefined);
  });

  test('keys are told apart by their bytes', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const keys = ['e\u0301', '\u00e9', 'E', 'e', ' e', 'e ', '\ufeffe', 'ß', 'ss', '\u0001', '/'];
    for (const [index, key] of keys.entries()) {
      await metadata.publishObject(samplePublication(account, { key, blobId: index + 1 }));
    }
    for (const [index, key] of keys.entries()) {
      const found = await metadata.findObject(account.defaultBucketId, keyOf(key));
      assert.equal(found?.key, key);
      assert.equal(found?.content[0]?.blob.blobId, index + 1);
    }
  });

  test('content is nothing, one blob, or a list in order', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const find = async (key: string) =>
      (await metadata.findObject(account.defaultBucketId, keyOf(key)))?.content;
    const empty = samplePublication(account, { key: 'empty', blobId: 1, sizeBytes: 0 });
    await metadata.publishObject({ ...empty, content: [] });
    assert.deepEqual(await find('empty'), []);
    const zero = samplePublication(account, { key: 'zero', blobId: 9, sizeBytes: 0 });
    await metadata.publishObject(zero);
    assert.deepEqual(await find('zero'), zero.content);
    const content = [samplePart(7, 5), samplePart(3, 6), { ...samplePart(5, 8), sizeBytes: 2 }];
    const list = samplePublication(account, { key: 'list', blobId: 1, sizeBytes: 13 });
    await metadata.publishObject({ ...list, content });
    assert.deepEqual(await find('list'), content);
    const half = samplePublication(account, { key: 'half', blobId: 1, sizeBytes: 4 });
    await metadata.publishObject({ ...half, content: [{ ...samplePart(8, 9), sizeBytes: 4 }] });
    assert.deepEqual(await find('half'), [{ ...samplePart(8, 9), sizeBytes: 4 }]);
    assert.deepEqual((await blobsOf(metadata)).live, [
      [3, 1],
      [5, 1],
      [7, 1],
      [8, 1],
      [9, 1],
    ]);
  });

  test('a publish replaces the object and drops its references', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const first = samplePublication(account, { key: 'k', blobId: 1, sizeBytes: 100 });
    await metadata.publishObject(first);
    const second = samplePublication(account, {
      key: 'k',
      blobId: 2,
      sizeBytes: 30,
      version: { createdAt: timeAt(5) },
    });
    assert.deepEqual(await metadata.publishObject(second), first.version);
    assert.equal(await storedBytes(metadata, account), 30n);
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [[1, timeAt(5)]] });
    const list = samplePublication(account, {
      key: 'k',
      blobId: 3,
      sizeBytes: 20,
      version: { createdAt: timeAt(6) },
    });
    await metadata.publishObject({ ...list, content: [samplePart(3), samplePart(4)] });
    await metadata.publishObject({ ...first, content: [samplePart(5, 100)] });
    const after = await blobsOf(metadata);
    assert.deepEqual(after.live, [[5, 1]]);
    assert.deepEqual(after.dead.map(([blobId]) => blobId).toSorted(), [1, 2, 3, 4]);
    assert.equal(await storedBytes(metadata, account), 100n);
  });

  test('copies share a blob, which dies with its last owner', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    for (const key of ['a', 'b', 'c', 'a']) {
      await metadata.publishObject(samplePublication(account, { key, blobId: 1 }));
    }
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 3]], dead: [] });
    const twice = samplePublication(account, { key: 'twice', blobId: 1, sizeBytes: 20 });
    await metadata.publishObject({ ...twice, content: [samplePart(1), samplePart(1)] });
    assert.deepEqual((await blobsOf(metadata)).live, [[1, 5]]);
    assert.equal(await storedBytes(metadata, account), 50n);
    for (const key of ['a', 'twice', 'b']) {
      await metadata.deleteObject(sampleDeletion(account, key));
    }
    assert.deepEqual(await blobsOf(metadata), { live: [[1, 1]], dead: [] });
    await metadata.deleteObject(sampleDeletion(account, 'c', { at: timeAt(3) }));
    assert.deepEqual(await blobsOf(metadata), { live: [], dead: [[1, timeAt(3)]] });
    assert.equal(await storedBytes(metadata, account), 0n);
  });

  test('stored bytes are summed over all accounts', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    assert.equal(await metadata.sumStoredBytes(), 0n);
    for (const number of [1, 2]) {
      const account = await insertAccount(metadata, sampleAccount(number));
      await metadata.publishObject(
        samplePublication(account, { key: 'k', blobId: number, sizeBytes: 2 ** 50 }),
      );
    }
    assert.equal(await metadata.sumStoredBytes(), 2n ** 51n);
  });

  test('a dead blob is not named again', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 2 }));
    const copy = samplePublication(account, { key: 'copy', blobId: 1, sizeBytes: 20 });
    for (const content of [[samplePart(1)], [samplePart(3), samplePart(1)]]) {
      await assert.rejects(metadata.publishObject({ ...copy, content }), (error) =>
        isServiceError(error, 'object_not_found'),
      );
    }
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [[1, NOW]] });
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a copy does not bring back a blob that is forgotten, whose bytes are gone', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 2 }));
    await metadata.forgetDeadBlobs([samplePart(1).blob.blobId]);
    const sample = samplePublication(account, { key: 'copy', blobId: 1, sizeBytes: 20 });
    const copy = { ...sample, areBlobsStanding: true };
    for (const content of [[samplePart(1)], [samplePart(2), samplePart(1)]]) {
      await assert.rejects(metadata.publishObject({ ...copy, content }), (error) =>
        isServiceError(error, 'object_not_found'),
      );
    }
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [] });
    await metadata.publishObject({ ...copy, content: [samplePart(2), samplePart(2)] });
    await metadata.publishObject({ ...copy, content: [] });
    assert.deepEqual(await blobsOf(metadata), { live: [[2, 1]], dead: [] });
  });

  test('the operation and the usage are written with the object', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const operation = {
      operationId: '0198a000-0000-7000-8000-000000000301' as OperationId,
      accountId: account.accountId,
      key: keyOf('k'),
      status: 'running',
      error: undefined,
      contentHash: 'ab'.repeat(32) as ContentHash,
      bytesTotal: 10,
      bytesUploaded: 0,
      createdAt: NOW,
      updatedAt: NOW,
    } as const;
    await inTransaction(metadata, (tx) => tx.saveOperation(operation));
    const usage = {
      accountId: account.accountId,
      hour: HOUR,
      meter: 'ingress',
      source: 'files',
      bucketId: account.defaultBucketId,
      credential: 'app_key',
      link: undefined,
      bytes: 10n,
      requests: 1,
    } as const;
    const done = { ...operation, status: 'completed', bytesUploaded: 10 } as const;
    await Promise.all(
      ['k', 'l', 'm'].map((key, index) =>
        metadata.publishObject(
          samplePublication(account, { key, blobId: index }, { operation: done, usage }),
        ),
      ),
    );
    assert.deepEqual(await metadata.findOperation(operation.operationId), done);
    const { accountId } = account;
    assert.deepEqual(await metadata.sumUsage({ accountId, from: HOUR, to: timeAt(3_600_000) }), [
      { ...usage, bytes: 30n, requests: 3 },
    ]);
  });

  test('an unknown bucket, account or another account’s bucket is refused', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const alice = await insertAccount(metadata, sampleAccount(1));
    const bob = await insertAccount(metadata, sampleAccount(2));
    const accountId = 'nobody' as AccountId;
    const publication = samplePublication(alice, { key: 'k', blobId: 1 });
    const deletion = sampleDeletion(alice, 'k');
    const bucketId = 99 as BucketId;
    const version = { ...publication.version, bucketId };
    for (const [code, work] of [
      ['account_not_found', () => metadata.publishObject({ ...publication, accountId })],
      ['account_not_found', () => metadata.deleteObject({ ...deletion, accountId })],
      ['bucket_not_found', () => metadata.publishObject({ ...publication, version })],
      ['bucket_not_found', () => metadata.deleteObject({ ...deletion, bucketId })],
      [
        'bucket_not_found',
        () => metadata.publishObject({ ...publication, accountId: bob.accountId }),
      ],
    ] as const) {
      await assert.rejects(work(), (error) => isServiceError(error, code));
    }
    assert.deepEqual(await blobsOf(metadata), { live: [], dead: [] });
  });

  test('the oldest live object with a hash is found, of any or one origin', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const other = await insertAccount(metadata, sampleAccount(2));
    const hash = 'cd'.repeat(32) as ContentHash;
    const publish = (owner: Account, key: string, createdAt: TimeMs, origin: 'files' | 's3') =>
      metadata.publishObject(
        samplePublication(owner, {
          key,
          blobId: Number(createdAt - NOW),
          version: { contentHash: hash, createdAt, origin },
        }),
      );
    await publish(other, 'theirs', timeAt(1), 'files');
    await publish(account, 'newer', timeAt(9), 'files');
    await publish(account, 'older', timeAt(5), 'files');
    await publish(account, 's3', timeAt(3), 's3');
    const find = async (origin: 'files' | 's3' | 'pinning' | undefined) =>
      (await metadata.findObjectByHash(account.defaultBucketId, hash, origin))?.key;
    assert.equal(await find(undefined), 's3');
    assert.equal(await find('files'), 'older');
    assert.equal(await find('pinning'), undefined);
    await metadata.deleteObject(sampleDeletion(account, 'older'));
    assert.equal(await find('files'), 'newer');
    const found = await metadata.findObjectByHash(account.defaultBucketId, hash, 'files');
    assert.deepEqual(found?.content, [samplePart(9)]);
    const unknown = 'ef'.repeat(32) as ContentHash;
    assert.equal(
      await metadata.findObjectByHash(account.defaultBucketId, unknown, undefined),
      undefined,
    );
  });
}

function races(engine: MetadataEngine): void {
  test('a refused member fails alone and has written nothing', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 30 }, (_, index) =>
        metadata.publishObject(
          samplePublication(
            account,
            { key: `k${index}`, blobId: index + 1 },
            index % 3 === 1 ? { demands: [fitsBelow(0, 10)] } : {},
          ),
        ),
      ),
    );
    outcomes.forEach((outcome, index) => {
      if (index % 3 !== 1) assert.equal(outcome.status, 'fulfilled');
      else
        assert(outcome.status === 'rejected' && isServiceError(outcome.reason, 'quota_exceeded'));
    });
    assert.equal(await storedBytes(metadata, account), 200n);
    assert.equal((await blobsOf(metadata)).live.length, 20);
    const bucketId = account.defaultBucketId;
    assert.equal(await metadata.findObject(bucketId, keyOf('k1')), undefined);
    assert.notEqual(await metadata.findObject(bucketId, keyOf('k2')), undefined);
  });

  test('an error that is no refusal fails its member alone too', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publish = (key: string, blobId: number, demands: CommitDemands = []) =>
      metadata.publishObject(samplePublication(account, { key, blobId }, { demands }));
    // No whole number of bytes: the judge fails, and refuses nothing.
    const faulty: CommitDemands = [fitsBelow(100, 10.5)];
    // A fractional length is no column's value: the write itself fails.
    const broken = samplePublication(account, { key: 'c', blobId: 3 });
    const [first, second, third, fourth] = await Promise.allSettled([
      publish('a', 1),
      publish('b', 2, faulty),
      metadata.publishObject({
        ...broken,
        version: { ...broken.version, createdAt: 1.5 as TimeMs },
      }),
      publish('d', 4),
    ]);
    assert.equal(first.status, 'fulfilled');
    assert(second.status === 'rejected' && second.reason instanceof RangeError);
    assert.equal(third.status, 'rejected');
    assert.equal(fourth.status, 'fulfilled');
    assert.deepEqual((await blobsOf(metadata)).live, [
      [1, 1],
      [4, 1],
    ]);
    assert.equal(await storedBytes(metadata, account), 20n);
  });

  test('of a hundred that must not overwrite one wins', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, index) =>
        metadata.publishObject(
          samplePublication(account, { key: 'k', blobId: index + 1 }, { demands: mustNotExist }),
        ),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      assert(isServiceError(outcome.reason, 'precondition_failed'), String(outcome.reason));
    }
    assert.equal((await blobsOf(metadata)).live.length, 1);
    assert.equal(await storedBytes(metadata, account), 10n);
  });

  test('a quota is never overshot, also beside transactions and overwrites', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const limit = 10 * 1035;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 40 }, (_, index) => {
        const sizeBytes = 7 + (index % 5);
        const publication = samplePublication(
          account,
          { key: `k${index % 25}`, blobId: index + 1, sizeBytes },
          { demands: [fitsBelow(limit, 1024 + sizeBytes)] },
        );
        return index % 4 === 0
          ? inTransaction(metadata, (tx) => tx.publishObject(publication))
          : metadata.publishObject(publication);
      }),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') continue;
      assert(isServiceError(outcome.reason, 'quota_exceeded'), String(outcome.reason));
    }
    const { entries } = await metadata.listObjects({
      bucketId: account.defaultBucketId,
      prefix: '',
      delimiter: '',
      after: undefined,
      limit: 1000,
    });
    const total = entries.reduce(
      (sum, entry) => sum + (entry.kind === 'object' ? entry.object.sizeBytes : 0),
      0,
    );
    const counted = total + entries.length * 1024;
    assert(counted <= limit && counted > limit - 1035, `${counted} bytes`);
    assert.equal(await countedBytes(metadata, account), BigInt(counted));
    assert.equal(await storedBytes(metadata, account), BigInt(total));
  });

  test('demands are judged beside what earlier commits left', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const publish = (blobId: number, sizeBytes: number, demands: CommitDemands) =>
      metadata.publishObject(
        samplePublication(
          account,
          { key: 'k', blobId, sizeBytes, version: { createdAt: timeAt(blobId) } },
          { demands },
        ),
      );
    const usedOf = (used: number) => (error: unknown) =>
      isServiceError(error, 'quota_exceeded') && error.details['used_bytes'] === used;
    const isRefused = (error: unknown) => isServiceError(error, 'precondition_failed');
    await assert.rejects(publish(1, 10, [fitsBelow(9, 10)]), usedOf(0));
    await publish(1, 10, [...mustNotExist, fitsBelow(10, 10)]);
    await assert.rejects(publish(2, 25, mustNotExist), isRefused);
    await assert.rejects(publish(2, 25, [fitsBelow(1048, 1049)]), usedOf(1034));
    const first = await metadata.findObject(account.defaultBucketId, keyOf('k'));
    assert(first !== undefined);
    const unchanged: CommitDemands = [{ kind: 'unchanged', version: first }];
    await publish(2, 25, [...unchanged, fitsBelow(1049, 1049)]);
    await assert.rejects(publish(3, 25, unchanged), isRefused);
    await assert.rejects(
      metadata.deleteObject(sampleDeletion(account, 'k', { demands: unchanged })),
    );
    await metadata.deleteObject(sampleDeletion(account, 'k'));
    const none = { demands: mustNotExist };
    assert.equal(await metadata.deleteObject(sampleDeletion(account, 'k', none)), undefined);
    await inTransaction(metadata, (tx) =>
      tx.updateAccount(account.accountId, { disabledAt: timeAt(9) }),
    );
    await assert.rejects(publish(4, 1, [{ kind: 'enabled' }]), (error) =>
      isServiceError(error, 'account_disabled'),
    );
  });

  test('writers and readers of one key see whole objects', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const writes = Array.from({ length: 40 }, (_, index) =>
      metadata.publishObject(
        samplePublication(account, { key: 'k', blobId: index + 1, sizeBytes: index + 1 }),
      ),
    );
    const reads = Array.from({ length: 40 }, () =>
      metadata.findObject(account.defaultBucketId, keyOf('k')),
    );
    await Promise.all(writes);
    for (const found of await Promise.all(reads)) {
      if (found) assert.equal(found.content[0]?.blob.sizeBytes, found.sizeBytes);
    }
    const last = await metadata.findObject(account.defaultBucketId, keyOf('k'));
    const after = await blobsOf(metadata);
    assert.deepEqual(after.live, [[Number(last?.content[0]?.blob.blobId), 1]]);
    assert.equal(after.dead.length, 39);
  });
}
