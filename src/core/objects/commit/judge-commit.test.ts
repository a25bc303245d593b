/** Proves what each demand refuses, in which order, and that demands are data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, isServiceError } from '../../errors.ts';
import type { Account } from '../../identity/account/account.ts';
import type { BucketId, Etag, TimeMs } from '../../ids.ts';
import {
  fitsBelow,
  mustNotExist,
  NOW,
  sampleAccount,
  sampleVersion,
} from '../../ports/metadata/contract/samples.ts';
import type { AccountDemand, CommitDemand, UploadDemand } from './commit-demands.ts';
import type { DeleteConditions } from './condition.ts';
import { judgeCommit, judgePart, judgeUpload, UNCHANGED } from './judge-commit.ts';

const BUCKET = 1 as BucketId;
const account: Account = {
  ...sampleAccount(1),
  defaultBucketId: BUCKET,
  storedBytes: 90n,
  countedBytes: 5000n,
};
const disabled: Account = { ...account, disabledAt: NOW };
const standing = sampleVersion(BUCKET, 'k', { sizeBytes: 10, tags: { a: '1' } });
const other = 'ffffffffffffffffffffffffffffffff' as Etag;

const enabled: CommitDemand & AccountDemand = { kind: 'enabled' };
const match = (ifMatch: readonly string[] | '*'): CommitDemand => ({
  kind: 'conditions',
  conditions: { ifMatch },
});
const deleteOf = (conditions: DeleteConditions): CommitDemand => ({
  kind: 'delete_conditions',
  conditions,
});
const { etag: ifMatch, sizeBytes, createdAt } = standing;

type Case = readonly [
  readonly CommitDemand[],
  Parameters<typeof judgeCommit>[1],
  ErrorCode | undefined,
];

const onNothing = { current: undefined, account };
const onObject = { current: standing, account };

const CASES: readonly Case[] = [
  [[], { current: undefined, account: disabled }, undefined],
  [[enabled], onNothing, undefined],
  [[enabled], { current: undefined, account: disabled }, 'account_disabled'],
  [mustNotExist, onNothing, undefined],
  [mustNotExist, onObject, 'precondition_failed'],
  [[match([standing.etag])], onObject, undefined],
  [[match([other])], onObject, 'precondition_failed'],
  [[match('*')], onObject, undefined],
  [[match('*')], onNothing, 'object_not_found'],
  [[deleteOf({})], onNothing, undefined],
  [[deleteOf({ ifMatch: [other] })], onNothing, 'object_not_found'],
  [[deleteOf({ sizeBytes })], onNothing, 'object_not_found'],
  [[deleteOf({ createdAt })], onNothing, 'object_not_found'],
  [[deleteOf({ ifMatch: [ifMatch], sizeBytes, createdAt })], onObject, undefined],
  [[deleteOf({ ifMatch: [other], sizeBytes, createdAt })], onObject, 'precondition_failed'],
  [[deleteOf({ sizeBytes: sizeBytes + 1 })], onObject, 'precondition_failed'],
  // Clients know whole seconds.
  [[deleteOf({ createdAt: (createdAt - (createdAt % 1000)) as TimeMs })], onObject, undefined],
  [[deleteOf({ createdAt: (createdAt + 1000) as TimeMs })], onObject, 'precondition_failed'],
  [[{ kind: 'unchanged', version: standing }], onObject, undefined],
  [[{ kind: 'unchanged', version: standing }], onNothing, 'precondition_failed'],
  [[{ kind: 'unchanged', version: { ...standing, tags: {} } }], onObject, 'precondition_failed'],
  [[fitsBelow(5010, 10)], onNothing, undefined],
  [[fitsBelow(5010, 11)], onNothing, 'quota_exceeded'],
  // What stands counts its ten bytes and its row.
  [[fitsBelow(5010, 10 + 1034)], onObject, undefined],
  [[fitsBelow(5010, 11 + 1034)], onObject, 'quota_exceeded'],
  // An account beyond its limit may still shrink.
  [[fitsBelow(0, 1034)], onObject, undefined],
  [[fitsBelow(0, 1035)], onObject, 'quota_exceeded'],
  // The first that does not hold is what the caller hears.
  [[match('*'), fitsBelow(0, 11)], onNothing, 'object_not_found'],
  [[fitsBelow(0, 11), match('*')], onNothing, 'quota_exceeded'],
];

test('each demand refuses what does not hold, the first one first', () => {
  for (const [demands, facts, code] of CASES) {
    const words = JSON.stringify(demands, (_, value) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
    const judge = () => judgeCommit(structuredClone(demands), facts);
    if (code === undefined) judge();
    else assert.throws(judge, (error) => isServiceError(error, code), words);
  }
});

test('a refused quota says what is counted, allowed and needed', () => {
  assert.throws(() => judgeCommit([fitsBelow(5005, 1040)], onObject), {
    code: 'quota_exceeded',
    message: 'The file does not fit into the storage quota.',
    details: { used_bytes: 5000, allowed_bytes: 5005, needed_bytes: 1040 },
  });
  const entitlements = { ...account.entitlements, storageBytes: 6000n };
  judgeCommit([fitsBelow(5005, 1040)], { ...onObject, account: { ...account, entitlements } });
});

test('what changed meanwhile is told from a condition of the client', () => {
  assert.throws(() => judgeCommit([{ kind: 'unchanged', version: standing }], onNothing), {
    details: { condition: UNCHANGED },
  });
});

test('a part is judged beside the part that it replaces', () => {
  judgePart([enabled, fitsBelow(5010, 10 + 1039)], { replaced: { sizeBytes: 15 }, account });
  const facts = { replaced: undefined, account };
  assert.throws(() => judgePart([fitsBelow(5010, 25)], facts), { code: 'quota_exceeded' });
  assert.throws(() => judgePart([enabled], { ...facts, account: disabled }), {
    code: 'account_disabled',
  });
});

test('an upload begins where the account has room for it and fewer of them', () => {
  const open: UploadDemand = { kind: 'open_uploads', max: 3 };
  judgeUpload([enabled, open, fitsBelow(6024, 1024)], { account, openUploads: 2 });
  const cases: readonly [UploadDemand, Parameters<typeof judgeUpload>[1], ErrorCode][] = [
    [open, { account, openUploads: 3 }, 'too_many_uploads'],
    [fitsBelow(6023, 1024), { account, openUploads: 0 }, 'quota_exceeded'],
    [enabled, { account: disabled, openUploads: 0 }, 'account_disabled'],
  ];
  for (const [demand, facts, code] of cases) {
    assert.throws(() => judgeUpload([demand], facts), { code });
  }
});
