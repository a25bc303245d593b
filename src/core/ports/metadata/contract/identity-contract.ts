/** Accounts, credentials and transactions: one suite for all engines. */

import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { isServiceError } from '../../../errors.ts';
import type { AccountChange, ApiToken, Session } from '../../../identity/account/account.ts';
import { SIGN_UP } from '../../../identity/account/sign-up.ts';
import type {
  AccountId,
  AccountSlug,
  BucketId,
  BucketName,
  SessionId,
  TokenId,
  WalletAddress,
} from '../../../ids.ts';
import { inTransaction } from './in-transaction.ts';
import type { MetadataEngine } from './metadata-engine.ts';
import { insertAccount, NOW, sampleAccount, timeAt } from './samples.ts';

const ALICE = '0198a000-0000-7000-8000-000000000001' as AccountId;
const WALLET = '4Nd1mYcKq3oFq3n3f5v3C5z3Zt1H2h5mKQmRjUbC1WXz' as WalletAddress;

export function identityContract(engine: MetadataEngine): void {
  describe(`${engine.name}: accounts`, () => accounts(engine));
  describe(`${engine.name}: credentials`, () => credentials(engine));
  describe(`${engine.name}: transactions`, () => transactions(engine));
}

function accounts(engine: MetadataEngine): void {
  test('an account comes with a default bucket that bears its slug', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const inserted = await insertAccount(metadata, sampleAccount(1));
    assert.equal(inserted.storedBytes, 0n);
    assert.deepEqual(await metadata.findAccount(inserted.accountId), inserted);
    const bucket = await metadata.findBucket(inserted.slug as string as BucketName);
    assert.deepEqual(bucket, {
      bucketId: inserted.defaultBucketId,
      accountId: inserted.accountId,
      name: inserted.slug as string,
      isDefault: true,
      publicRead: false,
      documents: { cors: undefined, policy: undefined, lifecycle: undefined, tagging: undefined },
      createdAt: inserted.createdAt,
    });
    assert.deepEqual(await metadata.findBucketById(inserted.defaultBucketId), bucket);
    assert.equal(await metadata.findBucket('nobody' as BucketName), undefined);
    assert.equal(await metadata.findBucketById(999 as BucketId), undefined);
  });

  test('an account is found by each of its names, and its values come back', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(
      metadata,
      sampleAccount(1, {
        username: 'Alice_1',
        email: 'Alice@Example.org',
        wallet: WALLET,
        role: 'operator',
        plan: 'pro',
        disabledAt: timeAt(5),
        deterministicUrls: 'all',
        entitlements: { storageBytes: 2n ** 62n + 1n, egressBytes: 0n, buckets: 7 },
        passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
      }),
    );
    await insertAccount(metadata, sampleAccount(2));
    assert.deepEqual(await metadata.findAccount(account.accountId), account);
    assert.deepEqual(await metadata.findAccountBySlug(account.slug), account);
    assert.deepEqual(await metadata.findAccountByUsername('aLICE_1'), account);
    assert.deepEqual(await metadata.findAccountByEmail('alice@example.ORG'), account);
    assert.deepEqual(await metadata.findAccountByWallet(WALLET), account);
    assert.deepEqual(await metadata.findAccountByAppKey(account.appKeyHash), account);
    assert.equal(await metadata.findAccount('no' as AccountId), undefined);
    assert.equal(await metadata.findAccountBySlug('no' as AccountSlug), undefined);
    assert.equal(await metadata.findAccountByUsername('bob'), undefined);
    assert.equal(await metadata.findAccountByAppKey('no'), undefined);
  });

  test('a username or e-mail that stands in any case is taken', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await insertAccount(metadata, sampleAccount(1, { username: 'alice', email: 'a@b.org' }));
    for (const change of [{ username: 'ALICE' }, { email: 'A@b.org' }]) {
      await assert.rejects(insertAccount(metadata, sampleAccount(2, change)), (error) =>
        isServiceError(error, 'username_taken'),
      );
    }
    assert.equal((await metadata.listAccounts({ after: undefined, limit: 10 })).length, 1);
  });

  test('of racing sign-ups with one wallet all end with one account', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const signUp = (number: number) =>
      inTransaction(metadata, async (tx) => {
        const standing = await tx.findAccountByWallet(WALLET);
        return standing ?? (await tx.insertAccount(sampleAccount(number, { wallet: WALLET })));
      });
    const signedUp = await Promise.all([1, 2, 3, 4, 5, 6].map(signUp));
    assert.equal(new Set(signedUp.map(({ accountId }) => accountId)).size, 1);
    assert.equal((await metadata.listAccounts({ after: undefined, limit: 10 })).length, 1);
  });

  test('of racing sign-ups with one username one wins', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4, 5].map((n) => insertAccount(metadata, sampleAccount(n, { username: 'bob' }))),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        assert(isServiceError(outcome.reason, 'username_taken'), String(outcome.reason));
      }
    }
  });

  test('a slug that stands is a conflict, unless the transaction looks for it first', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const first = await insertAccount(metadata, sampleAccount(1));
    await assert.rejects(insertAccount(metadata, sampleAccount(3, { slug: first.slug })), (error) =>
      isServiceError(error, 'unavailable'),
    );
    const drawn = (number: number) =>
      metadata.transact(SIGN_UP, {
        account: sampleAccount(number, { slug: sampleAccount(2).slug }),
        actor: 'admin',
      });
    // One after the other as well as at once: never a conflict that stays.
    const answers = [...(await Promise.all([4, 5, 6].map(drawn))), await drawn(7)];
    assert.equal(answers.filter((answer) => answer === 'slug_taken').length, 3);
    assert.equal((await metadata.listAccounts({ after: undefined, limit: 10 })).length, 2);
  });

  test('a change touches the named fields alone', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1, { passwordHash: 'old' }));
    const update = (change: AccountChange) =>
      inTransaction(metadata, (tx) => tx.updateAccount(account.accountId, change));
    const entitlements = { storageBytes: 5n, egressBytes: undefined, buckets: 3 };
    await update({ role: 'operator', disabledAt: NOW, entitlements });
    const changed = { ...account, role: 'operator', disabledAt: NOW, entitlements } as const;
    assert.deepEqual(await metadata.findAccount(account.accountId), changed);
    await update({ disabledAt: null, passwordHash: 'new', deterministicUrls: 'off' });
    await update({ appKeyHash: 'fresh', appKeyCiphertext: 'sealed' });
    await update({});
    assert.deepEqual(await metadata.findAccountByAppKey('fresh'), {
      ...changed,
      disabledAt: undefined,
      passwordHash: 'new',
      deterministicUrls: 'off',
      appKeyHash: 'fresh',
      appKeyCiphertext: 'sealed',
    });
    assert.equal(await metadata.findAccountByAppKey(account.appKeyHash), undefined);
    await assert.rejects(
      inTransaction(metadata, (tx) => tx.updateAccount('no' as AccountId, {})),
      (error) => isServiceError(error, 'account_not_found'),
    );
  });

  test('accounts are listed in order of their id, page by page', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    for (const number of [3, 1, 5, 2, 4]) await insertAccount(metadata, sampleAccount(number));
    const all = await metadata.listAccounts({ after: undefined, limit: 1000 });
    assert.deepEqual(
      all.map(({ accountId }) => accountId),
      [1, 2, 3, 4, 5].map((number) => sampleAccount(number).accountId),
    );
    const page = await metadata.listAccounts({ after: sampleAccount(2).accountId, limit: 2 });
    assert.deepEqual(page, all.slice(2, 4));
  });
}

