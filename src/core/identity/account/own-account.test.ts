/** Proves what owners see and change: their account, its settings, its API tokens. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  type IdentityWorld,
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import { TOKEN_BLOCKS_MAX, TOKENS_MAX } from '../../limits.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import type { Principal } from '../../principal.ts';
import { newAccessKeyId, timeMs } from '../names.ts';
import {
  createApiToken,
  listApiTokens,
  revokeApiToken,
  type TokenRequest,
} from '../tokens/api-tokens.ts';
import { changeSettings } from './change-settings.ts';
import { rotateAppKey } from './rotate-app-key.ts';
import { whoAmI } from './who-am-i.ts';

const PLAIN: TokenRequest = {
  name: 'ci',
  scopes: undefined,
  ipAllowlist: undefined,
  expiresAt: undefined,
};

async function openOwner(world: IdentityWorld): Promise<Principal> {
  return await principalBy(world, (await signIn(world)).accessToken);
}

const create = (world: IdentityWorld, actor: Principal, request: Partial<TokenRequest> = {}) =>
  createApiToken(world, { actor, accountId: actor.accountId, request: { ...PLAIN, ...request } });

test('an account sees itself, with the app key that works', async () => {
  const world = await openIdentityWorld();
  const principal = await openOwner(world);
  const { appKey, ...self } = await whoAmI(world, { principal });
  assert.deepEqual(self, {
    accountId: principal.accountId,
    slug: principal.slug,
    username: undefined,
    email: undefined,
    wallet: walletOf('first').address,
    plan: 'free',
    deterministicUrls: 'files',
    isDisabled: false,
    createdAt: world.clock.now(),
  });
  assert.equal((await principalBy(world, appKey ?? '', 'ApiKey')).accountId, self.accountId);
});

test('a token sees the account without its app key', async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const { secret } = await create(world, owner, { scopes: ['files:read', 'account:read'] });
  const self = await whoAmI(world, { principal: await principalBy(world, secret) });
  assert.equal(self.accountId, owner.accountId);
  assert.equal(self.appKey, undefined);
});

test("an app key moved into another account's row does not open", async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const other = await principalBy(world, (await signIn(world, walletOf('other'))).accessToken);
  const account = await world.metadata.findAccount(owner.accountId);
  const appKeyCiphertext = account?.appKeyCiphertext ?? '';
  await inTransaction(world.metadata, (tx) =>
    tx.updateAccount(other.accountId, { appKeyCiphertext }),
  );
  await assert.rejects(whoAmI(world, { principal: other }), refusedAs('corrupt'));
});

test('no secret is kept in plain text', async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const { appKey = '' } = await whoAmI(world, { principal: owner });
  const { secret } = await create(world, owner);
  const account = await world.metadata.findAccount(owner.accountId);
  const kept = JSON.stringify([
    { ...account, storedBytes: 0, countedBytes: 0 },
    await world.metadata.listTokens(owner.accountId),
    await world.metadata.listAudit({ accountId: undefined, limit: 100 }),
  ]);
  assert(!kept.includes(appKey.slice(4)));
  assert(!kept.includes(secret.slice(8)));
});

test('an S3 key is not told whose it is', async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const credential = {
    kind: 's3Key',
    accessKeyId: newAccessKeyId(world.random),
    isReadOnly: false,
    bucketId: undefined,
    prefix: undefined,
  } as const;
  const asked = whoAmI(world, { principal: { ...owner, credential } });
  await assert.rejects(asked, refusedAs('access_denied'));
});

test('settings change for the owner, are noted, and not for tokens', async () => {
  const world = await openIdentityWorld();
  const principal = await openOwner(world);
  await changeSettings(world, { principal, settings: {} });
  await changeSettings(world, { principal, settings: { deterministicUrls: 'off' } });
  assert.equal((await whoAmI(world, { principal })).deterministicUrls, 'off');
  const trail = await world.metadata.listAudit({ accountId: principal.accountId, limit: 10 });
  assert.deepEqual(
    trail.filter(({ action }) => action === 'account.settings_changed').map((one) => one.subject),
    ['deterministic_urls=off'],
    'what changes nothing is not noted',
  );
  const byToken = await principalBy(world, (await create(world, principal)).secret);
  await assert.rejects(
    changeSettings(world, { principal: byToken, settings: { deterministicUrls: 'all' } }),
    refusedAs('missing_scope'),
  );
  await assert.rejects(
    rotateAppKey(world, { actor: byToken, accountId: principal.accountId }),
    refusedAs('missing_scope'),
  );
});

test('a token is listed without its secret, by its first letters', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const { secret, token } = await create(world, actor, {
    scopes: ['files:delete', 'files:read', 'files:read'],
    ipAllowlist: ['10.1.2.3/8', '2001:DB8::1'],
  });
  assert.match(secret, /^pft_[\w-]{49}$/);
  assert.equal(token.prefix, secret.slice(0, 8));
  assert.deepEqual(token.scopes, ['files:read', 'files:delete']);
  assert.deepEqual(token.ipAllowlist, ['10.0.0.0/8', '2001:db8::1']);
  const { accountId } = actor;
  assert.deepEqual(await listApiTokens(world, { actor, accountId }), [token]);
});

test('a token name stands once, and is free again when revoked', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const { accountId } = actor;
  await create(world, actor);
  await assert.rejects(create(world, actor), refusedAs('token_name_taken'));
  await revokeApiToken(world, { actor, accountId, name: 'ci' });
  await assert.rejects(
    revokeApiToken(world, { actor, accountId, name: 'ci' }),
    refusedAs('token_not_found'),
  );
  const idle: Transactions = { transact: () => assert.fail('not every engine takes such text') };
  await assert.rejects(
    revokeApiToken({ ...world, metadata: idle }, { actor, accountId, name: 'c\0i' }),
    refusedAs('token_not_found'),
  );
  await create(world, actor);
  const trail = await world.metadata.listAudit({ accountId, limit: 3 });
  assert.deepEqual(
    trail.map(({ action, subject }) => `${action} ${subject}`),
    ['token.created ci', 'token.revoked ci', 'token.created ci'],
  );
});

test('what is wrong in a token request is refused by the name of its field', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const block = '10.0.0.1';
  const bad: [string, Partial<TokenRequest>][] = [
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: ' ci' }],
    ['name', { name: 'c\ni' }],
    ['name', { name: '\ud800' }],
    ['scopes', { scopes: [] }],
    ['scopes', { scopes: ['files:read', 'files:admin'] }],
    ['scopes', { scopes: ['toString'] }],
    ['ipAllowlist', { ipAllowlist: ['10.0.0.0/8', 'localhost'] }],
    ['ipAllowlist', { ipAllowlist: Array.from({ length: TOKEN_BLOCKS_MAX + 1 }, () => block) }],
    ['expiresAt', { expiresAt: world.clock.now() }],
    ['expiresAt', { expiresAt: timeMs(Number.NaN) }],
    ['expiresAt', { expiresAt: timeMs(1e300) }],
  ];
  for (const [field, request] of bad) {
    await assert.rejects(
      create(world, actor, request),
      (error) => isServiceError(error, 'invalid_field') && error.details['field'] === field,
    );
  }
  assert.deepEqual(await world.metadata.listTokens(actor.accountId), []);
});

test('a token has the longest name, the most blocks and the last end that it may have', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const most = {
    name: 'x'.repeat(100),
    ipAllowlist: Array.from({ length: TOKEN_BLOCKS_MAX }, () => '10.0.0.1'),
    expiresAt: timeMs(Date.UTC(9999, 11, 31)),
  };
  const { token } = await create(world, actor, most);
  const { name, ipAllowlist, expiresAt } = token;
  assert.deepEqual({ name, ipAllowlist, expiresAt }, most);
  const beyond = { name: 'beyond', expiresAt: timeMs(Date.UTC(9999, 11, 31) + 1) };
  await assert.rejects(create(world, actor, beyond), refusedAs('invalid_field'));
});

test('any token request is granted or refused by an operating error', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const texts = fc.option(fc.array(fc.string()), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), texts, texts, async (name, scopes, blocks) => {
      try {
        await create(world, actor, { name, scopes, ipAllowlist: blocks });
      } catch (error) {
        assert(error instanceof ServiceError);
      }
    }),
  );
});

test('a token that makes tokens gives no more than it has', async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const { secret } = await create(world, owner, { scopes: ['tokens:write', 'files:read'] });
  const actor = await principalBy(world, secret);
  await create(world, actor, { name: 'less', scopes: ['files:read'] });
  await assert.rejects(
    create(world, actor, { name: 'more', scopes: ['files:read', 'files:delete'] }),
    (error) =>
      isServiceError(error, 'missing_scope') && error.details['required'] === 'files:delete',
  );
  const weak = await principalBy(world, (await create(world, owner, { name: 'weak' })).secret);
  await assert.rejects(create(world, weak, { name: 'x' }), refusedAs('missing_scope'));
  const { accountId } = owner;
  await assert.rejects(
    listApiTokens(world, { actor: weak, accountId }),
    refusedAs('missing_scope'),
  );
  await assert.rejects(
    revokeApiToken(world, { actor: weak, accountId, name: 'weak' }),
    refusedAs('missing_scope'),
  );
});

test("nobody manages another's tokens, and none are made for nobody", async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const other = await principalBy(world, (await signIn(world, walletOf('other'))).accessToken);
  const { accountId } = owner;
  await assert.rejects(
    createApiToken(world, { actor: other, accountId, request: PLAIN }),
    refusedAs('access_denied'),
  );
  await assert.rejects(
    listApiTokens(world, { actor: other, accountId }),
    refusedAs('access_denied'),
  );
  await assert.rejects(
    createApiToken(world, { actor: 'admin', accountId: 'nobody' as never, request: PLAIN }),
    refusedAs('account_not_found'),
  );
});

test('tokens of one account are bounded', async () => {
  const world = await openIdentityWorld();
  const actor = await openOwner(world);
  const { token } = await create(world, actor);
  await inTransaction(world.metadata, async (tx) => {
    for (let count = 1; count < TOKENS_MAX; count += 1) {
      const text = `${count}`;
      await tx.insertToken({ ...token, tokenId: text as never, name: text, hash: text });
    }
  });
  await assert.rejects(create(world, actor, { name: 'more' }), refusedAs('quota_exceeded'));
});

test('what a token makes is for no other addresses and lasts no longer', async () => {
  const world = await openIdentityWorld();
  const owner = await openOwner(world);
  const expiresAt = timeMs(world.clock.now() + 60_000);
  const { token: bound } = await create(world, owner, {
    scopes: ['tokens:write'],
    ipAllowlist: ['10.0.0.0/8', '2001:db8::/32'],
    expiresAt,
  });
  const credential = {
    kind: 'token',
    tokenId: bound.tokenId,
    scopes: new Set(bound.scopes),
  } as const;
  const actor = { ...owner, credential };
  const scopes = ['tokens:write'];
  const { token: same } = await create(world, actor, { name: 'same', scopes });
  assert.deepEqual([same.ipAllowlist, same.expiresAt], [bound.ipAllowlist, expiresAt]);
  const narrow = { ipAllowlist: ['10.1.0.0/16', '2001:db8::1'], expiresAt: timeMs(expiresAt - 1) };
  const { token: less } = await create(world, actor, { name: 'less', scopes, ...narrow });
  assert.deepEqual([less.ipAllowlist, less.expiresAt], [narrow.ipAllowlist, narrow.expiresAt]);
  for (const [field, more] of [
    ['expiresAt', { expiresAt: timeMs(expiresAt + 1) }],
    ['ipAllowlist', { ipAllowlist: ['0.0.0.0/0'] }],
    ['ipAllowlist', { ipAllowlist: ['10.0.0.1', '11.0.0.1'] }],
    ['ipAllowlist', { ipAllowlist: ['10.0.0.0/7'] }],
    ['ipAllowlist', { ipAllowlist: ['2001:db9::1'] }],
  ] as const) {
    await assert.rejects(
      create(world, actor, { name: 'more', scopes, ...more }),
      (error) => isServiceError(error, 'invalid_field') && error.details['field'] === field,
    );
  }
  await revokeApiToken(world, { actor: owner, accountId: owner.accountId, name: bound.name });
  await assert.rejects(
    create(world, actor, { name: 'late', scopes }),
    refusedAs('credential_invalid'),
  );
});
