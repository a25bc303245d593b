/** Proves that one address makes so many accounts and no more, and what counts as making one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIdentityWorld, refusedAs, signIn } from '../../../../tests/world/identity-world.ts';
import { walletOf } from '../../../../tests/world/wallets.ts';
import {
  createMemoryRateLimiter,
  type LimitWindow,
} from '../../../engines/limits/memory-rate-limiter.ts';
import { isServiceError } from '../../errors.ts';
import type { LimitName } from '../../ports/rate-limiter.ts';
import { createUsernameAccount } from '../username/create-username-account.ts';
import { signUpsFrom } from './count-sign-ups.ts';

const SIGN_UPS_MAX = 2;
const HOURLY = [{ points: SIGN_UPS_MAX, seconds: 3600 }];
const NO_LIMITS: Readonly<Record<LimitName, readonly []>> = {
  credential: [],
  anonymous: [],
  s3: [],
  signIn: [],
  signUp: [],
  password: [],
  walletAnswer: [],
};

async function openWorld(windows: readonly LimitWindow[] = HOURLY) {
  const world = await openIdentityWorld();

  const limiter = createMemoryRateLimiter({ ...NO_LIMITS, signUp: windows }, () =>
    world.clock.now(),
  );
  const from = (address: string) => ({
    ...world,
    countSignUp: signUpsFrom({ limiter, clock: world.clock }, address),
  });
  return { from };
}

test('an address makes so many accounts an hour, and another one as many', async () => {
  const { from } = await openWorld();
  const here = from('192.0.2.1');
  for (const username of ['first', 'second']) await createUsernameAccount(here, { username });
  await assert.rejects(createUsernameAccount(here, { username: 'third' }), (error) => {
    assert(isServiceError(error, 'rate_limited'));
    const { retryAfter, limit } = error.details;
    assert(Number.isInteger(retryAfter) && Number(retryAfter) > 0 && Number(retryAfter) <= 3600);
    return limit === SIGN_UPS_MAX;
  });
  await assert.rejects(signIn(here, walletOf('new')), refusedAs('rate_limited'));
  await createUsernameAccount(from('192.0.2.2'), { username: 'third' });
});

test('an account that was not made counts for nothing, nor does one that is known', async () => {
  const { from } = await openWorld();
  const here = from('192.0.2.1');
  await signIn(here, walletOf('known'));
  for (let round = 0; round <= SIGN_UPS_MAX; round += 1) {
    await signIn(here, walletOf('known'));
    const closed = { ...here, signUpPolicy: { kind: 'closed' } } as const;
    await assert.rejects(signIn(closed, walletOf('new')), refusedAs('signup_closed'));
  }
  await createUsernameAccount(here, { username: 'taken' });
  for (let round = 0; round <= SIGN_UPS_MAX; round += 1) {
    const refused = createUsernameAccount(from('192.0.2.2'), { username: 'taken' });
    await assert.rejects(refused, refusedAs('username_taken'));
  }
  await createUsernameAccount(from('192.0.2.2'), { username: 'free' });
  await assert.rejects(
    createUsernameAccount(here, { username: 'more' }),
    refusedAs('rate_limited'),
  );
  await signIn(here, walletOf('known'));
});

test('the machine itself makes as many as it likes, and everybody where nothing is limited', async () => {
  const { from } = await openWorld();
  const { from: fromAnywhere } = await openWorld([]);
  for (let count = 0; count <= SIGN_UPS_MAX; count += 1) {
    for (const address of ['127.0.0.1', '::1']) {
      await signIn(from(address), walletOf(`${address} ${count}`));
    }
    await signIn(fromAnywhere('192.0.2.1'), walletOf(`${count}`));
  }
});
