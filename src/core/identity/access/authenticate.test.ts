/** Proves which credentials are accepted where, in what order, and how they fail. */
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
import { signJwt } from '../../../kit/jwt.ts';
import { ServiceError } from '../../errors.ts';
import { LAST_USED_STEP_MS } from '../../limits.ts';
import type { Transactions } from '../../ports/metadata/metadata.ts';
import { disableAccount } from '../account/administer-accounts.ts';
import { rotateAppKey } from '../account/rotate-app-key.ts';
import { whoAmI } from '../account/who-am-i.ts';
import { newSessionId } from '../names.ts';
import { isWellFormedSecretKey, mintSecretKey } from '../secret-key.ts';
import { readAccessToken } from '../sessions/access-token.ts';
import { mintCsrfToken } from '../sessions/csrf.ts';
import { createApiToken, revokeApiToken, type TokenRequest } from '../tokens/api-tokens.ts';
import { authenticate, type SentCredential } from './authenticate.ts';

const ADDRESS = '192.0.2.1';

async function openCredentials(world: IdentityWorld, request: Partial<TokenRequest> = {}) {
  const tokens = await signIn(world);
  const principal = await principalBy(world, tokens.accessToken);
  const { appKey = '' } = await whoAmI(world, { principal });
  const { accountId } = principal;
  const { secret, token } = await createApiToken(world, {
    actor: principal,
    accountId,
    request: {
      name: 'ci',
      scopes: undefined,
      ipAllowlist: undefined,
      expiresAt: undefined,
      ...request,
    },
  });
  return {
    accountId,
    accessToken: tokens.accessToken,
    csrf: tokens.csrfToken,
    appKey,
    secret,
    token,
  };
}

const asks = (world: IdentityWorld, ...credentials: SentCredential[]) =>
  authenticate(world, { credentials, clientAddress: ADDRESS });

test('each scheme takes what the contract lists, and nothing else', async () => {
  const world = await openIdentityWorld();
  const { accessToken, appKey, secret } = await openCredentials(world);
  const texts = { accessToken, appKey, secret };
  const accepted: Record<SentCredential['scheme'], (keyof typeof texts)[]> = {
    ApiKey: ['appKey'],
    Bearer: ['accessToken', 'appKey', 'secret'],
    'X-API-Key': ['appKey', 'secret'],
    'X-User-App-Key': ['appKey'],
    Cookie: ['accessToken'],
  };
  for (const scheme of ['ApiKey', 'Bearer', 'X-API-Key', 'X-User-App-Key', 'Cookie'] as const) {
    for (const kind of ['accessToken', 'appKey', 'secret'] as const) {
      const asked = authenticate(world, {
        credentials: [{ scheme, text: texts[kind] }],
        clientAddress: ADDRESS,
        isSafeMethod: true,
      });
      if (accepted[scheme].includes(kind)) await asked;
      else await assert.rejects(asked, ServiceError, `${scheme} ${kind}`);
    }
  }
});

test('nothing sent is unauthenticated; a bad session and a bad key are told apart', async () => {
  const world = await openIdentityWorld();
  const strayKey = mintSecretKey(world.random, 'appKey');
  await assert.rejects(asks(world), refusedAs('unauthenticated'));
  for (const text of ['', 'x', 'a.b.c', 'undefined']) {
    for (const scheme of ['Bearer', 'Cookie'] as const) {
      await assert.rejects(asks(world, { scheme, text }), refusedAs('unauthenticated'));
    }
    await assert.rejects(asks(world, { scheme: 'ApiKey', text }), refusedAs('credential_invalid'));
    await assert.rejects(
      asks(world, { scheme: 'X-API-Key', text }),
      refusedAs('credential_invalid'),
    );
  }
  for (const text of [strayKey, 'pfk_', 'pft_x', mintSecretKey(world.random, 'token')]) {
    await assert.rejects(asks(world, { scheme: 'Bearer', text }), refusedAs('credential_invalid'));
  }
});

