/** Proves how username accounts are opened, get a password and sign in by it. */
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
import { SLUG_TRIES_MAX } from '../../limits.ts';
import { inTransaction } from '../../ports/metadata/contract/in-transaction.ts';
import type { PasswordHasher } from '../../ports/password-hasher.ts';
import type { Random } from '../../ports/random.ts';
import { disableAccount } from '../account/administer-accounts.ts';
import { rotateAppKey } from '../account/rotate-app-key.ts';
import { tryWithFreshSlugs } from '../account/sign-up.ts';
import { timeMs } from '../names.ts';
import { endSession } from '../sessions/end-session.ts';
import { refreshSession } from '../sessions/refresh-session.ts';
import { issueWalletChallenge } from '../wallets/issue-wallet-challenge.ts';
import { verifyWalletSignIn } from '../wallets/verify-wallet-sign-in.ts';
import { changePassword } from './change-password.ts';
import { createUsernameAccount } from './create-username-account.ts';
import { logIn } from './log-in.ts';
import { setPassword } from './set-password.ts';

const PASSWORD = 'correct horse';

async function openAccount(world: IdentityWorld, username = 'alice') {
  const { account, appKey } = await createUsernameAccount(world, { username });
  return { accountId: account.accountId, appKey, newPassword: PASSWORD };
}

test('a username account begins with an app key that works', async () => {
  const world = await openIdentityWorld();
  const { accountId, appKey } = await openAccount(world);
  assert.match(appKey, /^pfk_[\w-]{49}$/);
  assert.equal((await principalBy(world, appKey)).accountId, accountId);
});

test('usernames have 3 to 32 letters of a-z, 0-9, _ and -, and keep their capitals', async () => {
  const world = await openIdentityWorld();
  for (const username of ['', 'ab', 'a'.repeat(33), 'a b', 'ä-bc', 'a.b', 'a/b', 'abc\n']) {
    await assert.rejects(
      createUsernameAccount(world, { username }),
      refusedAs('username_invalid'),
      username,
    );
  }
  for (const username of ['abc', 'A_b-9', 'x'.repeat(32)]) {
    const { account } = await createUsernameAccount(world, { username });
    assert.equal(account.username, username);
  }
});

test('a username is taken whatever its capitals', async () => {
  const world = await openIdentityWorld();
  await openAccount(world, 'Alice');
  await assert.rejects(
    createUsernameAccount(world, { username: 'aLICE' }),
    refusedAs('username_taken'),
  );
});

test('a closed service and an allow-list open no username accounts', async () => {
  for (const policy of [
    { kind: 'closed' },
    { kind: 'allowlist', wallets: [], emails: ['a@example.org'] },
  ] as const) {
    const world = await openIdentityWorld(policy);
    await assert.rejects(
      createUsernameAccount(world, { username: 'alice' }),
      refusedAs('signup_closed'),
    );
  }
});

test('a password set with the app key signs in, whatever the capitals of the name', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world, 'Alice');
  const first = await setPassword(world, request);
  assert.equal((await principalBy(world, first.accessToken)).accountId, request.accountId);
  const second = await logIn(world, { username: 'aLiCe', password: PASSWORD });
  assert.equal((await principalBy(world, second.accessToken)).accountId, request.accountId);
});

test('composed and decomposed letters of a password are the same', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world);
  await setPassword(world, { ...request, newPassword: 'caf\u00e9 cr\u00e8me' });
  await logIn(world, { username: 'alice', password: 'cafe\u0301 cre\u0300me' });
});

test('passwords are 8 to 128 characters, none that everybody tries first, and no name', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world, 'Alice-of-old');
  for (const newPassword of [
    '',
    'seven77',
    '🔑'.repeat(7),
    'x'.repeat(129),
    `${'x'.repeat(9)}\ud800`,
    'password',
    'Football',
    'alice-OF-old',
  ]) {
    await assert.rejects(setPassword(world, { ...request, newPassword }), (error) => {
      assert(error instanceof Error && /^Password /.test(error.message), String(error));
      return refusedAs('password_invalid')(error);
    });
  }
  for (const [index, newPassword] of ['8 chars!', '🔑'.repeat(8), 'x'.repeat(128)].entries()) {
    const username = `user-${index}`;
    await setPassword(world, { ...(await openAccount(world, username)), newPassword });
    await logIn(world, { username, password: newPassword });
  }
});

