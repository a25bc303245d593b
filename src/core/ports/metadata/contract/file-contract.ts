/** Upload operations, links, usage and audit: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import type { UploadOperation } from '../../../files/operation.ts';
import type { PublicLink } from '../../../files/public-link.ts';
import type { AccountId, BucketId, LinkHash, OperationId, TimeMs } from '../../../ids.ts';
import type { UsageDelta } from '../../../usage.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import { HOUR, keyOf, NOW, timeAt } from './samples.ts';

const ALICE = '0198a000-0000-7000-8000-000000000001' as AccountId;

export function fileContract(engine: MetadataEngine): void {
  describe(`${engine.name}: files`, () => files(engine));
  describe(`${engine.name}: trail`, () => trail(engine));
}

function sampleOperation(number: number, change: Partial<UploadOperation> = {}): UploadOperation {
  return {
    operationId: `0198a000-0000-7000-8000-00000000020${number}` as OperationId,
    accountId: ALICE,
    key: keyOf('docs/ä \u{1F600}.txt'),
    status: 'running',
    error: undefined,
    contentHash: undefined,
    bytesTotal: undefined,
    bytesUploaded: 0,
    createdAt: NOW,
    updatedAt: NOW,
    ...change,
  };
}

function sampleLink(number: number, change: Partial<PublicLink> = {}): PublicLink {
  return {
    hash: `link${number}` as LinkHash,
    accountId: ALICE,
    bucketId: 1 as BucketId,
    key: keyOf('a'),
    title: undefined,
    description: undefined,
    expiresAt: undefined,
    passwordHash: undefined,
    createdAt: NOW,
    ...change,
  };
}

function files(engine: MetadataEngine): void {
  test('an operation is saved, replaced and found by name, the newest first', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const done = sampleOperation(1, {
      status: 'completed',
      bytesTotal: 2 ** 50,
      bytesUploaded: 2 ** 50,
      updatedAt: timeAt(4),
    });
    const newer = sampleOperation(2, { createdAt: timeAt(1) });
    await inTransaction(metadata, async (tx) => {
      await tx.saveOperation(sampleOperation(1));
      await tx.saveOperation(done);
      await tx.saveOperation(newer);
      await tx.saveOperation(sampleOperation(3, { createdAt: timeAt(2), key: keyOf('b') }));
    });
    assert.deepEqual(await metadata.findOperation(done.operationId), done);
    assert.deepEqual(await metadata.findNewestOperation(ALICE, done.key), newer);
    const other = 'other' as AccountId;
    assert.equal(await metadata.findNewestOperation(other, done.key), undefined);
    assert.equal(await metadata.findOperation('no' as OperationId), undefined);
  });

  test('stale operations fail and finished ones are removed, at most so many', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await inTransaction(metadata, async (tx) => {
      await tx.saveOperation(sampleOperation(1, { updatedAt: timeAt(-2) }));
      await tx.saveOperation(sampleOperation(2, { status: 'queued', updatedAt: timeAt(-2) }));
      await tx.saveOperation(sampleOperation(3, { status: 'completed', updatedAt: timeAt(-2) }));
      await tx.saveOperation(sampleOperation(4));
    });
    const stale = { updatedBefore: NOW, error: 'interrupted', at: timeAt(1) };
    assert.equal(await inTransaction(metadata, (tx) => tx.failOperations(stale)), 2);
    assert.deepEqual(
      await metadata.findOperation(sampleOperation(1).operationId),
      sampleOperation(1, { status: 'failed', error: 'interrupted', updatedAt: timeAt(1) }),
    );
    assert.equal(await inTransaction(metadata, (tx) => tx.deleteOperations(timeAt(9), 2)), 2);
    assert.equal(await inTransaction(metadata, (tx) => tx.deleteOperations(timeAt(9), 9)), 1);
    assert.notEqual(await metadata.findOperation(sampleOperation(4).operationId), undefined);
  });

  test('links are found, removed by their owner alone, and paged newest first', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const full = sampleLink(1, {
      title: 'A "title"',
      description: 'ü\n',
      expiresAt: timeAt(7),
      passwordHash: '$argon2id$',
      createdAt: timeAt(3),
    });
    // Of one time, capitals sort before small letters, as bytes do.
    const rest = ['Zb', 'aB', 'ab', 'B'].map((hash) => sampleLink(0, { hash: hash as LinkHash }));
    await inTransaction(metadata, async (tx) => {
      for (const link of [...rest, full]) await tx.insertLink(link);
      await tx.insertLink(sampleLink(8, { accountId: 'other' as AccountId }));
    });
    assert.deepEqual(await metadata.findLink(full.hash), full);
    const hashes: string[] = [];
    let after: { readonly createdAt: TimeMs; readonly hash: LinkHash } | undefined;
    for (;;) {
      const page = await metadata.listLinks({ accountId: ALICE, after, limit: 2 });
      hashes.push(...page.map(({ hash }) => hash));
      after = page.at(-1);
      if (after === undefined) break;
    }
    assert.deepEqual(hashes, ['link1', 'B', 'Zb', 'aB', 'ab']);
    const remove = (accountId: AccountId) =>
      inTransaction(metadata, (tx) => tx.deleteLink(accountId, full.hash));
    assert.equal(await remove('other' as AccountId), false);
    assert.equal(await remove(ALICE), true);
    assert.equal(await remove(ALICE), false);
    assert.equal(await metadata.findLink(full.hash), undefined);
  });
}

function sampleUsage(change: Partial<UsageDelta> = {}): UsageDelta {
  return {
    accountId: ALICE,
    hour: HOUR,
    meter: 'egress',
    source: 's3',
    bucketId: 1 as BucketId,
    credential: 'session',
    link: undefined,
    bytes: 10n,
    requests: 1,
    ...change,
  };
}

function trail(engine: MetadataEngine): void {
  test('usage is summed per key and hour, within the range', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const next = (HOUR + 3_600_000) as TimeMs;
    await inTransaction(metadata, (tx) =>
      tx.appendUsage([
        sampleUsage(),
        sampleUsage({ link: 'someone' as LinkHash }),
        sampleUsage({ hour: next, bytes: 2n ** 60n, requests: 3 }),
      ]),
    );
    await inTransaction(metadata, (tx) =>
      tx.appendUsage([sampleUsage({ bytes: 5n, requests: 2 }), sampleUsage({ hour: next })]),
    );
    await inTransaction(metadata, (tx) =>
      tx.appendUsage([sampleUsage({ accountId: 'other' as AccountId })]),
    );
    const after = (next + 3_600_000) as TimeMs;
    assert.deepEqual(await metadata.sumUsage({ accountId: ALICE, from: HOUR, to: after }), [
      sampleUsage({ bytes: 15n, requests: 3 }),
      sampleUsage({ link: 'someone' as LinkHash }),
      sampleUsage({ hour: next, bytes: 2n ** 60n + 10n, requests: 4 }),
    ]);
    const first = await metadata.sumUsage({ accountId: ALICE, from: HOUR, to: next });
    assert.equal(first.length, 2);
  });

  test('audit entries are listed newest first, of one account or all', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const entry = (subject: string | undefined, at: TimeMs, accountId = ALICE) =>
      ({ at, accountId, actor: 'admin', action: 'token.created', subject }) as const;
    const other = 'other' as AccountId;
    await inTransaction(metadata, async (tx) => {
      await tx.appendAudit(entry('a', NOW));
      await tx.appendAudit(entry('b', timeAt(1)));
      await tx.appendAudit(entry('c', NOW));
      await tx.appendAudit(entry(undefined, timeAt(2), other));
    });
    const all = await metadata.listAudit({ accountId: undefined, limit: 10 });
    assert.deepEqual(
      all.map(({ subject }) => subject),
      [undefined, 'b', 'c', 'a'],
    );
    assert.deepEqual(await metadata.listAudit({ accountId: ALICE, limit: 2 }), all.slice(1, 3));
  });
}
