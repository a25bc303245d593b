/** Proves what operators do with accounts, that nobody else does, and what sweeping leaves. */

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
import { isServiceError, ServiceError } from '../../errors.ts';
import type { AccountId } from '../../ids.ts';
import {
  NONCE_KEPT_MS,
  NONCE_LIFE_MS,
  REFRESH_IDLE_LIFE_MS,
  SESSION_KEPT_MS,
  SWEEP_BATCH_ROWS,
  SWEEP_BATCHES_MAX,
} from '../../limits.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import { insertAccount, sampleAccount } from '../../ports/metadata/contract/samples.ts';
import { timeMs } from '../names.ts';
import { endSession } from '../sessions/end-session.ts';
import { refreshSession } from '../sessions/refresh-session.ts';
import { sweepIdentity } from '../sweep-identity.ts';
import type { Actor } from './actor.ts';
import {
  createAccount,
  disableAccount,
  enableAccount,
  endAllSessions,
  listAccounts,
  listAudit,
  setAccountLimits,
  setAccountRole,
  showAccount,
} from './administer-accounts.ts';

const nobody = 'nobody' as AccountId;

async function openAccount(world: IdentityWorld, name = 'first') {
  return await principalBy(world, (await signIn(world, walletOf(name))).accessToken);
}

test('an operator finds an account by id, slug, username and wallet', async () => {
  const world = await openIdentityWorld({ kind: 'closed' });
  const { account } = await createAccount(world, { actor: 'admin', username: 'Alice-1' });
  const open = { ...world, signUpPolicy: { kind: 'open' } } as const;
  const { accountId } = await openAccount(open);
  const show = async (text: string) =>
    (await showAccount(world, { actor: 'admin', account: text })).accountId;
  assert.equal(await show(account.accountId), account.accountId);
  assert.equal(await show(account.slug), account.accountId);
  assert.equal(await show('alice-1'), account.accountId);
  assert.equal(await show(walletOf('first').address), accountId);
  for (const text of [
    '',
    'bob',
    'a@b.c',
    walletOf('other').address,
    'abcdefghijkl',
    '1'.repeat(32),
  ]) {
    await assert.rejects(show(text), refusedAs('account_not_found'), text);
  }
  const [entry] = await listAudit(world, {
    actor: 'admin',
    accountId: account.accountId,
    limit: 1,
  });
  assert.equal(entry?.actor, 'admin');
});

test('an account is found by its e-mail address, and a fault in looking is not hidden', async () => {
  const world = await openIdentityWorld();
  const email = 'Ann@example.org';
  const { accountId } = await insertAccount(world.metadata, sampleAccount(1, { email }));
  const found = await showAccount(world, { actor: 'admin', account: 'ann@EXAMPLE.org' });
  assert.equal(found.accountId, accountId);
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findAccountByWallet: () => Promise.reject(new ServiceError('unavailable', 'out of reach')),
  } satisfies Partial<typeof world.metadata>);
  await assert.rejects(
    showAccount({ metadata }, { actor: 'admin', account: walletOf('first').address }),
    refusedAs('unavailable'),
  );
});

test('a name that not every engine takes is no account, and is looked up nowhere', async () => {
  const world = await openIdentityWorld();
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findAccountByEmail: () => assert.fail('a text with NUL is looked up'),
  } satisfies Partial<typeof world.metadata>);
  for (const account of ['\0', 'a@\0', '\0@example.org']) {
    const shown = showAccount({ metadata }, { actor: 'admin', account });
    await assert.rejects(shown, refusedAs('account_not_found'));
  }
});

test('accounts are listed in pages', async () => {
  const world = await openIdentityWorld();
  for (const name of ['a', 'b', 'c']) await openAccount(world, name);
  const page = (after: AccountId | undefined) =>
    listAccounts(world, { actor: 'admin', after, limit: 2 });
  const first = await page(undefined);
  const second = await page(first.at(-1)?.accountId);
  assert.deepEqual([first.length, second.length], [2, 1]);
});

test('limits change one by one and go back to the default', async () => {
  const world = await openIdentityWorld();
  const { accountId } = await openAccount(world);
  const set = (limits: Parameters<typeof setAccountLimits>[1]['limits']) =>
    setAccountLimits(world, { actor: 'admin', accountId, limits });
  const limits = async () => (await world.metadata.findAccount(accountId))?.entitlements;
  await set({ storageBytes: 5n, buckets: 3 });
  await set({ egressBytes: 0n });
  assert.deepEqual(await limits(), { storageBytes: 5n, egressBytes: 0n, buckets: 3 });
  await set({ storageBytes: null });
  await set({});
  assert.deepEqual(await limits(), { storageBytes: undefined, egressBytes: 0n, buckets: 3 });
  const trail = await listAudit(world, { actor: 'admin', accountId, limit: 3 });
  assert.deepEqual(
    trail.map(({ subject }) => subject),
    ['storageBytes=default', 'egressBytes=0', 'storageBytes=5 buckets=3'],
  );
  for (const bad of [{ storageBytes: -1n }, { buckets: -1 }, { buckets: 1.5 }]) {
    await assert.rejects(
      set(bad),
      (error) =>
        isServiceError(error, 'invalid_field') && error.details['field'] === Object.keys(bad)[0],
    );
  }
});