test('an app key sets the first password and no other, also of two at once', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world);
  const outcomes = await Promise.allSettled(
    ['first of all', 'second to none'].map((newPassword) =>
      setPassword(world, { ...request, newPassword }),
    ),
  );
  assert.deepEqual(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
  const before = (await world.metadata.findAccount(request.accountId))?.passwordHash;
  // Refused before a core and 19 MiB are taken for a hash.
  const passwords: PasswordHasher = {
    verify: () => assert.fail('nothing is verified'),
    hash: () => assert.fail('nothing is hashed'),
  };
  await assert.rejects(
    setPassword({ ...world, passwords }, request),
    refusedAs('password_already_set'),
  );
  assert.equal((await world.metadata.findAccount(request.accountId))?.passwordHash, before);
});

async function changing(world: IdentityWorld, tokens: { readonly accessToken: string }) {
  const principal = await principalBy(world, tokens.accessToken);
  return (currentPassword: string, newPassword: string) =>
    changePassword(world, { principal, currentPassword, newPassword });
}

test('who knows the password changes it: this session goes on, all others end', async () => {
  const world = await openIdentityWorld();
  const other = await setPassword(world, await openAccount(world));
  const own = await logIn(world, { username: 'alice', password: PASSWORD });
  const change = await changing(world, own);
  const tokens = await change(PASSWORD, 'another horse');
  await principalBy(world, tokens.accessToken);
  await principalBy(world, own.accessToken);
  await refreshSession(world, tokens);
  await assert.rejects(principalBy(world, other.accessToken), refusedAs('unauthenticated'));
  await assert.rejects(refreshSession(world, other), refusedAs('refresh_invalid'));
  await assert.rejects(
    logIn(world, { username: 'alice', password: PASSWORD }),
    refusedAs('sign_in_failed'),
  );
  await logIn(world, { username: 'alice', password: 'another horse' });
});

test('a password is not changed by who does not know it, nor to a bad one', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world);
  const change = await changing(world, await setPassword(world, request));
  for (const wrong of ['', 'wrong password', 'x'.repeat(5000), '\ud800']) {
    await assert.rejects(change(wrong, 'another horse'), refusedAs('access_denied'));
  }
  await assert.rejects(change(PASSWORD, 'short'), refusedAs('password_invalid'));
  await assert.rejects(change(PASSWORD, 'password'), refusedAs('password_invalid'));
  await logIn(world, { username: 'alice', password: PASSWORD });
  const principal = await principalBy(world, request.appKey);
  await assert.rejects(
    changePassword(world, {
      principal,
      currentPassword: PASSWORD,
      newPassword: 'another horse',
    }),
    refusedAs('session_required'),
  );
});

test('an account without a password has none to change', async () => {
  const world = await openIdentityWorld();
  const change = await changing(world, await signIn(world));
  await assert.rejects(change('', 'another horse'), refusedAs('access_denied'));
});