function sampleSession(number: number, change: Partial<Session> = {}): Session {
  return {
    sessionId: `session${number}` as SessionId,
    accountId: ALICE,
    counter: 0,
    rotatedAt: NOW,
    createdAt: NOW,
    lastUsedAt: NOW,
    revokedAt: undefined,
    address: '192.0.2.1',
    agent: undefined,
    ...change,
  };
}

function sampleToken(number: number, change: Partial<ApiToken> = {}): ApiToken {
  return {
    tokenId: `0198a000-0000-7000-8000-0000000001${String(number).padStart(2, '0')}` as TokenId,
    accountId: ALICE,
    name: `token ${number}`,
    hash: `hash${number}`,
    prefix: 'pft_abcd',
    scopes: ['files:read', 'files:write'],
    ipAllowlist: ['10.0.0.0/8', '::1'],
    createdAt: timeAt(number),
    expiresAt: undefined,
    lastUsedAt: undefined,
    ...change,
  };
}

function credentials(engine: MetadataEngine): void {
  test('a nonce is spent once, whoever races', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    assert.equal(await metadata.isNonceSpent('nonce1'), false);
    const spent = await Promise.all(
      Array.from({ length: 20 }, () =>
        inTransaction(metadata, (tx) => tx.spendNonce('nonce1', NOW)),
      ),
    );
    assert.equal(spent.filter(Boolean).length, 1);
    assert.equal(await metadata.isNonceSpent('nonce1'), true);
    assert.equal(await metadata.isNonceSpent('nonce2'), false);
  });

  test('a nonce that a failed transaction spent is not spent', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const fault = new Error('on purpose');
    await assert.rejects(
      inTransaction(metadata, async (tx) => {
        await tx.spendNonce('nonce1', NOW);
        assert.equal(await tx.isNonceSpent('nonce1'), true);
        throw fault;
      }),
      fault,
    );
    assert.equal(await metadata.isNonceSpent('nonce1'), false);
  });

  test('spent nonces that expired are removed, at most so many', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await inTransaction(metadata, async (tx) => {
      for (const at of [-3, -2, -1, 0, 1]) await tx.spendNonce(`at ${at}`, timeAt(at));
    });
    const remove = (limit: number) =>
      inTransaction(metadata, (tx) => tx.deleteSpentNonces(NOW, limit));
    assert.deepEqual([await remove(2), await remove(100), await remove(100)], [2, 1, 0]);
    const isSpent = (at: number) => metadata.isNonceSpent(`at ${at}`);
    assert.deepEqual(await Promise.all([-3, -2, -1, 0, 1].map(isSpent)), [
      ...[false, false, false],
      ...[true, true],
    ]);
  });

  test('a session rotates by compare-and-set, whoever races', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const session = sampleSession(1);
    await inTransaction(metadata, (tx) => tx.insertSession(session));
    const rotated = await Promise.all(
      Array.from({ length: 20 }, () =>
        inTransaction(metadata, (tx) => tx.rotateSession(session.sessionId, 0, timeAt(9))),
      ),
    );
    assert.equal(rotated.filter(Boolean).length, 1);
    assert.deepEqual(await metadata.findSession(session.sessionId), {
      ...session,
      counter: 1,
      rotatedAt: timeAt(9),
      lastUsedAt: timeAt(9),
    });
    assert.equal(
      await inTransaction(metadata, (tx) => tx.revokeSession(session.sessionId, NOW)),
      true,
    );
    assert.equal(
      await inTransaction(metadata, (tx) => tx.revokeSession(session.sessionId, NOW)),
      false,
    );
    assert.equal(
      await inTransaction(metadata, (tx) => tx.rotateSession(session.sessionId, 1, NOW)),
      false,
    );
  });

  test('all sessions of an account but one are revoked', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await inTransaction(metadata, async (tx) => {
      await tx.insertSession(sampleSession(1));
      await tx.insertSession(sampleSession(2, { revokedAt: timeAt(-5) }));
      await tx.insertSession(sampleSession(3));
      await tx.insertSession(sampleSession(4, { accountId: 'other' as AccountId }));
    });
    const revokedAt = async (number: number) =>
      (await metadata.findSession(`session${number}` as SessionId))?.revokedAt;
    await inTransaction(metadata, (tx) => tx.revokeSessions(ALICE, NOW, 'session3' as SessionId));
    assert.deepEqual(await Promise.all([1, 2, 3, 4].map(revokedAt)), [
      NOW,
      timeAt(-5),
      undefined,
      undefined,
    ]);
    await inTransaction(metadata, (tx) => tx.revokeSessions(ALICE, timeAt(1), undefined));
    assert.equal(await revokedAt(3), timeAt(1));
    assert.equal(await revokedAt(4), undefined);
  });

  test('live sessions of an account are listed, newest first', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const [first, second] = [
      sampleSession(1, { createdAt: timeAt(1), agent: 'curl/8 \u00fc', address: '2001:db8::1' }),
      sampleSession(2, { createdAt: timeAt(2), address: undefined }),
    ];
    await inTransaction(metadata, async (tx) => {
      await tx.insertSession(first);
      await tx.insertSession(second);
      await tx.insertSession(sampleSession(3, { revokedAt: NOW }));
      await tx.insertSession(sampleSession(4, { accountId: 'other' as AccountId }));
    });
    assert.deepEqual(await metadata.listSessions(ALICE, 10), [second, first]);
    assert.deepEqual(await metadata.listSessions(ALICE, 1), [second]);
    await inTransaction(metadata, (tx) => tx.touchSession(first.sessionId, timeAt(9)));
    assert.deepEqual(await metadata.findSession(first.sessionId), {
      ...first,
      lastUsedAt: timeAt(9),
    });
  });

  test('sessions that ended are removed, at most so many', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await inTransaction(metadata, async (tx) => {
      await tx.insertSession(sampleSession(1, { createdAt: timeAt(-90) }));
      await tx.insertSession(sampleSession(2, { lastUsedAt: timeAt(-30) }));
      await tx.insertSession(sampleSession(3, { revokedAt: timeAt(-10) }));
      await tx.insertSession(sampleSession(4));
    });
    const ended = {
      createdBefore: timeAt(-80),
      lastUsedBefore: timeAt(-20),
      revokedBefore: timeAt(-5),
    };
    assert.equal(
      await inTransaction(metadata, (tx) => tx.deleteSessions({ ...ended, limit: 2 })),
      2,
    );
    assert.equal(
      await inTransaction(metadata, (tx) => tx.deleteSessions({ ...ended, limit: 9 })),
      1,
    );
    assert.deepEqual(await metadata.findSession('session4' as SessionId), sampleSession(4));
  });

  test('tokens are found by hash, listed by age and named once an account', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const second = sampleToken(2, { expiresAt: timeAt(50), scopes: [], ipAllowlist: [] });
    await inTransaction(metadata, async (tx) => {
      await tx.insertToken(second);
      await tx.insertToken(sampleToken(1));
      await tx.insertToken(sampleToken(3, { accountId: 'other' as AccountId, name: 'token 1' }));
    });
    assert.deepEqual(await metadata.findTokenByHash('hash2'), second);
    assert.equal(await metadata.findTokenByHash('hash9'), undefined);
    assert.deepEqual(await metadata.listTokens(ALICE), [sampleToken(1), second]);
    await assert.rejects(
      inTransaction(metadata, (tx) => tx.insertToken(sampleToken(4, { name: 'token 1' }))),
      (error) => isServiceError(error, 'token_name_taken'),
    );
    await inTransaction(metadata, (tx) => tx.touchToken(second.tokenId, timeAt(60)));
    assert.equal((await metadata.findTokenByHash('hash2'))?.lastUsedAt, timeAt(60));
    const remove = () => inTransaction(metadata, (tx) => tx.deleteToken(ALICE, 'token 1'));
    assert.deepEqual([await remove(), await remove()], [sampleToken(1).tokenId, undefined]);
    assert.deepEqual((await metadata.findTokenByHash('hash3'))?.name, 'token 1');
  });
}

