/** Proves that S3 keys are made, found, limited and revoked as their contract says. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type IdentityWorld,
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import { ServiceError } from '../../errors.ts';
import type { AccountId, TimeMs } from '../../ids.ts';
import { LAST_USED_STEP_MS, S3_KEY_KEPT_MS, S3_KEYS_MAX } from '../../limits.ts';
import { createBucket } from '../../objects/buckets/buckets.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import { type Principal, SCOPES } from '../../principal.ts';
import { authenticate } from '../access/authenticate.ts';
import { disableAccount } from '../account/administer-accounts.ts';
import { sweepIdentity } from '../sweep-identity.ts';
import { createApiToken, revokeApiToken, type TokenRequest } from '../tokens/api-tokens.ts';
import { AccessKeyMemory } from './access-key-memory.ts';
import { findAccessKey, noteAccessKeyUse } from './authenticate-access-key.ts';
import { presignRequest } from './presign-request.ts';
import { mintS3Secret } from './s3-key.ts';
import { createS3Key, listS3Keys, revokeS3Key, type S3KeyRequest } from './s3-keys.ts';

const PLAIN: S3KeyRequest = {
  name: undefined,
  isReadOnly: false,
  bucket: undefined,
  prefix: undefined,
};

async function openWorld() {
  const world = { ...(await openIdentityWorld()), accessKeys: new AccessKeyMemory() };
  const ann = await principalBy(world, (await signIn(world)).accessToken);
  const bob = await principalBy(world, (await signIn(world, walletOf('bob'))).accessToken);
  return { world, ann, bob };
}

function make(world: IdentityWorld, actor: Principal, request: Partial<S3KeyRequest> = {}) {
  const { accountId } = actor;
  return createS3Key(world, { actor, accountId, request: { ...PLAIN, ...request } });
}

test('a key and its secret have the forms of the contract, and the secret is kept sealed', async () => {
  const { world, ann } = await openWorld();
  const made = await Promise.all(Array.from({ length: 50 }, () => make(world, ann)));
  for (const { key, secret } of made) {
    assert.match(key.accessKeyId, /^[A-Z2-7]{20}$/);
    assert.match(secret, /^[A-Za-z0-9]{40}$/);
    assert(!JSON.stringify(await world.metadata.findS3Key(key.accessKeyId)).includes(secret));
    assert.match(key.secretCiphertext, /^v1\./);
  }
  assert.equal(new Set(made.map(({ secret }) => secret)).size, 50);
  const letters = new Set(made.flatMap(({ secret }) => [...secret]));
  assert.equal(letters.size, 62, 'every letter occurs among 2,000');
});

test('a byte that would favour the first letters is drawn again', () => {
  const draws = [255, 248, 247, 0];
  const secret = mintS3Secret({
    bytes: (length) => new Uint8Array(length).fill(draws.shift() ?? assert.fail('drawn enough')),
  });
  assert.deepEqual([secret, draws], ['9'.repeat(40), [0]]);
});

test('a key is found with its secret and how far it reaches', async () => {
  const { world, ann } = await openWorld();
  const { key, secret } = await make(world, ann, { isReadOnly: true, prefix: 'a/' });
  const found = await findAccessKey(world, key.accessKeyId);
  assert.equal(found.secret, secret);
  assert.deepEqual(found.principal, {
    ...ann,
    credential: {
      kind: 's3Key',
      accessKeyId: key.accessKeyId,
      isReadOnly: true,
      bucketId: ann.defaultBucketId,
      prefix: 'a/',
    },
  });
});

test('an unknown, a malformed and a revoked key are refused in the same words', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  await findAccessKey(world, key.accessKeyId);
  await revokeS3Key(world, { actor: ann, accessKeyId: key.accessKeyId });
  const messages = new Set<string>();
  for (const id of [key.accessKeyId, 'A'.repeat(20), '', 'a'.repeat(20), `${key.accessKeyId}\n`]) {
    await assert.rejects(findAccessKey(world, id), (error) => {
      assert(error instanceof ServiceError && error.code === 'credential_invalid');
      messages.add(error.message);
      return true;
    });
  }
  assert.equal(messages.size, 1);
});

test('what can be no key is looked up nowhere, and a key whose account is gone proves nothing', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  const asked: string[] = [];
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findS3Key: async (accessKeyId) => {
      asked.push(accessKeyId);
      return await world.metadata.findS3Key(accessKeyId);
    },
    findAccount: async () => undefined,
  } satisfies Partial<typeof world.metadata>);
  for (const id of ['', '\0', 'a'.repeat(20), key.accessKeyId]) {
    const finding = findAccessKey({ ...world, metadata }, id);
    await assert.rejects(finding, refusedAs('credential_invalid'));
  }
  assert.deepEqual(asked, [String(key.accessKeyId)]);
});

test('the keys of a disabled account are refused as disabled', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  await disableAccount(world, { actor: 'admin', accountId: ann.accountId });
  await assert.rejects(findAccessKey(world, key.accessKeyId), refusedAs('account_disabled'));
});

test('a secret that was moved to another key does not open', async () => {
  const { world, ann } = await openWorld();
  const [first, second] = [await make(world, ann), await make(world, ann)];
  const swapped = { ...first.key, secretCiphertext: second.key.secretCiphertext };
  const { findAccount } = world.metadata;
  const transact = () => Promise.reject(new Error('nothing is written'));
  const metadata = { findS3Key: async () => swapped, findAccount, transact };
  const finding = findAccessKey({ ...world, metadata }, first.key.accessKeyId);
  await assert.rejects(finding, refusedAs('corrupt'));
});

test('a use is noted at most once a minute, however many requests there are', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  const lastUse = async () => (await world.metadata.findS3Key(key.accessKeyId))?.lastUsedAt;
  let writes = 0;
  const counting = {
    ...world,
    metadata: {
      ...world.metadata,
      transact: async (transaction, input) => {
        writes += 1;
        return await world.metadata.transact(transaction, input);
      },
    } satisfies Transactions,
  };
  const use = async () =>
    noteAccessKeyUse(counting, await findAccessKey(counting, key.accessKeyId));
  await Promise.all(Array.from({ length: 20 }, use));
  assert.equal(writes, 1);
  const first = await lastUse();
  assert.equal(first, world.clock.now());
  world.clock.advance(LAST_USED_STEP_MS - 1);
  await use();
  assert.equal(await lastUse(), first);
  world.clock.advance(1);
  await use();
  assert.equal(await lastUse(), world.clock.now());
  assert.equal(writes, 2);
  // Another process remembers no note, but the row of the key does.
  const elsewhere = { ...counting, accessKeys: new AccessKeyMemory() };
  const useElsewhere = async () =>
    noteAccessKeyUse(elsewhere, await findAccessKey(elsewhere, key.accessKeyId));
  world.clock.advance(LAST_USED_STEP_MS - 1);
  await useElsewhere();
  assert.equal(writes, 2);
  world.clock.advance(1);
  await useElsewhere();
  assert.equal(writes, 3);
});

test('a disk that takes no notes keeps nobody from reading', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  const found = await findAccessKey(world, key.accessKeyId);
  const failing = (error: Error) => ({
    ...world,
    accessKeys: new AccessKeyMemory(),
    metadata: { ...world.metadata, transact: () => Promise.reject(error) },
  });
  await noteAccessKeyUse(failing(new ServiceError('storage_full', 'Full.')), found);
  await assert.rejects(noteAccessKeyUse(failing(new RangeError('a fault')), found), RangeError);
});

test('limits name buckets of the account, and a prefix alone means the default one', async () => {
  const { world, ann, bob } = await openWorld();
  const quota = { freeBuckets: 2 };
  const bucket = await createBucket({ ...world, quota }, { principal: ann, name: 'anns-own' });
  assert.equal((await make(world, ann)).key.bucketId, undefined);
  const own = await make(world, ann, { bucket: 'anns-own', prefix: '' });
  assert.deepEqual([own.key.bucketId, own.key.prefix], [bucket.bucketId, undefined]);
  assert.equal(own.bucket, 'anns-own');
  const inDefault = await make(world, ann, { prefix: 'x' });
  assert.deepEqual([inDefault.bucket, inDefault.key.prefix], [String(ann.slug), 'x']);
  for (const name of ['anns-own', 'absent']) {
    await assert.rejects(make(world, bob, { bucket: name }), refusedAs('bucket_not_found'));
  }
});

test('a name or prefix that cannot be is refused by field', async () => {
  const { world, ann } = await openWorld();
  for (const request of [
    { name: '' },
    { name: ' x' },
    { name: 'a\nb' },
    { name: '\ud800' },
    { name: 'x'.repeat(101) },
    { prefix: 'a\0' },
    { prefix: '\ud800' },
    { prefix: 'ä'.repeat(513) },
  ]) {
    await assert.rejects(make(world, ann, request), (error) => {
      assert(error instanceof ServiceError && error.code === 'invalid_field');
      assert.equal(error.details['field'], Object.keys(request)[0]);
      return true;
    });
  }
});

test('a name of 100 characters and a prefix of 1024 bytes are kept as they are', async () => {
  const { world, ann } = await openWorld();
  const longest = { name: 'ä'.repeat(100), prefix: 'ä'.repeat(512) };
  const { key } = await make(world, ann, longest);
  assert.deepEqual({ name: key.name, prefix: key.prefix }, longest);
});

test('keys are listed for their owner alone, and revoked by her alone', async () => {
  const { world, ann, bob } = await openWorld();
  const { key } = await make(world, ann, { name: 'laptop' });
  const list = (actor: Principal, of = actor) =>
    listS3Keys(world, { actor, accountId: of.accountId });
  assert.deepEqual(await list(ann), [{ key, bucket: undefined }]);
  assert.deepEqual(await list(bob), []);
  await assert.rejects(list(bob, ann), refusedAs('access_denied'));
  const { accessKeyId } = key;
  await assert.rejects(
    revokeS3Key(world, { actor: bob, accessKeyId }),
    refusedAs('s3_key_not_found'),
  );
  for (const id of ['', 'x', 'A'.repeat(20)]) {
    const revoking = revokeS3Key(world, { actor: ann, accessKeyId: id });
    await assert.rejects(revoking, refusedAs('s3_key_not_found'));
  }
  await revokeS3Key(world, { actor: ann, accessKeyId });
  const revokedAt = (await list(ann))[0]?.key.revokedAt;
  assert.equal(revokedAt, world.clock.now());
  world.clock.advance(5);
  await revokeS3Key(world, { actor: ann, accessKeyId });
  assert.equal((await list(ann))[0]?.key.revokedAt, revokedAt);
});

test('a token manages keys only with the scope, and nobody makes one for nobody', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann, { prefix: 'a' });
  const { token: weak } = await tokenOf(world, ann, {
    scopes: SCOPES.filter((scope) => scope !== 's3:keys'),
  });
  const { accountId } = ann;
  const revoke = (actor: Principal, accessKeyId: string, transactions: Transactions) =>
    revokeS3Key({ ...world, metadata: transactions }, { actor, accessKeyId });
  await assert.rejects(make(world, weak), refusedAs('missing_scope'));
  await assert.rejects(listS3Keys(world, { actor: weak, accountId }), refusedAs('missing_scope'));
  await assert.rejects(revoke(weak, key.accessKeyId, world.metadata), refusedAs('missing_scope'));
  assert.deepEqual(await listS3Keys(world, { actor: 'admin', accountId }), [
    { key, bucket: String(ann.slug) },
  ]);
  const idle: Transactions = { transact: () => assert.fail('what can be no key is looked up') };
  await assert.rejects(revoke(ann, '\0', idle), refusedAs('s3_key_not_found'));
  await assert.rejects(
    createS3Key(world, { actor: 'admin', accountId: 'nobody' as AccountId, request: PLAIN }),
    refusedAs('account_not_found'),
  );
});

test('making and revoking are in the trail, once each, without the secret', async () => {
  const { world, ann } = await openWorld();
  const { key, secret } = await make(world, ann);
  const { accessKeyId } = key;
  await revokeS3Key(world, { actor: 'admin', accessKeyId });
  await revokeS3Key(world, { actor: 'admin', accessKeyId });
  const trail = await world.metadata.listAudit({ accountId: ann.accountId, limit: 100 });
  const told = trail.filter(({ subject }) => subject === accessKeyId);
  assert.deepEqual(
    told.map(({ action, actor }) => [action, actor]),
    [
      ['s3_key.revoked', 'admin'],
      ['s3_key.created', String(ann.accountId)],
    ],
  );
  assert(!JSON.stringify(trail).includes(secret));
});

test('a key is no credential of the other dialects', async () => {
  const { world, ann } = await openWorld();
  const { key, secret } = await make(world, ann);
  for (const scheme of ['ApiKey', 'Bearer', 'X-API-Key'] as const) {
    for (const text of [key.accessKeyId, secret, `${key.accessKeyId}:${secret}`]) {
      await assert.rejects(
        authenticate(world, { credentials: [{ scheme, text }], clientAddress: undefined }),
        (error) =>
          error instanceof ServiceError &&
          /^(?:credential_invalid|unauthenticated)$/.test(error.code),
      );
    }
  }
  const { principal } = await findAccessKey(world, key.accessKeyId);
  await assert.rejects(make(world, principal), refusedAs('access_denied'));
});

test('an account has so many live keys and no more', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  await inTransaction(world.metadata, async (tx) => {
    for (let made = 1; made < S3_KEYS_MAX; made += 1) {
      await tx.insertS3Key({ ...key, accessKeyId: `key-${made}` as typeof key.accessKeyId });
    }
  });
  await assert.rejects(make(world, ann), refusedAs('quota_exceeded'));
  await revokeS3Key(world, { actor: ann, accessKeyId: key.accessKeyId });
  await make(world, ann);
});

test('revoked keys leave the list after a month, live ones never', async () => {
  const { world, ann } = await openWorld();
  const [gone, live] = [await make(world, ann), await make(world, ann)];
  await revokeS3Key(world, { actor: ann, accessKeyId: gone.key.accessKeyId });
  world.clock.advance(S3_KEY_KEPT_MS);
  assert.equal((await sweepIdentity(world)).s3Keys, 0);
  world.clock.advance(1);
  assert.equal((await sweepIdentity(world)).s3Keys, 1);
  const left = await world.metadata.listS3Keys(ann.accountId);
  assert.deepEqual(left, [live.key]);
});

test('a URL is signed by the newest key without limits, unless one is named', async () => {
  const { world, ann, bob } = await openWorld();
  const presign = (accessKeyId?: string, principal = ann) =>
    presignRequest(world, {
      principal,
      input: {
        method: 'get',
        bucket: undefined,
        key: 'a b/ü+',
        query: { 'response-content-type': 'text/plain' },
        expiresSeconds: undefined,
        accessKeyId,
        region: undefined,
        endpoint: undefined,
      },
    });
  await assert.rejects(presign(), refusedAs('no_s3_key'));
  const readOnly = await make(world, ann, { isReadOnly: true });
  const limited = await make(world, ann, { prefix: 'a' });
  await make(world, ann, { bucket: ann.slug });
  const accessKeyId = 'A'.repeat(20) as typeof limited.key.accessKeyId;
  await inTransaction(world.metadata, (tx) =>
    tx.insertS3Key({ ...limited.key, accessKeyId, bucketId: undefined }),
  );
  await assert.rejects(presign(), refusedAs('no_s3_key'));
  const old = await make(world, ann);
  world.clock.advance(1);
  const newest = await make(world, ann);
  const made = await presign();
  assert.equal(made.accessKey.accessKeyId, newest.key.accessKeyId);
  assert.deepEqual(
    [made.method, made.bucket, made.expiresSeconds],
    ['GET', String(ann.slug), 3600],
  );
  assert(made.url.startsWith(`https://s3.store.example/${ann.slug}/a%20b/%C3%BC%2B?`), made.url);
  await revokeS3Key(world, { actor: ann, accessKeyId: newest.key.accessKeyId });
  assert.equal((await presign()).accessKey.accessKeyId, old.key.accessKeyId);
  const named = await presign(readOnly.key.accessKeyId);
  assert.equal(named.accessKey.isReadOnly, true);
  for (const id of [newest.key.accessKeyId, 'absent']) {
    await assert.rejects(presign(id), refusedAs('s3_key_not_found'));
  }
  await assert.rejects(presign(old.key.accessKeyId, bob), refusedAs('s3_key_not_found'));
});

async function tokenOf(
  world: IdentityWorld,
  owner: Principal,
  change: Partial<TokenRequest> = {},
): Promise<{ readonly token: Principal; readonly name: string }> {
  const name = `token ${change.scopes?.join()} ${change.expiresAt}`;
  const { secret } = await createApiToken(world, {
    actor: owner,
    accountId: owner.accountId,
    request: { name, scopes: ['s3:keys'], ipAllowlist: undefined, expiresAt: undefined, ...change },
  });
  return { token: await principalBy(world, secret), name };
}

test('what a token makes can write only where the token may write and delete', async () => {
  const { world, ann } = await openWorld();
  for (const [more, isReadOnly] of [
    [[], true],
    [['files:read', 'files:write'], true],
    [['files:delete'], true],
    [['files:write', 'files:delete'], false],
  ] as const) {
    const { token } = await tokenOf(world, ann, { scopes: ['s3:keys', ...more] });
    assert.equal((await make(world, token)).key.isReadOnly, isReadOnly, more.join());
    assert.equal((await make(world, token, { isReadOnly: true })).key.isReadOnly, true);
  }
});

test('a key ends with the token that made it: revoked or expired', async () => {
  const { world, ann } = await openWorld();
  const kept = await make(world, ann);
  const revoked = await tokenOf(world, ann);
  const bound = { expiresAt: (world.clock.now() + 1000) as TimeMs };
  const expiring = await tokenOf(world, ann, bound);
  const [first, second] = [await make(world, revoked.token), await make(world, expiring.token)];
  const isGood = async ({ key }: typeof kept) => {
    await findAccessKey(world, key.accessKeyId);
  };
  await Promise.all([kept, first, second].map(isGood));
  const { accountId } = ann;
  await revokeApiToken(world, { actor: ann, accountId, name: revoked.name });
  await assert.rejects(isGood(first), refusedAs('credential_invalid'));
  await assert.rejects(make(world, revoked.token), refusedAs('credential_invalid'));
  await isGood(second);
  world.clock.advance(1000);
  await assert.rejects(isGood(second), refusedAs('credential_invalid'));
  const named = { method: 'GET', accessKeyId: second.key.accessKeyId };
  const input = { ...NO_PRESIGN_WISHES, ...named };
  await assert.rejects(
    presignRequest(world, { principal: ann, input }),
    refusedAs('s3_key_not_found'),
  );
  await isGood(kept);
});

test('a token makes no key where it is bound to addresses, and signs with none', async () => {
  const { world, ann } = await openWorld();
  const bound = await tokenOf(world, ann, { ipAllowlist: ['192.0.2.0/24'] });
  await assert.rejects(make(world, bound.token), refusedAs('access_denied'));
  await make(world, ann);
  const { token } = await tokenOf(world, ann, { scopes: [...SCOPES] });
  const input = { ...NO_PRESIGN_WISHES, method: 'GET' };
  await assert.rejects(
    presignRequest(world, { principal: token, input }),
    refusedAs('missing_scope'),
  );
});

const NO_PRESIGN_WISHES = {
  bucket: undefined,
  key: undefined,
  query: undefined,
  expiresSeconds: undefined,
  accessKeyId: undefined,
  region: undefined,
  endpoint: undefined,
} as const;

test('of keys that have ended an account keeps the newest, and making another goes on', async () => {
  const { world, ann } = await openWorld();
  const { key } = await make(world, ann);
  await inTransaction(world.metadata, async (tx) => {
    for (let made = 0; made < 2 * S3_KEYS_MAX; made += 1) {
      const accessKeyId = `key-${made}` as typeof key.accessKeyId;
      await tx.insertS3Key({ ...key, accessKeyId, revokedAt: key.createdAt });
    }
  });
  await make(world, ann);
  assert.deepEqual(await world.metadata.countS3Keys(ann.accountId, key.createdAt), {
    live: 2,
    ended: S3_KEYS_MAX,
  });
});