test('disabling and roles are noted once however often they are asked for', async () => {
  const world = await openIdentityWorld();
  const { accountId } = await openAccount(world);
  const input = { actor: 'admin', accountId } as const;
  for (let round = 0; round < 2; round += 1) {
    await disableAccount(world, input);
    await disableAccount(world, input);
    await enableAccount(world, input);
    await enableAccount(world, input);
  }
  await setAccountRole(world, { ...input, role: 'operator' });
  await setAccountRole(world, { ...input, role: 'operator' });
  const trail = await listAudit(world, { ...input, limit: 100 });
  const count = (action: string) => trail.filter((entry) => entry.action === action).length;
  assert.equal(count('account.disabled'), 2);
  assert.equal(count('account.enabled'), 2);
  assert.equal(count('account.role_changed'), 1);
});

test('all sessions of an account end, its keys stay', async () => {
  const world = await openIdentityWorld();
  const tokens = [await signIn(world), await signIn(world)];
  const { accountId } = await principalBy(world, tokens[0]?.accessToken ?? '');
  await endAllSessions(world, { actor: 'admin', accountId });
  for (const { accessToken, refreshToken } of tokens) {
    await assert.rejects(principalBy(world, accessToken), refusedAs('unauthenticated'));
    await assert.rejects(refreshSession(world, { refreshToken }), refusedAs('refresh_invalid'));
  }
});

test('an operator by role administers others, a user nobody, not even themselves', async () => {
  const world = await openIdentityWorld();
  const user = await openAccount(world, 'user');
  const { accountId } = user;
  const operator = { ...(await openAccount(world, 'operator')), role: 'operator' } as const;
  await disableAccount(world, { actor: operator, accountId });
  await enableAccount(world, { actor: operator, accountId });
  const [entry] = await listAudit(world, { actor: operator, accountId, limit: 1 });
  assert.equal(entry?.actor, operator.accountId);
  const actor: Actor = user;
  for (const attempt of [
    () => disableAccount(world, { actor, accountId }),
    () => enableAccount(world, { actor, accountId }),
    () => setAccountRole(world, { actor, accountId, role: 'operator' }),
    () => setAccountLimits(world, { actor, accountId, limits: {} }),
    () => endAllSessions(world, { actor, accountId }),
    () => listAccounts(world, { actor, after: undefined, limit: 1 }),
    () => showAccount(world, { actor, account: accountId }),
    () => listAudit(world, { actor, accountId, limit: 1 }),
    () => createAccount(world, { actor, username: 'mine' }),
  ]) {
    await assert.rejects(attempt(), refusedAs('access_denied'));
  }
});

test('what is done to no account is refused', async () => {
  const world = await openIdentityWorld();
  const input = { actor: 'admin', accountId: nobody } as const;
  for (const attempt of [
    () => disableAccount(world, input),
    () => enableAccount(world, input),
    () => setAccountRole(world, { ...input, role: 'user' }),
    () => setAccountLimits(world, { ...input, limits: { buckets: 1 } }),
    () => endAllSessions(world, input),
  ]) {
    await assert.rejects(attempt(), refusedAs('account_not_found'));
  }
});

test('sweeping removes what ended long ago and leaves the rest', async () => {
  const world = await openIdentityWorld();
  const idle = await signIn(world);
  const left = await signIn(world);
  world.clock.advance(REFRESH_IDLE_LIFE_MS - SESSION_KEPT_MS - 1000);
  const live = await refreshSession(world, left);
  const out = await signIn(world);
  await endSession(world, { principal: await principalBy(world, out.accessToken) });
  world.clock.advance(NONCE_LIFE_MS + NONCE_KEPT_MS);
  assert.deepEqual(await sweepIdentity(world), { nonces: 2, sessions: 0, s3Keys: 0 });
  world.clock.advance(1);
  assert.deepEqual(await sweepIdentity(world), { nonces: 1, sessions: 0, s3Keys: 0 });
  world.clock.advance(SESSION_KEPT_MS + 1000);
  assert.deepEqual(await sweepIdentity(world), { nonces: 0, sessions: 2, s3Keys: 0 });
  await assert.rejects(refreshSession(world, idle), refusedAs('refresh_invalid'));
  await assert.rejects(refreshSession(world, out), refusedAs('refresh_invalid'));
  await refreshSession(world, live);
});

test('one sweep removes so much and no more; what is left waits for the next', async () => {
  const world = await openIdentityWorld();
  const rows = SWEEP_BATCHES_MAX * SWEEP_BATCH_ROWS + 1;
  await inTransaction(world.metadata, async (tx) => {
    for (let count = 0; count < rows; count += 1) await tx.spendNonce(`${count}`, timeMs(0));
  });
  assert.equal((await sweepIdentity(world)).nonces, rows - 1);
  assert.equal((await sweepIdentity(world)).nonces, 1);
});

test('sweeping takes several small transactions and stops when it is told to', async () => {
  const world = await openIdentityWorld();
  await inTransaction(world.metadata, async (tx) => {
    for (let count = 0; count < 2 * SWEEP_BATCH_ROWS + 1; count += 1) {
      await tx.spendNonce(`${count}`, 0 as never);
    }
  });
  const none = await sweepIdentity(world, { signal: AbortSignal.abort() });
  assert.deepEqual(none, { nonces: 0, sessions: 0, s3Keys: 0 });
  assert.equal((await sweepIdentity(world)).nonces, 2 * SWEEP_BATCH_ROWS + 1);
});
