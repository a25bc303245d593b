/** Proves who makes, lists, changes and removes buckets, and what their names may be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import { setAccountLimits } from '../../identity/account/administer-accounts.ts';
import { AccessKeyMemory } from '../../identity/s3-keys/access-key-memory.ts';
import { findAccessKey } from '../../identity/s3-keys/authenticate-access-key.ts';
import { createS3Key } from '../../identity/s3-keys/s3-keys.ts';
import type { BucketName, ObjectKey, TokenId } from '../../ids.ts';
import { UPLOADS_ABORTED_AT_ONCE_MAX } from '../../limits.ts';
import { sampleDeletion, samplePublication } from '../../ports/metadata/contract/samples.ts';
import { sampleBeginning, sampleUpload } from '../../ports/metadata/contract/upload-samples.ts';
import type { Principal } from '../../principal.ts';
import { SCOPES } from '../../principal.ts';
import {
  changeBucket,
  createBucket,
  deleteBucket,
  getBucket,
  listBuckets,
  parseStandingBucketName,
} from './buckets.ts';
import { corsDocumentOf, simpleCorsRules } from './cors-rules.ts';

async function openWorld(freeBuckets = 10) {
  const identity = await openIdentityWorld();
  const world = { ...identity, accessKeys: new AccessKeyMemory(), quota: { freeBuckets } };
  const ann = await principalBy(world, (await signIn(world)).accessToken);
  const bob = await principalBy(world, (await signIn(world, walletOf('bob'))).accessToken);
  const keyOf = async (limits: { bucket?: string; prefix?: string; isReadOnly?: boolean }) => {
    const { bucket, prefix, isReadOnly = false } = limits;
    const request = { name: undefined, bucket, prefix, isReadOnly };
    const { accountId } = ann;
    const { key } = await createS3Key(world, { actor: ann, accountId, request });
    return (await findAccessKey(world, key.accessKeyId)).principal;
  };
  return { world, ann, bob, keyOf };
}

const named = (text: string) => text as BucketName;

test('names that AWS refuses or keeps for itself are refused', async () => {
  const { world, ann } = await openWorld();
  for (const name of [
    'ab',
    'a'.repeat(64),
    'Upper',
    'under_score',
    '-a-',
    'a..b',
    'a.-b',
    'a-.b',
    '.ab',
    '192.168.0.1',
    'xn--abc',
    'sthree-abc',
    'amzn-s3-demo-abc',
    'abc-s3alias',
    'abc--ol-s3',
    'abc.mrap',
    'abc--x-s3',
    'a b',
    'äöü',
    'abc\n',
    '',
  ]) {
    const making = createBucket(world, { principal: ann, name });
    await assert.rejects(making, refusedAs('invalid_bucket_name'), name);
  }
  for (const name of ['abc', 'a'.repeat(63), '1.2.3', 'a.b-c.d', '1-2']) {
    assert.equal((await createBucket(world, { principal: ann, name })).name, name);
  }
});

test('a bucket belongs to who made it, and its name to nobody else', async () => {
  const { world, ann, bob } = await openWorld();
  const bucket = await createBucket(world, { principal: ann, name: 'anns' });
  assert.deepEqual(
    [bucket.accountId, bucket.isDefault, bucket.publicRead, bucket.createdAt],
    [ann.accountId, false, false, world.clock.now()],
  );
  for (const name of ['anns', ann.slug]) {
    const again = createBucket(world, { principal: ann, name });
    await assert.rejects(again, refusedAs('bucket_owned'));
    await assert.rejects(createBucket(world, { principal: bob, name }), refusedAs('bucket_exists'));
  }
});

test('the default bucket counts, and an entitlement stands above the free number', async () => {
  const { world, ann } = await openWorld(1);
  const make = (name: string) => createBucket(world, { principal: ann, name });
  await assert.rejects(make('one'), refusedAs('too_many_buckets'));
  const { accountId } = ann;
  await setAccountLimits(world, { actor: 'admin', accountId, limits: { buckets: 3 } });
  const outcomes = await Promise.allSettled(['one', 'two', 'three', 'four'].map(make));
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 2);
  assert.equal(await world.metadata.countBuckets(accountId), 3);
  await setAccountLimits(world, { actor: 'admin', accountId, limits: { buckets: 0 } });
  await assert.rejects(make('five'), refusedAs('too_many_buckets'));
});

test('a refused bucket says how many the account may have', async () => {
  for (const [free, words] of [
    [1, /its default bucket only;/],
    [2, /2 buckets and no more;/],
  ] as const) {
    const { world, ann } = await openWorld(free);
    const make = (name: string) => createBucket(world, { principal: ann, name });
    if (free === 2) await make('one');
    await assert.rejects(make('more'), {
      code: 'too_many_buckets',
      message: words,
      details: { allowed: free },
    });
  }
});

test('no bucket is made for an account that is gone', async () => {
  const { world, ann } = await openWorld();
  const gone = '0198a000-0000-7000-8000-00000000ffff' as typeof ann.accountId;
  const making = createBucket(world, { principal: { ...ann, accountId: gone }, name: 'more' });
  await assert.rejects(making, refusedAs('account_not_found'));
  assert.equal(await world.metadata.findBucket(named('more')), undefined);
});

test('the text of a name that no bucket may have is no one’s', () => {
  assert.equal(parseStandingBucketName('anns'), 'anns');
  for (const text of ['A', 'a', 'a/b', 'a\0b', '']) {
    assert.throws(() => parseStandingBucketName(text), refusedAs('bucket_not_found'));
  }
});

test('only an empty bucket goes, with the keys that are limited to it', async () => {
  const { world, ann, keyOf } = await openWorld();
  const bucket = await createBucket(world, { principal: ann, name: 'anns' });
  const limited = await keyOf({ bucket: 'anns' });
  const account = await world.metadata.findAccount(ann.accountId);
  assert(account);
  const { bucketId } = bucket;
  await world.metadata.publishObject(
    samplePublication(account, { key: 'k', blobId: 1, version: { bucketId } }),
  );
  const remove = (principal: Principal = ann) =>
    deleteBucket(world, { principal, name: bucket.name });
  await assert.rejects(remove(), refusedAs('bucket_not_empty'));
  const key = 'k' as ObjectKey;
  const at = world.clock.now();
  const { accountId } = ann;
  await world.metadata.deleteObject({ accountId, bucketId, key, at, demands: [] });
  await remove();
  await assert.rejects(remove(), refusedAs('bucket_not_found'));
  const [listed] = await world.metadata.listS3Keys(accountId);
  assert.equal(listed?.revokedAt, world.clock.now());
  await createBucket(world, { principal: ann, name: 'anns' });
  const asKey = getBucket(world, { principal: limited, name: bucket.name, access: 'bucket.read' });
  await assert.rejects(asKey, refusedAs('access_denied'));
});

test('open uploads go with their bucket, and stay with one that is refused', async () => {
  const { world, ann } = await openWorld();
  const { name, bucketId } = await createBucket(world, { principal: ann, name: 'anns' });
  const account = await world.metadata.findAccount(ann.accountId);
  assert(account);
  const count = 2 * UPLOADS_ABORTED_AT_ONCE_MAX + 1;
  const uploads = Array.from({ length: count }, (_, number) =>
    sampleUpload(account, { key: 'k', number }, { bucketId }),
  );
  for (const upload of uploads) await world.metadata.insertUpload(sampleBeginning(upload));
  const standing = async () => {
    const found = uploads.map(({ uploadId }) => world.metadata.findUpload(uploadId));
    return (await Promise.all(found)).filter((upload) => upload !== undefined).length;
  };
  await world.metadata.publishObject(
    samplePublication(account, { key: 'k', blobId: 1, version: { bucketId } }),
  );
  const remove = () => deleteBucket(world, { principal: ann, name });
  await assert.rejects(remove(), refusedAs('bucket_not_empty'));
  assert.equal(await standing(), count);
  await world.metadata.deleteObject(sampleDeletion(account, 'k', { bucketId }));
  await remove();
  assert.equal(await standing(), 0);
});

test('the default bucket stays', async () => {
  const { world, ann } = await openWorld();
  const removing = deleteBucket(world, { principal: ann, name: named(ann.slug) });
  await assert.rejects(removing, refusedAs('default_bucket'));
});

test('what is another’s is not there over REST, and denied to a key', async () => {
  const { world, ann, bob, keyOf } = await openWorld();
  const { name } = await createBucket(world, { principal: bob, name: 'bobs' });
  const tries = (principal: Principal) => [
    getBucket(world, { principal, name, access: 'bucket.identify' }),
    changeBucket(world, { principal, name, change: { publicRead: true } }),
    deleteBucket(world, { principal, name }),
  ];
  for (const trying of tries(ann)) await assert.rejects(trying, refusedAs('bucket_not_found'));
  for (const trying of tries(await keyOf({}))) {
    await assert.rejects(trying, refusedAs('access_denied'));
  }
  assert.equal((await world.metadata.findBucket(name))?.publicRead, false);
});

test('limited keys change no bucket, and read-only ones neither', async () => {
  const { world, ann, keyOf } = await openWorld();
  const { name } = await createBucket(world, { principal: ann, name: 'anns' });
  for (const limits of [{ isReadOnly: true }, { bucket: 'anns', prefix: 'a/' }, { prefix: 'a/' }]) {
    const principal = await keyOf(limits);
    const change = changeBucket(world, { principal, name, change: { publicRead: true } });
    await assert.rejects(change, refusedAs('access_denied'));
    await assert.rejects(deleteBucket(world, { principal, name }), refusedAs('access_denied'));
    const making = createBucket(world, { principal, name: 'more' });
    await assert.rejects(making, refusedAs('access_denied'));
  }
  await createBucket(world, { principal: await keyOf({}), name: 'more' });
  const ofBucket = await keyOf({ bucket: 'anns' });
  const more = createBucket(world, { principal: ofBucket, name: 'even-more' });
  await assert.rejects(more, refusedAs('access_denied'));
  await changeBucket(world, { principal: ofBucket, name, change: { publicRead: true } });
});

test('an API token reaches no bucket', async () => {
  const { world, ann } = await openWorld();
  const credential = { kind: 'token', tokenId: 't' as TokenId, scopes: new Set(SCOPES) } as const;
  const principal: Principal = { ...ann, credential };
  for (const trying of [
    createBucket(world, { principal, name: 'more' }),
    deleteBucket(world, { principal, name: named(ann.slug) }),
    getBucket(world, { principal, name: named(ann.slug), access: 'bucket.identify' }),
    listBuckets(world, { principal, prefix: '', after: undefined, limit: 1 }),
    changeBucket(world, { principal, name: named(ann.slug), change: { publicRead: true } }),
  ]) {
    await assert.rejects(trying, refusedAs('missing_scope'));
  }
});

test('buckets are listed in pages by name; a limited key sees its one', async () => {
  const { world, ann, bob, keyOf } = await openWorld();
  for (const name of ['c-1', 'a-1', 'b-1']) await createBucket(world, { principal: ann, name });
  await createBucket(world, { principal: bob, name: 'a-2' });
  const list = async (principal: Principal, prefix = '', after?: string, limit = 10) => {
    const { buckets, next } = await listBuckets(world, { principal, prefix, after, limit });
    return [buckets.map(({ name }) => String(name)), next];
  };
  const all = ['a-1', 'b-1', 'c-1', String(ann.slug)].toSorted();
  assert.deepEqual(await list(ann), [all, undefined]);
  assert.deepEqual(await list(ann, '', undefined, 2), [all.slice(0, 2), all[1]]);
  assert.deepEqual(await list(ann, '', all[1], 2), [all.slice(2), undefined]);
  assert.deepEqual(await list(ann, 'b'), [['b-1'], undefined]);
  // PostgreSQL would fail at such a text: nobody is asked.
  const fail = () => assert.fail('a database is asked');
  const unasked = { listBuckets: fail, findBucketById: fail };
  const odd = { principal: ann, prefix: '\0', after: undefined, limit: 10 };
  assert.deepEqual(await listBuckets({ metadata: unasked }, odd), { buckets: [], next: undefined });
  await assert.rejects(list(ann, '', 'A\0'), refusedAs('invalid_cursor'));
  const limited = await keyOf({ bucket: 'b-1', prefix: 'x' });
  assert.deepEqual(await list(limited), [['b-1'], undefined]);
  assert.deepEqual(await list(limited, 'a'), [[], undefined]);
  assert.deepEqual(await list(limited, '', 'b-1'), [[], undefined]);
});

test('every change of a bucket is in the trail', async () => {
  const { world, ann } = await openWorld();
  const { name } = await createBucket(world, { principal: ann, name: 'anns' });
  const cors = corsDocumentOf(simpleCorsRules(['*'], 'origins'));
  await changeBucket(world, {
    principal: ann,
    name,
    change: { publicRead: true, documents: { cors, tagging: null } },
  });
  await deleteBucket(world, { principal: ann, name });
  const trail = await world.metadata.listAudit({ accountId: ann.accountId, limit: 100 });
  const told = trail.filter(({ subject }) => subject?.startsWith('anns'));
  assert.deepEqual(
    told.map(({ action, subject }) => [action, subject]),
    [
      ['bucket.deleted', 'anns'],
      ['bucket.changed', 'anns public_read=true cors=set tagging=none'],
      ['bucket.created', 'anns'],
    ],
  );
});
