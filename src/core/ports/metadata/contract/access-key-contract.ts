/** S3 keys: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { S3Key } from '../../../identity/s3-keys/s3-key.ts';
import type { AccessKeyId, AccountId, BucketId, TokenId } from '../../../ids.ts';
import type { Metadata } from '../metadata.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import { NOW, timeAt } from './samples.ts';

const ALICE = '0198a000-0000-7000-8000-000000000001' as AccountId;
const BOB = '0198a000-0000-7000-8000-000000000002' as AccountId;
const TOKEN = '0198a000-0000-7000-8000-000000000101' as TokenId;

function sampleKey(number: number, change: Partial<S3Key> = {}): S3Key {
  return {
    accessKeyId: `AAAABBBBCCCCDDDDEEE${number + 1}` as AccessKeyId,
    accountId: ALICE,
    name: undefined,
    secretCiphertext: `v1.kid.nonce.${number}`,
    isReadOnly: false,
    bucketId: undefined,
    prefix: undefined,
    createdAt: timeAt(number),
    lastUsedAt: undefined,
    revokedAt: undefined,
    tokenId: undefined,
    expiresAt: undefined,
    ...change,
  };
}

function insert(metadata: Metadata, ...keys: readonly S3Key[]): Promise<void> {
  return inTransaction(metadata, async (tx) => {
    for (const key of keys) await tx.insertS3Key(key);
  });
}

export function accessKeyContract(engine: MetadataEngine): void {
  describe(`${engine.name}: S3 keys`, () => keys(engine));
}

function keys(engine: MetadataEngine): void {
  test('a key comes back with all its values', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const plain = sampleKey(1);
    const full = sampleKey(2, {
      name: 'Büro "2"',
      isReadOnly: true,
      bucketId: (2 ** 40) as BucketId,
      prefix: 'ä/\u{1F600}\n',
      lastUsedAt: timeAt(7),
      revokedAt: timeAt(8),
      tokenId: TOKEN,
      expiresAt: timeAt(9),
    });
    await insert(metadata, plain, full);
    assert.deepEqual(await metadata.findS3Key(plain.accessKeyId), plain);
    assert.deepEqual(await metadata.findS3Key(full.accessKeyId), full);
    assert.equal(await metadata.findS3Key('AAAABBBBCCCCDDDDEEEE' as AccessKeyId), undefined);
  });

  test('keys are listed by account, oldest first, revoked ones too', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const first = sampleKey(2, { createdAt: NOW });
    const second = sampleKey(1, { createdAt: timeAt(1), revokedAt: timeAt(2) });
    const same = sampleKey(4, { createdAt: timeAt(1) });
    await insert(metadata, same, second, first, sampleKey(3, { accountId: BOB }));
    assert.deepEqual(await metadata.listS3Keys(ALICE), [first, second, same]);
    assert.deepEqual(await metadata.listS3Keys('nobody' as AccountId), []);
  });

  test('a revocation holds at once, once, and only for the owner', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const key = sampleKey(1);
    const { accessKeyId } = key;
    await insert(metadata, key);
    const revoke = (accountId: AccountId, offsetMs: number) =>
      inTransaction(metadata, (tx) => tx.revokeS3Key(accountId, accessKeyId, timeAt(offsetMs)));
    // Asked for before, so that an engine that remembers has something to forget.
    assert.equal((await metadata.findS3Key(accessKeyId))?.revokedAt, undefined);
    assert.equal(await revoke(BOB, 1), false);
    assert.equal((await metadata.findS3Key(accessKeyId))?.revokedAt, undefined);
    assert.equal(await revoke(ALICE, 2), true);
    assert.deepEqual(await metadata.findS3Key(accessKeyId), { ...key, revokedAt: timeAt(2) });
    assert.equal(await revoke(ALICE, 3), false);
    assert.equal((await metadata.findS3Key(accessKeyId))?.revokedAt, timeAt(2));
  });

  test('a transaction that fails revokes nothing, and sees its own writes', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const key = sampleKey(1);
    await insert(metadata, key);
    const failed = inTransaction(metadata, async (tx) => {
      await tx.revokeS3Key(ALICE, key.accessKeyId, NOW);
      assert.equal((await tx.findS3Key(key.accessKeyId))?.revokedAt, NOW);
      throw new RangeError('no');
    });
    await assert.rejects(failed, RangeError);
    assert.deepEqual(await metadata.findS3Key(key.accessKeyId), key);
  });

  test('of racing revocations one is told that it did it', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const key = sampleKey(1);
    await insert(metadata, key);
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((at) =>
        inTransaction(metadata, (tx) => tx.revokeS3Key(ALICE, key.accessKeyId, timeAt(at))),
      ),
    );
    assert.equal(outcomes.filter(Boolean).length, 1);
  });

  test('the keys of one bucket are revoked together', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const bucketId = 5 as BucketId;
    const before = sampleKey(2, { bucketId, revokedAt: timeAt(1) });
    const other = sampleKey(3, { bucketId: 6 as BucketId });
    const all = sampleKey(4);
    await insert(metadata, sampleKey(1, { bucketId }), before, other, all);
    await inTransaction(metadata, (tx) => tx.revokeS3KeysOf(bucketId, timeAt(9)));
    const times = (await metadata.listS3Keys(ALICE)).map(({ revokedAt }) => revokedAt);
    assert.deepEqual(times, [timeAt(9), timeAt(1), undefined, undefined]);
  });

  test('the keys that one token made are revoked together', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const other = 'other' as TokenId;
    await insert(
      metadata,
      sampleKey(1, { tokenId: TOKEN }),
      sampleKey(2, { tokenId: TOKEN, revokedAt: timeAt(1) }),
      sampleKey(3, { tokenId: other }),
      sampleKey(4),
    );
    await inTransaction(metadata, (tx) => tx.revokeS3KeysMadeBy(TOKEN, timeAt(5)));
    const keys = await metadata.listS3Keys(ALICE);
    assert.deepEqual(
      keys.map(({ revokedAt }) => revokedAt),
      [timeAt(5), timeAt(1), undefined, undefined],
    );
  });

  test('keys that expired before a time are swept too', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const [gone, kept] = [
      sampleKey(1, { expiresAt: timeAt(-1) }),
      sampleKey(2, { expiresAt: NOW }),
    ];
    await insert(metadata, gone, kept);
    assert.equal(await inTransaction(metadata, (tx) => tx.deleteS3Keys(NOW, 9)), 1);
    assert.deepEqual(await metadata.listS3Keys(ALICE), [kept]);
  });

  test('uses are noted', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const key = sampleKey(1);
    await insert(metadata, key);
    assert.equal((await metadata.findS3Key(key.accessKeyId))?.lastUsedAt, undefined);
    await inTransaction(metadata, (tx) => tx.touchS3Key(key.accessKeyId, timeAt(5)));
    assert.deepEqual(await metadata.findS3Key(key.accessKeyId), { ...key, lastUsedAt: timeAt(5) });
  });

  test('only keys revoked before a time are swept, up to a limit', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const old = [1, 2, 3].map((number) => sampleKey(number, { revokedAt: timeAt(number) }));
    const fresh = sampleKey(4, { revokedAt: timeAt(10) });
    const live = sampleKey(5);
    await insert(metadata, ...old, fresh, live);
    const sweep = (limit: number) =>
      inTransaction(metadata, (tx) => tx.deleteS3Keys(timeAt(10), limit));
    assert.equal(await sweep(2), 2);
    assert.equal(await sweep(2), 1);
    assert.equal(await sweep(2), 0);
    assert.deepEqual(await metadata.listS3Keys(ALICE), [fresh, live]);
  });

  test('live keys and ended ones are counted, and the oldest ended ones of an account go', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const live = sampleKey(0, { expiresAt: timeAt(21) });
    const expired = sampleKey(1, { expiresAt: timeAt(20) });
    const revoked = sampleKey(2, { revokedAt: timeAt(5) });
    const newest = sampleKey(3, { revokedAt: timeAt(4) });
    const others = sampleKey(4, { accountId: BOB, createdAt: timeAt(0), revokedAt: timeAt(4) });
    await insert(metadata, newest, revoked, expired, live, others);
    assert.deepEqual(await metadata.countS3Keys(ALICE, timeAt(20)), { live: 1, ended: 3 });
    await inTransaction(metadata, (tx) => tx.deleteEndedS3Keys(ALICE, timeAt(20), 2));
    assert.deepEqual(await metadata.listS3Keys(ALICE), [live, newest]);
    assert.deepEqual(await metadata.countS3Keys(ALICE, timeAt(20)), { live: 1, ended: 1 });
    assert.deepEqual(await metadata.listS3Keys(BOB), [others]);
    await inTransaction(metadata, (tx) => tx.deleteEndedS3Keys(ALICE, timeAt(20), 9));
    assert.deepEqual(await metadata.listS3Keys(ALICE), [live]);
  });
}
