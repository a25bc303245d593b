/** Proves that refresh tokens rotate, survive one lost answer and betray their copies. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import {
  keyringOf,
  MASTER_KEY_RANDOM_BYTES,
  newMasterKeyLine,
  parseMasterKeys,
} from '../../../kit/keyring.ts';
import type { AccountId } from '../../ids.ts';
import {
  ACCESS_TOKEN_LIFE_MS,
  LAST_USED_STEP_MS,
  REFRESH_ABSOLUTE_LIFE_MS,
  REFRESH_GRACE_MS,
  REFRESH_IDLE_LIFE_MS,
} from '../../limits.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import { disableAccount, enableAccount } from '../account/administer-accounts.ts';
import { newSessionId } from '../names.ts';
import { endSession } from './end-session.ts';
import { refreshSession } from './refresh-session.ts';
import { mintRefreshToken, readRefreshToken } from './refresh-token.ts';

test('a token set says when it ends and works until then', async () => {
  const world = await openIdentityWorld();
  const { accessToken, expiresAt, expiresInMs } = await signIn(world);
  assert.equal(expiresAt % 1000, 0);
  assert(expiresInMs <= ACCESS_TOKEN_LIFE_MS && expiresInMs > ACCESS_TOKEN_LIFE_MS - 1000);
  world.clock.advance(expiresInMs - 1);
  await principalBy(world, accessToken);
  world.clock.advance(1);
  await assert.rejects(principalBy(world, accessToken), refusedAs('unauthenticated'));
});

test('each refresh gives a new refresh token of the same session', async () => {
  const world = await openIdentityWorld();
  let tokens = await signIn(world);
  const seen = new Set([tokens.refreshToken]);
  const { credential } = await principalBy(world, tokens.accessToken);
  for (let round = 0; round < 5; round += 1) {
    world.clock.advance(60_000);
    tokens = await refreshSession(world, tokens);
    seen.add(tokens.refreshToken);
    assert.deepEqual((await principalBy(world, tokens.accessToken)).credential, credential);
  }
  assert.equal(seen.size, 6);
});

test('a lost answer is given again within the grace, with the same successor', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const lost = await refreshSession(world, first);
  world.clock.advance(REFRESH_GRACE_MS);
  const again = await refreshSession(world, first);
  assert.equal(again.refreshToken, lost.refreshToken);
  await refreshSession(world, again);
});

test('the answer to any later token is given again too, to the last moment of the grace', async () => {
  const world = await openIdentityWorld();
  const second = await refreshSession(world, await signIn(world));
  const third = await refreshSession(world, second);
  world.clock.advance(REFRESH_GRACE_MS);
  assert.equal((await refreshSession(world, second)).refreshToken, third.refreshToken);
});

test('a use by a client that stores no successor is noted at most once a minute', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const { accountId } = await principalBy(world, first.accessToken);
  const noted = async () => (await world.metadata.listSessions(accountId, 1))[0]?.lastUsedAt;
  await refreshSession(world, first);
  const startedAt = world.clock.now();
  assert.equal(await noted(), startedAt);
  for (const [afterMs, at] of [
    [LAST_USED_STEP_MS - 1, 0],
    [1, LAST_USED_STEP_MS],
    [LAST_USED_STEP_MS - 1, LAST_USED_STEP_MS],
  ] as const) {
    world.clock.advance(afterMs);
    await refreshSession(world, first);
    assert.equal(await noted(), startedAt + at);
  }
});

test('clients that refresh at once all get the same successor', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const all = await Promise.all(Array.from({ length: 8 }, () => refreshSession(world, first)));
  assert.equal(new Set(all.map(({ refreshToken }) => refreshToken)).size, 1);
});

test('the previous token after its grace ends the whole session', async () => {
  const world = await openIdentityWorld();
  const second = await refreshSession(world, await signIn(world));
  const third = await refreshSession(world, second);
  world.clock.advance(REFRESH_GRACE_MS + 1);
  await assert.rejects(refreshSession(world, second), refusedAs('refresh_reused'));
  await assert.rejects(refreshSession(world, third), refusedAs('refresh_invalid'));
  await assert.rejects(refreshSession(world, second), refusedAs('refresh_invalid'));
  await assert.rejects(principalBy(world, third.accessToken), refusedAs('unauthenticated'));
});

test('the first token stays good for who never stores another, until one is shown', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const successors = new Set<string>();
  // Each time within 30 days of the last, for longer than one may lie idle.
  for (let day = 0; day < 80; day += 20) {
    world.clock.advance(20 * 24 * 3_600_000);
    successors.add((await refreshSession(world, first)).refreshToken);
  }
  const [successor = ''] = successors;
  assert.equal(successors.size, 1);
  const third = await refreshSession(world, { refreshToken: successor });
  await assert.rejects(refreshSession(world, first), refusedAs('refresh_reused'));
  await assert.rejects(refreshSession(world, third), refusedAs('refresh_invalid'));
});

test('a token two generations old ends the session at once, within any grace', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const second = await refreshSession(world, first);
  const third = await refreshSession(world, second);
  await assert.rejects(refreshSession(world, first), refusedAs('refresh_reused'));
  await assert.rejects(refreshSession(world, third), refusedAs('refresh_invalid'));
  const trail = await world.metadata.listAudit({ accountId: undefined, limit: 1 });
  assert.equal(trail[0]?.action, 'session.family_revoked');
});

test('reuse ends one session and no other of the account', async () => {
  const world = await openIdentityWorld();
  const bystander = await signIn(world);
  const first = await signIn(world);
  await refreshSession(world, await refreshSession(world, first));
  await assert.rejects(refreshSession(world, first), refusedAs('refresh_reused'));
  await refreshSession(world, bystander);
});

test('what carries no good MAC ends nothing, whatever it claims', async () => {
  const world = await openIdentityWorld();
  const first = await signIn(world);
  const second = await refreshSession(world, await refreshSession(world, first));
  const [kid, family, , mac] = first.refreshToken.split('.');
  const strange = keyringOf(
    parseMasterKeys(newMasterKeyLine(world.random.bytes(MASTER_KEY_RANDOM_BYTES))),
  );
  const token = readRefreshToken(world.keyring, first.refreshToken);
  assert(token !== undefined);
  for (const forged of [
    '',
    'pfr_',
    second.accessToken,
    `${kid}.${family}.1.${mac}`,
    `${kid}.${family}.00.${mac}`,
    `${kid}.${family}.-1.${mac}`,
    `${first.refreshToken} `,
    first.refreshToken.slice(0, -1),
    mintRefreshToken(strange, token),
    mintRefreshToken(strange, token).replace(/^pfr_[^.]+/, `${kid}`),
  ]) {
    await assert.rejects(
      refreshSession(world, { refreshToken: forged }),
      refusedAs('refresh_invalid'),
    );
  }
  await refreshSession(world, second);
});

test('a counter from the future and an unknown family are invalid', async () => {
  const world = await openIdentityWorld();
  const { refreshToken } = await signIn(world);
  const token = readRefreshToken(world.keyring, refreshToken);
  assert(token !== undefined);
  const ahead = mintRefreshToken(world.keyring, { ...token, counter: token.counter + 1 });
  const unknown = mintRefreshToken(world.keyring, {
    sessionId: newSessionId(world.random),
    counter: 0,
  });
  for (const text of [ahead, unknown]) {
    await assert.rejects(
      refreshSession(world, { refreshToken: text }),
      refusedAs('refresh_invalid'),
    );
  }
  await refreshSession(world, { refreshToken });
});

test('a session whose account is gone gives no more tokens', async () => {
  const world = await openIdentityWorld();
  const { refreshToken } = await signIn(world);
  const token = readRefreshToken(world.keyring, refreshToken);
  const session = token && (await world.metadata.findSession(token.sessionId));
  assert(session !== undefined);
  const orphan = {
    ...session,
    sessionId: newSessionId(world.random),
    accountId: 'nobody' as AccountId,
  };
  await inTransaction(world.metadata, (tx) => tx.insertSession(orphan));
  const orphaned = mintRefreshToken(world.keyring, orphan);
  await assert.rejects(
    refreshSession(world, { refreshToken: orphaned }),
    refusedAs('refresh_invalid'),
  );
});

test('a session ends when it lies idle for 30 days', async () => {
  const world = await openIdentityWorld();
  const idle = await signIn(world);
  const used = await signIn(world);
  world.clock.advance(REFRESH_IDLE_LIFE_MS - 1);
  const next = await refreshSession(world, used);
  world.clock.advance(1);
  await assert.rejects(refreshSession(world, idle), refusedAs('refresh_invalid'));
  await refreshSession(world, next);
});

test('a session ends after 90 days, however much it is used', async () => {
  const world = await openIdentityWorld();
  let tokens = await signIn(world);
  const stepMs = REFRESH_ABSOLUTE_LIFE_MS / 9;
  for (let step = 1; step < 9; step += 1) {
    world.clock.advance(stepMs);
    tokens = await refreshSession(world, tokens);
  }
  world.clock.advance(stepMs);
  await assert.rejects(refreshSession(world, tokens), refusedAs('refresh_invalid'));
});

test('signing out ends access and refresh at once, twice is no fault', async () => {
  const world = await openIdentityWorld();
  const tokens = await signIn(world);
  const principal = await principalBy(world, tokens.accessToken);
  await endSession(world, { principal });
  await assert.rejects(principalBy(world, tokens.accessToken), refusedAs('unauthenticated'));
  await assert.rejects(refreshSession(world, tokens), refusedAs('refresh_invalid'));
  await endSession(world, { principal });
});

test('a key has no session to end', async () => {
  const world = await openIdentityWorld();
  const principal = await principalBy(world, (await signIn(world)).accessToken);
  await assert.rejects(
    endSession(world, { principal: { ...principal, credential: { kind: 'appKey' } } }),
    refusedAs('session_required'),
  );
});

test('a disabled account cannot refresh, and can again once enabled', async () => {
  const world = await openIdentityWorld();
  const tokens = await signIn(world);
  const { accountId } = await principalBy(world, tokens.accessToken);
  await disableAccount(world, { actor: 'admin', accountId });
  await assert.rejects(refreshSession(world, tokens), refusedAs('account_disabled'));
  await assert.rejects(principalBy(world, tokens.accessToken), refusedAs('account_disabled'));
  await enableAccount(world, { actor: 'admin', accountId });
  await refreshSession(world, tokens);
});

test('after the master key was rotated, old tokens work and new ones are under the new key', async () => {
  const world = await openIdentityWorld();
  const tokens = await signIn(world);
  const newLine = newMasterKeyLine(world.random.bytes(MASTER_KEY_RANDOM_BYTES));
  const rotated = { ...world, keyring: keyringOf(parseMasterKeys(`${world.keyLine}\n${newLine}`)) };
  await principalBy(rotated, tokens.accessToken);
  const next = await refreshSession(rotated, tokens);
  assert(next.refreshToken.startsWith(`pfr_${newLine.split(' ')[0]}.`));
  const onlyNew = { ...world, keyring: keyringOf(parseMasterKeys(newLine)) };
  await assert.rejects(refreshSession(onlyNew, tokens), refusedAs('refresh_invalid'));
  await refreshSession(onlyNew, next);
});

test('refresh tokens round-trip, and any other text is none', async () => {
  const { keyring, random } = await openIdentityWorld();
  fc.assert(
    fc.property(fc.nat({ max: 999_999_999 }), (counter) => {
      const token = { sessionId: newSessionId(random), counter };
      assert.deepEqual(readRefreshToken(keyring, mintRefreshToken(keyring, token)), token);
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      assert.equal(readRefreshToken(keyring, text), undefined);
      assert.equal(readRefreshToken(keyring, `pfr_${text}`), undefined);
    }),
  );
});