test('a password or session that changed while one was hashed stays as it is', async () => {
  const world = await openIdentityWorld();
  const first = await setPassword(world, await openAccount(world));
  const principal = await principalBy(world, first.accessToken);
  const rival = await changing(world, first);
  const during = (run: () => Promise<unknown>): PasswordHasher => ({
    verify: (password, hash, options) => world.passwords.verify(password, hash, options),
    hash: async (password) => {
      await run();
      return await world.passwords.hash(password);
    },
  });
  const input = { principal, currentPassword: PASSWORD, newPassword: 'too late now' };
  await assert.rejects(
    changePassword({ ...world, passwords: during(() => rival(PASSWORD, 'another horse')) }, input),
    refusedAs('access_denied'),
  );
  await logIn(world, { username: 'alice', password: 'another horse' });
  await assert.rejects(
    changePassword(
      { ...world, passwords: during(() => endSession(world, { principal })) },
      { ...input, currentPassword: 'another horse' },
    ),
    refusedAs('unauthenticated'),
  );
  const other = await logIn(world, { username: 'alice', password: 'another horse' });
  const sweepSessions = () => {
    const later = timeMs(world.clock.now() + 1);
    const ended = { createdBefore: later, lastUsedBefore: later, revokedBefore: later, limit: 9 };
    return inTransaction(world.metadata, (tx) => tx.deleteSessions(ended));
  };
  await assert.rejects(
    changePassword(
      { ...world, passwords: during(sweepSessions) },
      {
        principal: await principalBy(world, other.accessToken),
        currentPassword: 'another horse',
        newPassword: 'too late now',
      },
    ),
    refusedAs('unauthenticated'),
  );
  await logIn(world, { username: 'alice', password: 'another horse' });
});

test('a password is set only with the app key of that very account', async () => {
  const world = await openIdentityWorld();
  const alice = await openAccount(world, 'alice');
  const bob = await openAccount(world, 'bob');
  for (const bad of [
    { ...alice, appKey: bob.appKey },
    { ...alice, accountId: 'nobody' },
    { ...alice, appKey: '' },
    { ...alice, appKey: `${alice.appKey}x` },
    { ...alice, appKey: 'pfk_' },
  ]) {
    await assert.rejects(setPassword(world, bad), refusedAs('credential_invalid'));
  }
});

test('a key rotated while the password is hashed sets nothing', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world);
  const { accountId } = (await principalBy(world, request.appKey)) ?? {};
  const passwords: PasswordHasher = {
    verify: () => assert.fail('not called'),
    hash: async (password) => {
      await rotateAppKey(world, { actor: 'admin', accountId });
      return await world.passwords.hash(password);
    },
  };
  await assert.rejects(
    setPassword({ ...world, passwords }, request),
    refusedAs('credential_invalid'),
  );
  assert.equal((await world.metadata.findAccount(accountId))?.passwordHash, undefined);
});

test('a wrong name, a wrong password and an account without one fail alike', async () => {
  const world = await openIdentityWorld();
  await setPassword(world, await openAccount(world));
  await openAccount(world, 'keyonly');
  const messages = new Set<string>();
  for (const attempt of [
    { username: 'alice', password: 'wrong password' },
    { username: 'alice', password: '' },
    { username: 'alice', password: 'x'.repeat(5000) },
    { username: 'alice', password: '\ud800' },
    { username: 'nobody', password: PASSWORD },
    { username: 'keyonly', password: PASSWORD },
    { username: '', password: '' },
    { username: 'a\0b', password: PASSWORD },
    { username: 'x'.repeat(100_000), password: PASSWORD },
  ]) {
    await assert.rejects(logIn(world, attempt), (error) => {
      assert(refusedAs('sign_in_failed')(error) && error instanceof Error);
      messages.add(error.message);
      return true;
    });
  }
  assert.equal(messages.size, 1);
});

test('every failed sign-in costs exactly one verification', async () => {
  const world = await openIdentityWorld();
  await setPassword(world, await openAccount(world));
  let verified = 0;
  const passwords: PasswordHasher = {
    hash: (password, options) => world.passwords.hash(password, options),
    verify: (password, hash, options) => {
      verified += 1;
      return world.passwords.verify(password, hash, options);
    },
  };
  for (const username of ['alice', 'nobody', '', 'x'.repeat(1000)]) {
    await assert.rejects(
      logIn({ ...world, passwords }, { username, password: 'wrong password' }),
      refusedAs('sign_in_failed'),
    );
  }
  assert.equal(verified, 4);
});