test('every credential sent is tried, and the first failure is told when all fail', async () => {
  const world = await openIdentityWorld();
  const { accessToken, appKey, secret } = await openCredentials(world);
  const byKey = await asks(
    world,
    { scheme: 'Bearer', text: 'a.b.c' },
    { scheme: 'X-API-Key', text: appKey },
  );
  assert.equal(byKey.credential.kind, 'appKey');
  const bySession = await asks(
    world,
    { scheme: 'Bearer', text: accessToken },
    { scheme: 'X-API-Key', text: secret },
  );
  assert.equal(bySession.credential.kind, 'session');
  await assert.rejects(
    asks(world, { scheme: 'Bearer', text: 'a.b.c' }, { scheme: 'X-API-Key', text: 'x' }),
    refusedAs('unauthenticated'),
  );
});

test('a credential that proves nothing does not stand in the way of a good one', async () => {
  const world = await openIdentityWorld();
  const { appKey } = await openCredentials(world);
  const off = await signIn(world, walletOf('off'));
  const { accountId } = await principalBy(world, off.accessToken);
  await disableAccount(world, { actor: 'admin', accountId });
  for (const bad of [
    { scheme: 'Bearer', text: 'a.b.c' },
    { scheme: 'Bearer', text: off.accessToken },
    { scheme: 'X-API-Key', text: mintSecretKey(world.random, 'appKey') },
    { scheme: 'ApiKey', text: 'x' },
  ] as const) {
    const { credential } = await asks(world, bad, { scheme: 'X-API-Key', text: appKey });
    assert.equal(credential.kind, 'appKey');
  }
});

test('what is no fault of a credential is told, however good the next one is', async () => {
  const world = await openIdentityWorld();
  const { accessToken, appKey } = await openCredentials(world);
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findSession: () => Promise.reject(new ServiceError('unavailable', 'out of reach')),
  } satisfies Partial<typeof world.metadata>);
  const credentials = [
    { scheme: 'Bearer', text: accessToken },
    { scheme: 'X-API-Key', text: appKey },
  ] as const;
  await assert.rejects(asks({ ...world, metadata }, ...credentials), refusedAs('unavailable'));
  const forged = { credentials, clientAddress: ADDRESS, csrfToken: 'forged' };
  await assert.rejects(authenticate(world, forged), refusedAs('csrf_invalid'));
});

test('a cookie counts only when no other credential was sent', async () => {
  const world = await openIdentityWorld();
  const { accessToken, csrf } = await openCredentials(world);
  const cookie = { scheme: 'Cookie', text: accessToken } as const;
  await assert.rejects(
    authenticate(world, {
      credentials: [cookie, { scheme: 'X-API-Key', text: 'x' }],
      clientAddress: ADDRESS,
      csrfToken: csrf,
    }),
    refusedAs('credential_invalid'),
  );
});

test('CSRF: a cookie needs it where something may change, a bearer only must not be wrong', async () => {
  const world = await openIdentityWorld();
  const { accessToken, csrf, appKey } = await openCredentials(world);
  const foreign = mintCsrfToken(world.keyring, newSessionId(world.random));
  const ask = (scheme: 'Bearer' | 'Cookie', csrfToken?: string, isSafeMethod = false) =>
    authenticate(world, {
      credentials: [{ scheme, text: accessToken }],
      clientAddress: ADDRESS,
      csrfToken,
      isSafeMethod,
    });
  await ask('Cookie', csrf);
  await ask('Cookie', undefined, true);
  await ask('Bearer', csrf);
  await ask('Bearer');
  for (const wrong of ['', 'x', foreign, `${csrf}x`, csrf.slice(0, -1), `${csrf}.`]) {
    await assert.rejects(ask('Cookie', wrong), refusedAs('csrf_invalid'));
    await assert.rejects(ask('Bearer', wrong), refusedAs('csrf_invalid'));
  }
  await assert.rejects(ask('Cookie'), refusedAs('csrf_invalid'));
  await authenticate(world, {
    credentials: [{ scheme: 'ApiKey', text: appKey }],
    clientAddress: ADDRESS,
    csrfToken: 'ignored',
  });
});

