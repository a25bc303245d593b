/** Proves that an owner sees and ends the own sessions, and nobody else's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  openIdentityWorld,
  principalBy,
  refusedAs,
  signIn,
} from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import { REFRESH_ABSOLUTE_LIFE_MS, REFRESH_IDLE_LIFE_MS } from '../../limits.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import { listOwnSessions, revokeOwnSession } from './own-sessions.ts';
import { refreshSession } from './refresh-session.ts';

test('live sessions are listed with their ends, and the one that asks is named', async () => {
  const world = await openIdentityWorld();
  const idle = await signIn(world);
  world.clock.advance(REFRESH_IDLE_LIFE_MS - 1000);
  const current = await signIn(world);
  await signIn(world, walletOf('other'));
  const principal = await principalBy(world, current.accessToken);
  const both = await listOwnSessions(world, principal);
  assert.deepEqual(
    both.map(({ isCurrent, expiresAt }) => [isCurrent, expiresAt - world.clock.now()]),
    [
      [true, REFRESH_IDLE_LIFE_MS],
      [false, 1000],
    ],
  );
  await refreshSession(world, idle);
  world.clock.advance(1000);
  assert.equal((await listOwnSessions(world, principal)).length, 2);
  world.clock.advance(REFRESH_IDLE_LIFE_MS - 1000);
  assert.deepEqual(await listOwnSessions(world, principal), []);
});

test('no session is said to last longer than its family', async () => {
  const world = await openIdentityWorld();
  const { createdAt } = { createdAt: world.clock.now() };
  let tokens = await signIn(world);
  for (let month = 0; month < 3; month += 1) {
    world.clock.advance(REFRESH_IDLE_LIFE_MS - 1);
    tokens = await refreshSession(world, tokens);
  }
  const [own] = await listOwnSessions(world, await principalBy(world, tokens.accessToken));
  assert.equal(own?.expiresAt, createdAt + REFRESH_ABSOLUTE_LIFE_MS);
});

test('an owner ends another session, and never one of another account', async () => {
  const world = await openIdentityWorld();
  const other = await signIn(world);
  const own = await signIn(world);
  const foreign = await signIn(world, walletOf('other'));
  const principal = await principalBy(world, own.accessToken);
  const idOf = async (tokens: typeof own) => {
    const { credential } = await principalBy(world, tokens.accessToken);
    return credential.kind === 'session' ? credential.sessionId : assert.fail();
  };
  const otherId = await idOf(other);
  for (const sessionId of [await idOf(foreign), 'x', '', 'A'.repeat(22)]) {
    await assert.rejects(
      revokeOwnSession(world, { principal, sessionId }),
      refusedAs('session_not_found'),
    );
  }
  const idle: Transactions = { transact: () => assert.fail('what can be no id is looked up') };
  await assert.rejects(
    revokeOwnSession({ ...world, metadata: idle }, { principal, sessionId: '\0' }),
    refusedAs('session_not_found'),
  );
  await assert.rejects(
    revokeOwnSession(world, { principal, sessionId: await idOf(own) }),
    refusedAs('session_current'),
  );
  await revokeOwnSession(world, { principal, sessionId: otherId });
  await assert.rejects(principalBy(world, other.accessToken), refusedAs('unauthenticated'));
  await assert.rejects(refreshSession(world, other), refusedAs('refresh_invalid'));
  await assert.rejects(
    revokeOwnSession(world, { principal, sessionId: otherId }),
    refusedAs('session_not_found'),
  );
  await principalBy(world, foreign.accessToken);
});

test('keys and tokens neither see sessions nor end them', async () => {
  const world = await openIdentityWorld();
  const session = await principalBy(world, (await signIn(world)).accessToken);
  const principal = { ...session, credential: { kind: 'appKey' } } as const;
  await assert.rejects(listOwnSessions(world, principal), refusedAs('session_required'));
  await assert.rejects(
    revokeOwnSession(world, { principal, sessionId: 'A'.repeat(22) }),
    refusedAs('session_required'),
  );
});