test('a password changed while it was verified no longer signs in', async () => {
  const world = await openIdentityWorld();
  const change = await changing(world, await setPassword(world, await openAccount(world)));
  const passwords: PasswordHasher = {
    hash: (password, options) => world.passwords.hash(password, options),
    verify: async (password, hash, options) => {
      await change(PASSWORD, 'another one');
      return await world.passwords.verify(password, hash, options);
    },
  };
  await assert.rejects(
    logIn({ ...world, passwords }, { username: 'alice', password: PASSWORD }),
    refusedAs('sign_in_failed'),
  );
});

test('that an account is disabled is told only to who knows its password or key', async () => {
  const world = await openIdentityWorld();
  const request = await openAccount(world);
  await setPassword(world, request);
  const { accountId } = await principalBy(world, request.appKey);
  await disableAccount(world, { actor: 'admin', accountId });
  await assert.rejects(
    logIn(world, { username: 'alice', password: 'wrong password' }),
    refusedAs('sign_in_failed'),
  );
  await assert.rejects(
    logIn(world, { username: 'alice', password: PASSWORD }),
    refusedAs('account_disabled'),
  );
  await assert.rejects(setPassword(world, request), refusedAs('account_disabled'));
});

test('a slug that was drawn before is drawn again, with wallets as with usernames', async () => {
  const world = await openIdentityWorld();
  const first = await openAccount(world, 'alice');
  const slug = (await world.metadata.findAccount(first.accountId))?.slug;
  assert(slug !== undefined);
  const unlucky = { ...world, random: drawingSlug(world.random, slug, 3) };
  const second = await openAccount(unlucky, 'bob');
  assert.notEqual((await world.metadata.findAccount(second.accountId))?.slug, slug);
  await signIn({ ...world, random: drawingSlug(world.random, slug, 3) });
  assert.equal((await world.metadata.listAccounts({ after: undefined, limit: 9 })).length, 3);
});

test('a slug is drawn ten times and not once more', async () => {
  for (const [taken, draws] of [
    [SLUG_TRIES_MAX - 1, SLUG_TRIES_MAX],
    [SLUG_TRIES_MAX, SLUG_TRIES_MAX],
  ] as const) {
    let drawn = 0;
    const answer = tryWithFreshSlugs(async () => {
      drawn += 1;
      return drawn <= taken ? 'slug_taken' : { drawn };
    });
    if (taken < SLUG_TRIES_MAX) assert.deepEqual(await answer, { drawn: draws });
    else await assert.rejects(answer, refusedAs('unavailable'));
    assert.equal(drawn, draws);
  }
});

test('of slugs that all stand the last is an answer, and the challenge is not spent', async () => {
  const world = await openIdentityWorld();
  const { accountId } = await openAccount(world, 'alice');
  const slug = (await world.metadata.findAccount(accountId))?.slug;
  assert(slug !== undefined);
  const hopeless = { ...world, random: drawingSlug(world.random, slug, 100) };
  await assert.rejects(openAccount(hopeless, 'bob'), refusedAs('unavailable'));
  const wallet = walletOf('bob');
  const challenge = await issueWalletChallenge(world, { wallet: wallet.address });
  const signature = wallet.sign(challenge.message);
  const answer = { wallet: wallet.address, ...challenge, signature };
  await assert.rejects(verifyWalletSignIn(hopeless, answer), refusedAs('unavailable'));
  assert.equal(await world.metadata.isNonceSpent(challenge.nonce), false);
  await verifyWalletSignIn(world, answer);
});

/** Draws a slug that stands, so many times; nothing else takes twelve bytes but a seal's nonce. */
function drawingSlug(random: Random, slug: string, times: number): Random {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567';
  const bytes = Uint8Array.from(slug, (letter) => letters.indexOf(letter));
  let left = times;
  return {
    bytes: (length) => {
      // Each account takes twelve bytes twice: the nonce of its sealed key, then its slug.
      if (length !== bytes.length || left <= 0) return random.bytes(length);
      left -= 0.5;
      return Number.isInteger(left) ? bytes : random.bytes(length);
    },
  };
}