test('a JWT under our key for a session that never was, or of another account, is refused', async () => {
  const world = await openIdentityWorld();
  const { accessToken } = await openCredentials(world);
  const read = await readAccessToken(world, accessToken);
  assert(read !== undefined);
  const other = await principalBy(world, (await signIn(world, walletOf('other'))).accessToken);
  const forge = (subject: string, sessionId: string) =>
    signJwt(
      {
        issuer: world.issuer,
        audience: 'pinfold',
        subject,
        sessionId,
        tokenId: 'x',
        issuedAtMs: world.clock.now(),
        expiresAtMs: world.clock.now() + 60_000,
      },
      world.keyring.newest('access-token'),
    );
  assert.equal(
    (await principalBy(world, await forge(read.accountId, read.sessionId))).accountId,
    read.accountId,
  );
  for (const token of [
    await forge(read.accountId, newSessionId(world.random)),
    await forge(other.accountId, read.sessionId),
    await forge('nobody', read.sessionId),
    await forge(read.accountId, ''),
  ]) {
    await assert.rejects(principalBy(world, token), refusedAs('unauthenticated'));
  }
  // Engines are only asked for what can be an id.
  for (const token of [await forge('nobody', read.sessionId), await forge(read.accountId, '')]) {
    assert.equal(await readAccessToken(world, token), undefined);
  }
});

test('a rotated app key is dead at once, and the new one works', async () => {
  const world = await openIdentityWorld();
  const { accountId, appKey } = await openCredentials(world);
  const actor = await principalBy(world, appKey);
  const rotated = await rotateAppKey(world, { actor, accountId });
  await assert.rejects(principalBy(world, appKey), refusedAs('credential_invalid'));
  const principal = await principalBy(world, rotated.appKey);
  assert.equal((await whoAmI(world, { principal })).appKey, rotated.appKey);
});

test('a token lives until it expires or is revoked', async () => {
  const world = await openIdentityWorld();
  const expiresAt = (world.clock.now() + 1000) as never;
  const { accountId, secret } = await openCredentials(world, { expiresAt });
  const { credential } = await principalBy(world, secret, 'X-API-Key');
  assert(credential.kind === 'token');
  assert.deepEqual([...credential.scopes], ['files:read', 'files:write']);
  world.clock.advance(999);
  await principalBy(world, secret, 'X-API-Key');
  world.clock.advance(1);
  await assert.rejects(principalBy(world, secret, 'X-API-Key'), refusedAs('credential_invalid'));
  const other = await createApiToken(world, {
    actor: 'admin',
    accountId,
    request: { name: 'x', scopes: undefined, ipAllowlist: undefined, expiresAt: undefined },
  });
  await principalBy(world, other.secret);
  await revokeApiToken(world, { actor: 'admin', accountId, name: 'x' });
  await assert.rejects(principalBy(world, other.secret), refusedAs('credential_invalid'));
});

test('a token with addresses works from those only', async () => {
  const world = await openIdentityWorld();
  const ipAllowlist = ['10.0.0.0/8', '2001:db8::1'];
  const { secret, accessToken } = await openCredentials(world, { ipAllowlist });
  const from = (clientAddress: string | undefined, ...more: SentCredential[]) =>
    authenticate(world, {
      credentials: [{ scheme: 'X-API-Key', text: secret }, ...more],
      clientAddress,
    });
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '2001:db8::1']) await from(address);
  for (const address of ['11.1.2.3', '2001:db8::2', '', 'unknown', undefined]) {
    await assert.rejects(from(address), refusedAs('access_denied'));
  }
  await from('11.1.2.3', { scheme: 'Bearer', text: accessToken });
  // Said although the first that was wrong is another.
  const bad = { scheme: 'Bearer', text: 'a.b.c' } as const;
  await assert.rejects(
    asks(world, bad, { scheme: 'X-API-Key', text: secret }),
    refusedAs('access_denied'),
  );
});

test('the last use of a token is written at most once a minute', async () => {
  const world = await openIdentityWorld();
  const { accountId, secret } = await openCredentials(world);
  const lastUsed = async () => (await world.metadata.listTokens(accountId))[0]?.lastUsedAt;
  assert.equal(await lastUsed(), undefined);
  const first = world.clock.now();
  await principalBy(world, secret);
  assert.equal(await lastUsed(), first);
  world.clock.advance(LAST_USED_STEP_MS - 1);
  await principalBy(world, secret);
  assert.equal(await lastUsed(), first);
  world.clock.advance(1);
  await principalBy(world, secret);
  assert.equal(await lastUsed(), first + LAST_USED_STEP_MS);
});

