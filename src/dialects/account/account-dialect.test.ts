/** Proves the wire of the account dialect over HTTP: names, statuses, codes, refusals. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { openIdentityWorld } from '../../../tests/world/identity-world.ts';
import { walletOf } from '../../../tests/world/wallets.ts';
import { authenticate } from '../../core/identity/access/authenticate.ts';
import type { SignUpPolicy } from '../../core/identity/account/sign-up.ts';
import { createApiToken } from '../../core/identity/tokens/api-tokens.ts';
import {
  createMemoryRateLimiter,
  type LimitWindows,
} from '../../engines/limits/memory-rate-limiter.ts';
import { SILENT_LOG } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { createApiServer } from '../../server/listener/api-server.ts';
import { openShell, type ShellOptions } from '../../server/listener/shell.ts';
import { registerAccountDialect } from './routes.ts';

type Json = Record<string, unknown>;
type Answer = { readonly status: number; readonly headers: Headers; readonly body: Json };

const NO_BOUNDS: ShellOptions = {
  trustedProxies: [],
  maxConnections: undefined,
  connectionsPerAddress: undefined,
  bodyMemoryBytes: 1e9,
};
const NO_LIMITS: LimitWindows = {
  credential: [],
  anonymous: [],
  s3: [],
  signIn: [],
  signUp: [],
  password: [],
  walletAnswer: [],
};
const wallet = walletOf('first');

async function openApi(
  options: { readonly policy?: SignUpPolicy; readonly windows?: Partial<LimitWindows> } = {},
) {
  const world = await openIdentityWorld(options.policy);
  const limiter = createMemoryRateLimiter({ ...NO_LIMITS, ...options.windows }, () =>
    world.clock.now(),
  );
  const publicUrl = () => world.issuer;
  const deps = { ...world, limiter, publicUrl, chainId: 'localnet' };
  const shell = openShell({ ...world, log: SILENT_LOG }, NO_BOUNDS);
  const server = createApiServer(
    {
      ...deps,
      ...shell,
      log: SILENT_LOG,
      metrics: createMetrics(),
      authenticate: (sent) => authenticate(world, sent),
    },
    {
      tls: undefined,
      s3Url: () => 'http://s3.test',
    },
  );
  registerAccountDialect(server, deps);
  await server.listen({ host: '127.0.0.1', port: 0 });
  after(() => server.close());
  const { port } = server.server.address() as AddressInfo;
  const call = async (
    route: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const [method = '', path = ''] = route.split(' ');
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Json,
    };
  };
  return { world, call };
}

type Service = Awaited<ReturnType<typeof openApi>>;

function refused(answer: Answer, status: number, code: string, fields: Json = {}): void {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  const { error, message, code: said, requestId } = answer.body;
  assert.equal(said, code);
  assert(typeof error === 'string' && typeof message === 'string' && typeof requestId === 'string');
  for (const [name, value] of Object.entries(fields)) assert.equal(answer.body[name], value);
}

async function challenge({ call }: Service) {
  const { body } = await call('POST /auth/siws/challenge', { wallet_public_key: wallet.address });
  const { nonce, message } = body as { nonce: string; message: string };
  return {
    wallet_public_key: wallet.address,
    nonce,
    message,
    signature_b64: wallet.sign(message),
  };
}

async function signIn(service: Service) {
  const { body } = await service.call('POST /auth/siws/verify', await challenge(service));
  return body as { access_token: string; refresh_token: string; csrf_token: string };
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

test('a wallet signs in, sees itself, refreshes and signs out', async () => {
  const service = await openApi();
  const { call } = service;
  const verified = await call('POST /auth/siws/verify', await challenge(service));
  assert.equal(verified.status, 200);
  assert.equal(verified.headers.get('cache-control'), 'no-store');
  const { access_token: access, refresh_token: refresh, ...rest } = verified.body;
  assert(typeof access === 'string' && typeof refresh === 'string');
  assert.deepEqual(Object.keys(rest).sort(), [
    'csrf_token',
    'expires_at',
    'expires_in',
    'token_type',
  ]);
  assert.equal(rest['token_type'], 'Bearer');
  assert.equal(rest['expires_at'], '2026-01-02T03:19:05.000Z');
  assert.equal(rest['expires_in'], 899);

  const { body: self } = await call('GET /user/me', undefined, bearer(access));
  assert.match(String(self['user_app_key']), /^pfk_/);
  assert.deepEqual(
    { ...self, user_id: '', user_app_key: '', account: '', bucket: '' },
    {
      user_id: '',
      account: '',
      username: null,
      email: null,
      wallet_public_key: wallet.address,
      user_app_key: '',
      bucket: '',
      plan: 'free',
      account_state: 'active',
      deterministic_urls: 'files',
      created_at: '2026-01-02T03:04:05.678Z',
    },
  );
  assert.equal(self['account'], self['bucket']);

  const next = await call('POST /auth/refresh', { refresh_token: refresh });
  assert.equal(next.status, 200);
  assert.notEqual(next.body['refresh_token'], refresh);

  const out = await call('POST /auth/logout', undefined, bearer(access));
  assert.equal(out.status, 200);
  assert.equal(typeof out.body['message'], 'string');
  refused(await call('GET /user/me', undefined, bearer(access)), 401, 'UNAUTHORIZED');
  refused(
    await call('POST /auth/refresh', { refresh_token: next.body['refresh_token'] }),
    401,
    'refresh_invalid',
  );
});

test('every way to answer a challenge wrongly is a 401 with its code', async () => {
  const service = await openApi();
  const { call, world } = service;
  const verify = (body: unknown) => call('POST /auth/siws/verify', body);
  const answer = await challenge(service);
  refused(await verify({ ...answer, message: `${answer.message} ` }), 401, 'signature_invalid');
  refused(await verify({ ...answer, signature_b64: '%%%' }), 401, 'signature_invalid');
  refused(
    await verify({ ...answer, wallet_public_key: walletOf('other').address }),
    401,
    'nonce_expired',
  );
  refused(await verify({ ...answer, nonce: 'unknown' }), 401, 'nonce_expired');
  assert.equal((await verify(answer)).status, 200);
  refused(await verify(answer), 401, 'nonce_used');
  const late = await challenge(service);
  world.clock.advance(5 * 60_000);
  refused(await verify(late), 401, 'nonce_expired');
});

test('a malformed body is a 400 that names its field', async () => {
  const { call } = await openApi();
  const lowOrder = '11111111111111111111111111111111';
  for (const [body, field] of [
    [{ wallet_public_key: lowOrder }, 'wallet_public_key'],
    [{ wallet_public_key: 'O0Il' }, 'wallet_public_key'],
    [{ wallet_public_key: 7 }, 'wallet_public_key'],
    [{}, 'wallet_public_key'],
  ] as const) {
    refused(await call('POST /auth/siws/challenge', body), 400, 'invalid_field', { field });
  }
  refused(await call('POST /users', { username: 'a b' }), 400, 'invalid_field', {
    field: 'username',
  });
  refused(await call('POST /auth/login', { username: 'a' }), 400, 'invalid_field', {
    field: 'password',
  });
});

test('a replayed refresh token ends the session with refresh_reused', async () => {
  const service = await openApi();
  const { call, world } = service;
  const { refresh_token: first } = await signIn(service);
  const second = await call('POST /auth/refresh', { refresh_token: first });
  const again = await call('POST /auth/refresh', { refresh_token: first });
  assert.equal(again.body['refresh_token'], second.body['refresh_token']);
  world.clock.advance(20_001);
  // Who never stores the second goes on with the first, until the second is shown.
  const later = await call('POST /auth/refresh', { refresh_token: first });
  assert.equal(later.body['refresh_token'], second.body['refresh_token']);
  const third = await call('POST /auth/refresh', {
    refresh_token: second.body['refresh_token'],
  });
  refused(await call('POST /auth/refresh', { refresh_token: first }), 401, 'refresh_reused');
  refused(
    await call('POST /auth/refresh', { refresh_token: third.body['refresh_token'] }),
    401,
    'refresh_invalid',
  );
});

test('a username account is opened, gets a password and logs in', async () => {
  const { call } = await openApi();
  const created = await call('POST /users', { username: 'alice' });
  assert.equal(created.status, 200);
  const { user_id: userId, user_app_key: appKey, solana_pubkey: pubkey } = created.body;
  assert.equal(pubkey, '');
  refused(await call('POST /users', { username: 'ALICE' }), 409, 'username_taken');
  const request = { user_id: userId, user_app_key: appKey, new_password: 'short' };
  refused(await call('POST /auth/set-password', request), 400, 'invalid_field', {
    field: 'new_password',
  });
  refused(
    await call('POST /auth/set-password', { ...request, user_app_key: 'pfk_wrong' }),
    401,
    'INVALID_API_KEY',
  );
  const set = await call('POST /auth/set-password', { ...request, new_password: 'long enough' });
  assert.equal(set.status, 200);
  assert.equal(typeof set.body['message'], 'string');
  const login = await call('POST /auth/login', { username: 'alice', password: 'long enough' });
  assert.equal(login.status, 200);
  const { body: self } = await call(
    'GET /user/me',
    undefined,
    bearer(String(login.body['access_token'])),
  );
  assert.equal(self['user_id'], userId);
  assert.equal(self['user_app_key'], appKey);
  assert.equal(self['username'], 'alice');
  refused(
    await call('POST /auth/login', { username: 'alice', password: 'wrong' }),
    401,
    'sign_in_failed',
  );
});

test('a rotated app key is dead at once, in every header', async () => {
  const { call } = await openApi();
  const { body: created } = await call('POST /users', { username: 'alice' });
  const headersOf = (key: unknown) => [
    { authorization: `ApiKey ${key}` },
    { authorization: `Bearer ${key}` },
    { 'x-api-key': String(key) },
  ];
  const old = headersOf(created['user_app_key']);
  for (const headers of old) {
    assert.equal((await call('GET /user/me', undefined, headers)).status, 200);
  }
  const rotated = await call('POST /rotateAppKey', undefined, old[0]);
  assert.equal(rotated.body['user_id'], created['user_id']);
  for (const headers of old) {
    const answer = await call('GET /user/me', undefined, headers);
    refused(answer, 401, 'INVALID_API_KEY');
    assert(answer.headers.has('www-authenticate'));
  }
  for (const headers of headersOf(rotated.body['new_user_app_key'])) {
    assert.equal((await call('GET /user/me', undefined, headers)).status, 200);
  }
});

test('a scoped token sees who it is without the app key, and changes nothing', async () => {
  const service = await openApi();
  const { call, world } = service;
  const { access_token: access } = await signIn(service);
  const { body: own } = await call('GET /user/me', undefined, bearer(access));
  const { secret } = await createApiToken(world, {
    actor: 'admin',
    accountId: own['user_id'] as never,
    request: { name: 'ci', scopes: undefined, ipAllowlist: undefined, expiresAt: undefined },
  });
  const headers = { 'x-api-key': secret };
  const { body: seen } = await call('GET /user/me', undefined, headers);
  const { user_app_key: _, ...rest } = own;
  assert.deepEqual(seen, rest);
  refused(await call('POST /rotateAppKey', undefined, headers), 403, 'missing_scope', {
    required: 'session',
  });
  refused(
    await call('PATCH /user/me', { deterministic_urls: 'off' }, headers),
    403,
    'missing_scope',
  );
  refused(await call('POST /auth/logout', undefined, headers), 403, 'session_required');
});

test('settings are changed and shown', async () => {
  const service = await openApi();
  const { access_token: access } = await signIn(service);
  const patch = (body: unknown) => service.call('PATCH /user/me', body, bearer(access));
  assert.equal((await patch({ deterministic_urls: 'off' })).body['deterministic_urls'], 'off');
  assert.equal((await patch({})).body['deterministic_urls'], 'off');
  refused(await patch({ deterministic_urls: 'some' }), 400, 'invalid_field', {
    field: 'deterministic_urls',
  });
});

test('a bearer session with a wrong CSRF token is refused, with the right one or none it is not', async () => {
  const service = await openApi();
  const { access_token: access, csrf_token: csrf } = await signIn(service);
  const patch = (headers: Record<string, string>) =>
    service.call('PATCH /user/me', {}, { ...bearer(access), ...headers });
  assert.equal((await patch({})).status, 200);
  assert.equal((await patch({ 'x-csrf-token': csrf })).status, 200);
  refused(await patch({ 'x-csrf-token': 'wrong' }), 403, 'csrf_invalid');
});

test('without a credential 401 says how to sign in', async () => {
  const { call } = await openApi();
  for (const route of [
    'GET /user/me',
    'PATCH /user/me',
    'POST /rotateAppKey',
    'POST /auth/logout',
  ]) {
    const answer = await call(route);
    refused(answer, 401, 'UNAUTHORIZED', { error: 'Unauthorized' });
    assert(answer.headers.has('www-authenticate'));
  }
});

test('a closed service refuses sign-ups with 403', async () => {
  const service = await openApi({ policy: { kind: 'closed' } });
  refused(await service.call('POST /users', { username: 'alice' }), 403, 'signup_closed');
  const answer = await challenge(service);
  refused(await service.call('POST /auth/siws/verify', answer), 403, 'signup_closed');
});

test('password tries are counted per name and address, whatever the capitals', async () => {
  const windows = { password: [{ points: 2, seconds: 60 }] };
  const { call } = await openApi({ windows });
  const attempt = (username: string) =>
    call('POST /auth/login', { username, password: 'a guess it is' });
  refused(await attempt('alice'), 401, 'sign_in_failed');
  refused(await attempt('Alice'), 401, 'sign_in_failed');
  const answer = await attempt('ALICE');
  refused(answer, 429, 'RATE_LIMIT', { limit: 2, remaining: 0 });
  assert(answer.headers.has('retry-after'));
  refused(await attempt('bob'), 401, 'sign_in_failed');
});

test('sign-in calls are counted per address', async () => {
  const windows = { signIn: [{ points: 3, seconds: 60 }] };
  const { call } = await openApi({ windows });
  const ask = () => call('POST /auth/siws/challenge', { wallet_public_key: wallet.address });
  for (let count = 0; count < 3; count += 1) assert.equal((await ask()).status, 200);
  refused(await ask(), 429, 'RATE_LIMIT');
  refused(await call('POST /users', { username: 'alice' }), 429, 'RATE_LIMIT');
});