function transactions(engine: MetadataEngine): void {
  test('a transaction that throws has changed nothing, and gives its own error', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const fault = new Error('on purpose');
    const entry = {
      at: NOW,
      accountId: ALICE,
      actor: 'admin',
      action: 'account.created',
      subject: undefined,
    } as const;
    await assert.rejects(
      inTransaction(metadata, async (tx) => {
        await tx.insertAccount(sampleAccount(1));
        await tx.insertSession(sampleSession(1));
        await tx.appendAudit(entry);
        assert.notEqual(await tx.findAccount(sampleAccount(1).accountId), undefined);
        throw fault;
      }),
      fault,
    );
    assert.equal(await metadata.findAccount(sampleAccount(1).accountId), undefined);
    assert.equal(await metadata.findSession('session1' as SessionId), undefined);
    assert.deepEqual(await metadata.listAudit({ accountId: undefined, limit: 1 }), []);
    await insertAccount(metadata, sampleAccount(1));
  });

  test('nothing outside sees a transaction before its end', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const seen: boolean[] = [];
    await inTransaction(metadata, async (tx) => {
      await tx.insertSession(sampleSession(1));
      seen.push((await metadata.findSession('session1' as SessionId)) !== undefined);
    });
    seen.push((await metadata.findSession('session1' as SessionId)) !== undefined);
    assert.deepEqual(seen.slice(-2), [false, true]);
  });

  test('transactions are serial in effect', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await inTransaction(metadata, (tx) => tx.insertSession(sampleSession(1)));
    const rotate = () =>
      inTransaction(metadata, async (tx) => {
        const session = await tx.findSession('session1' as SessionId);
        return tx.rotateSession('session1' as SessionId, session?.counter ?? -1, NOW);
      });
    const rotated = await Promise.all(Array.from({ length: 8 }, rotate));
    assert(rotated.every(Boolean));
    assert.equal((await metadata.findSession('session1' as SessionId))?.counter, 8);
  });

  test('an engine that was closed is unavailable', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    await metadata.check();
    await metadata[Symbol.asyncDispose]();
    await assert.rejects(metadata.check(), (error) => isServiceError(error, 'unavailable'));
    await assert.rejects(
      inTransaction(metadata, (tx) => tx.insertSession(sampleSession(1))),
      (error) => isServiceError(error, 'unavailable'),
    );
  });

  const { reopen } = engine;
  if (reopen === undefined) return;

  test('what was acknowledged outlives the engine', async () => {
    await using store = await engine.open();
    const { metadata } = store;
    const account = await insertAccount(metadata, sampleAccount(1));
    const again = await reopen(store);
    assert.deepEqual(await again.findAccount(account.accountId), account);
  });
}