test('a token still reads when its use cannot be noted, but faults of ours are not hidden', async () => {
  const world = await openIdentityWorld();
  const { secret } = await openCredentials(world);
  const failing = (error: Error): IdentityWorld => {
    const transact: Transactions['transact'] = async () => {
      throw error;
    };
    return { ...world, metadata: Object.assign(Object.create(world.metadata), { transact }) };
  };
  await principalBy(failing(new ServiceError('storage_full', 'full')), secret);
  await principalBy(failing(new ServiceError('read_only', 'read-only')), secret);
  await assert.rejects(principalBy(failing(new TypeError('fault')), secret), TypeError);
});

test('every credential of a disabled account says so', async () => {
  const world = await openIdentityWorld();
  const { accountId, accessToken, appKey, secret } = await openCredentials(world);
  await disableAccount(world, { actor: 'admin', accountId });
  for (const text of [accessToken, appKey, secret]) {
    await assert.rejects(principalBy(world, text), refusedAs('account_disabled'));
    await assert.rejects(
      asks(world, { scheme: 'Bearer', text: 'a.b.c' }, { scheme: 'Bearer', text }),
      refusedAs('account_disabled'),
    );
  }
});

test('a mistyped key fails its checksum, any key minted passes it', async () => {
  const { random } = await openIdentityWorld();
  for (const kind of ['appKey', 'token'] as const) {
    const key = mintSecretKey(random, kind);
    assert(isWellFormedSecretKey(key));
    for (let at = 0; at < key.length; at += 1) {
      const letter = key[at] === 'A' ? 'B' : 'A';
      assert(!isWellFormedSecretKey(key.slice(0, at) + letter + key.slice(at + 1)));
    }
    // The checksum is good, and yet it is no key.
    const short = mintSecretKey({ bytes: () => random.bytes(31) }, kind);
    assert(!isWellFormedSecretKey(short));
  }
});

test('a mistyped key is refused without a look-up', async () => {
  const world = await openIdentityWorld();
  const { appKey, secret } = await openCredentials(world);
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findAccountByAppKey: () => assert.fail('the app key is looked up'),
    findTokenByHash: () => assert.fail('the token is looked up'),
  } satisfies Partial<typeof world.metadata>);
  for (const text of [`${appKey}x`, appKey.slice(0, -1), `${secret}x`, secret.slice(0, -1)]) {
    const asked = principalBy({ ...world, metadata }, text);
    await assert.rejects(asked, refusedAs('credential_invalid'));
  }
});

test('a session or token whose account is gone proves nothing', async () => {
  const world = await openIdentityWorld();
  const { accessToken, secret } = await openCredentials(world);
  const metadata: typeof world.metadata = Object.assign(Object.create(world.metadata), {
    findAccount: async () => undefined,
  } satisfies Partial<typeof world.metadata>);
  const by = (text: string) => principalBy({ ...world, metadata }, text);
  await assert.rejects(by(accessToken), refusedAs('unauthenticated'));
  await assert.rejects(by(secret), refusedAs('credential_invalid'));
});

test('any text in any scheme is refused as a credential and never fails otherwise', async () => {
  const world = await openIdentityWorld();
  const scheme = fc.constantFrom<SentCredential['scheme']>(
    'ApiKey',
    'Bearer',
    'X-API-Key',
    'Cookie',
  );
  const prefix = fc.constantFrom('', 'pfk_', 'pft_', 'a.b.');
  await fc.assert(
    fc.asyncProperty(scheme, prefix, fc.string({ unit: 'binary' }), async (where, head, tail) => {
      await assert.rejects(
        asks(world, { scheme: where, text: head + tail }),
        (error) =>
          error instanceof ServiceError &&
          ['unauthenticated', 'credential_invalid'].includes(error.code),
      );
    }),
  );
});
