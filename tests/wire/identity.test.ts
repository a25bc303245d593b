/**
 * Proves that no bad credential gets in: nonces, signatures, tokens, passwords; and none costs us.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PasswordHasher } from '../../src/core/ports/password-hasher.ts';
import { offchainEnvelopes } from '../../src/kit/offchain-message.ts';
import { FakeClock } from '../world/fake-clock.ts';
import { walletOf } from '../world/wallets.ts';
import { assertRefused, exchange, type Json } from './http-client.ts';
import { openAccount, startApi } from './service.ts';

const clock = new FakeClock();
const { call, api } = await startApi({ change: () => ({ clock }) });
const behindProxy = await startApi({ settings: { TRUSTED_PROXIES: '127.0.0.1' } });
const wallet = walletOf('identity');
const other = walletOf('other');
const bearer = (token: unknown) => ({ authorization: `Bearer ${token}` });

/** A challenge with the body of its right answer. */
async function challenge(by = wallet) {
  const answer = await call('POST /auth/siws/challenge', { wallet_public_key: by.address });
  assert.equal(answer.status, 200, answer.text);
  const message = String(answer.json['message']);
  return {
    wallet_public_key: by.address,
    nonce: String(answer.json['nonce']),
    message,
    signature_b64: by.sign(message),
  };
}

const verify = (body: Json) => call('POST /auth/siws/verify', body);
const refresh = (token: unknown) => call('POST /auth/refresh', { refresh_token: token });

async function signIn(): Promise<Json> {
  const answer = await verify(await challenge());
  assert.equal(answer.status, 200, answer.text);
  return answer.json;
}

test('a nonce that is wrong, foreign, used or expired is 401 with its own code', async () => {
  const good = await challenge();
  assertRefused(
    await verify({ ...good, nonce: (await challenge(other)).nonce }),
    401,
    'nonce_expired',
  );
  assertRefused(await verify({ ...good, wallet_public_key: other.address }), 401, 'nonce_expired');
  for (const nonce of ['', 'x', '0OIl', '\0', 'z'.repeat(22), '1'.repeat(16), 'x'.repeat(5000)]) {
    assertRefused(await verify({ ...good, nonce }), 401, 'nonce_expired');
  }
  assert.equal((await verify(good)).status, 200);
  assertRefused(await verify(good), 401, 'nonce_used');
  const late = await challenge();
  clock.advance(300_000);
  assertRefused(await verify(late), 401, 'nonce_expired');
});

test('a message or signature that is changed is 401, and the right one still signs in', async () => {
  const changing = walletOf('changing');
  const good = await challenge(changing);
  const { message, signature_b64: signature } = good;
  for (const changed of [
    { message: `${message}\n` },
    { message: message.replace('Version: 1', 'Version: 2'), signature_b64: other.sign(message) },
    { signature_b64: other.sign(message) },
    { signature_b64: changing.sign(`${message} `) },
  ]) {
    assertRefused(await verify({ ...good, ...changed }), 401, 'signature_invalid');
  }
  assert.equal((await verify({ ...good, signature_b64: signature })).status, 200);
});

test('five wrong answers shut out that wallet from that address alone, for a while', async () => {
  const guessed = walletOf('guessed');
  const good = await challenge(guessed);
  const from = (address: string, body: Json) =>
    behindProxy.call('POST /auth/siws/verify', body, { 'x-forwarded-for': address });
  const asked = await behindProxy.call('POST /auth/siws/challenge', {
    wallet_public_key: guessed.address,
  });
  const message = String(asked.json['message']);
  const right = { ...good, ...asked.json, signature_b64: guessed.sign(message) };
  const wrong = { ...right, signature_b64: other.sign(message) };
  for (let count = 0; count < 5; count += 1) {
    assertRefused(await from('192.0.2.1', wrong), 401, 'signature_invalid');
  }
  const limited = await from('192.0.2.1', right);
  assertRefused(limited, 429, 'RATE_LIMIT', { limit: 5, remaining: 0 });
  assert(Number(limited.headers['retry-after']) > 60);
  // Neither the owner at another address nor another wallet from this one is held up.
  assert.equal((await from('192.0.2.2', right)).status, 200);
  const others = await behindProxy.call('POST /auth/siws/challenge', {
    wallet_public_key: other.address,
  });
  const otherMessage = String(others.json['message']);
  const otherAnswer = {
    ...others.json,
    wallet_public_key: other.address,
    signature_b64: other.sign(otherMessage),
  };
  assert.equal((await from('192.0.2.1', otherAnswer)).status, 200);
});

test('thousands of challenges do not stop another wallet from signing in', async () => {
  const good = await challenge();
  const flood = walletOf('flood').address;
  const payload = { wallet_public_key: flood };
  const ask = () => api.inject({ method: 'POST', url: '/auth/siws/challenge', payload });
  for (let count = 0; count < 10_001; count += 1) {
    assert.equal((await ask()).statusCode, 200);
  }
  assert.equal((await verify(good)).status, 200);
  assert.equal((await verify(await challenge())).status, 200);
});

test('a Ledger signs an envelope of the text; a signature over another one is 401', async () => {
  const ledger = walletOf('ledger');
  for (const index of [0, 1, 2, 3, 4]) {
    const good = await challenge(ledger);
    const sign = (text: string) => {
      const envelopes = offchainEnvelopes(Buffer.from(text), ledger.publicKey);
      return ledger.sign(envelopes[index] ?? assert.fail());
    };
    if (index < 4) {
      const other = { ...good, signature_b64: sign(`${good.message} `) };
      assertRefused(await verify(other), 401, 'signature_invalid');
    }
    assert.equal((await verify({ ...good, signature_b64: sign(good.message) })).status, 200);
  }
});

test('an owner sees the sessions and ends another one, which is out at once', async () => {
  const traveller = walletOf('traveller');
  const enter = async (agent: string) => {
    const body = await challenge(traveller);
    const { json } = await call('POST /auth/siws/verify', body, { 'user-agent': agent });
    return json;
  };
  const home = await enter('home/1.0');
  clock.advance(1000);
  const abroad = await enter('x'.repeat(300));
  const answer = await call('GET /auth/sessions', undefined, bearer(home['access_token']));
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.json['count'], 2);
  const [lost, own] = answer.json['sessions'] as readonly Json[];
  assert.deepEqual(
    { ...own, session_id: '', created_at: '', expires_at: '' },
    {
      ...{ session_id: '', created_at: '', expires_at: '' },
      ip_address: '127.0.0.1',
      user_agent: 'home/1.0',
      is_current: true,
    },
  );
  assert.deepEqual([lost?.['user_agent'], lost?.['is_current']], ['x'.repeat(256), false]);
  const life = Date.parse(String(own?.['expires_at'])) - Date.parse(String(own?.['created_at']));
  assert.equal(life, 30 * 24 * 3_600_000);
  const end = (id: unknown) =>
    call(`DELETE /auth/sessions/${id}`, undefined, bearer(home['access_token']));
  assertRefused(await end(own?.['session_id']), 409, 'session_current');
  const ended = await end(lost?.['session_id']);
  assert.deepEqual([ended.status, ended.json], [200, { revoked: true }]);
  assertRefused(await end(lost?.['session_id']), 404, 'not_found');
  const who = await call('GET /user/me', undefined, bearer(abroad['access_token']));
  assertRefused(who, 401, 'UNAUTHORIZED');
  assertRefused(await refresh(abroad['refresh_token']), 401, 'refresh_invalid');
  const stranger = await call(
    `DELETE /auth/sessions/${own?.['session_id']}`,
    undefined,
    bearer((await signIn())['access_token']),
  );
  assertRefused(stranger, 404, 'not_found');
});

test('a password is set once by the app key, and changed by who knows it', async () => {
  const { json: user } = await call('POST /users', { username: 'keeper' });
  const { user_id: userId, user_app_key: appKey } = user;
  const set = (password: string) =>
    call('POST /auth/set-password', {
      user_id: userId,
      user_app_key: appKey,
      new_password: password,
    });
  for (const bad of ['short', 'password', 'KEEPER', 'keeper12345'.slice(0, 6), 'x'.repeat(129)]) {
    const refused = await set(bad);
    assertRefused(refused, 400, 'invalid_field', { field: 'new_password' });
    assert.match(String(refused.json['message']), /Password/);
  }
  const first = await set('correct horse');
  assert.equal(first.status, 200, first.text);
  assertRefused(await set('another horse'), 409, 'password_already_set');
  const change = (body: Json, headers: Readonly<Record<string, string>>) =>
    call('POST /auth/change-password', body, headers);
  const body = { current_password: 'correct horse', new_password: 'another horse' };
  const second = await call('POST /auth/login', { username: 'keeper', password: 'correct horse' });
  const own = bearer(second.json['access_token']);
  const byKey = await change(body, { authorization: `ApiKey ${appKey}` });
  assertRefused(byKey, 403, 'session_required');
  const wrong = await change({ ...body, current_password: 'wrong horse' }, own);
  assertRefused(wrong, 403, 'access_denied', { field: 'current_password' });
  const weak = await change({ ...body, new_password: 'football' }, own);
  assertRefused(weak, 400, 'invalid_field', { field: 'new_password' });
  const changed = await change(body, own);
  assert.equal(changed.status, 200, changed.text);
  assert.equal((await refresh(changed.json['refresh_token'])).status, 200);
  assertRefused(await refresh(first.json['refresh_token']), 401, 'refresh_invalid');
  const old = await call('POST /auth/login', { username: 'keeper', password: 'correct horse' });
  assertRefused(old, 401, 'sign_in_failed');
});

test('a signature that is no base64 of 64 bytes is 401, one in the other alphabet is good', async () => {
  for (const text of ['%%%', 'AAAA', 'é', '\0', 'A'.repeat(88), 'A'.repeat(60_000)]) {
    const good = await challenge(walletOf(`signs ${text.slice(0, 4)}${text.length}`));
    assertRefused(await verify({ ...good, signature_b64: text }), 401, 'signature_invalid');
  }
  const good = await challenge();
  const urlSafe = Buffer.from(good.signature_b64, 'base64').toString('base64url');
  assert.equal((await verify({ ...good, signature_b64: urlSafe })).status, 200);
});

test('a wallet that is no canonical key on the curve, or a weak one, is 400', async () => {
  for (const key of [
    '',
    'O0Il',
    wallet.address.slice(1),
    `1${wallet.address}`,
    `${wallet.address} `,
    'z'.repeat(44),
    '1'.repeat(32),
    'x'.repeat(10_000),
    '\0',
  ]) {
    const body = { wallet_public_key: key };
    assertRefused(await call('POST /auth/siws/challenge', body), 400, 'invalid_field', {
      field: 'wallet_public_key',
    });
    const answer = { ...(await challenge()), ...body };
    assertRefused(await verify(answer), 400, 'invalid_field', { field: 'wallet_public_key' });
  }
});

test('a field of a wrong type or none is 400 and named', async () => {
  const good = await challenge();
  for (const field of Object.keys(good)) {
    for (const value of [7, null, {}, ['x'], true, undefined]) {
      assertRefused(await verify({ ...good, [field]: value }), 400, 'invalid_field', { field });
    }
  }
  assertRefused(await refresh(7), 400, 'invalid_field', { field: 'refresh_token' });
  assert.equal((await verify({ ...good, unknown: 1 })).status, 200);
});

test('an access token that is changed, of another key or expired is 401', async () => {
  const { access_token: access } = await signIn();
  const token = String(access);
  const who = (text: string) => call('GET /user/me', undefined, bearer(text));
  assert.equal((await who(token)).status, 200);
  const [head = '', body = '', mac = ''] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const none = encode({ alg: 'none', typ: 'JWT' });
  for (const text of [
    `${head}.${encode({ ...claims, exp: claims.exp + 1 })}.${mac}`,
    `${head}.${encode({ ...claims, sub: 'x' })}.${mac}`,
    `${none}.${body}.`,
    `${none}.${body}.${mac}`,
    `${encode({ alg: 'HS256', kid: 'x' })}.${body}.${mac}`,
    `${encode({ alg: 'HS256', jku: 'http://localhost:1' })}.${body}.${mac}`,
    `${head}.${body}.`,
    `${head}.${body}.${mac.slice(0, -2)}`,
    `${head}.${body}`,
    `${token}.${mac}`,
    'a.b.c',
    '..',
    `${'a'.repeat(20_000)}.b.c`,
  ]) {
    assertRefused(await who(text), 401, 'UNAUTHORIZED');
  }
  clock.advance(15 * 60_000);
  assertRefused(await who(token), 401, 'UNAUTHORIZED');
});

test('a signed-out session is dead at once, access and refresh', async () => {
  const tokens = await signIn();
  const headers = bearer(tokens['access_token']);
  assert.equal((await call('POST /auth/logout', undefined, headers)).status, 200);
  assertRefused(await call('GET /user/me', undefined, headers), 401, 'UNAUTHORIZED');
  assertRefused(await call('POST /auth/logout', undefined, headers), 401, 'UNAUTHORIZED');
  assertRefused(await refresh(tokens['refresh_token']), 401, 'refresh_invalid');
});

test('the refresh token before is answered alike for 20 s, then it ends the family', async () => {
  const first = (await refresh((await signIn())['refresh_token'])).json['refresh_token'];
  const second = await refresh(first);
  assert.equal(second.status, 200);
  clock.advance(20_000);
  const again = await refresh(first);
  assert.equal(again.json['refresh_token'], second.json['refresh_token']);
  clock.advance(1);
  assertRefused(await refresh(first), 401, 'refresh_reused');
  assertRefused(await refresh(second.json['refresh_token']), 401, 'refresh_invalid');
  const access = bearer(second.json['access_token']);
  assertRefused(await call('GET /user/me', undefined, access), 401, 'UNAUTHORIZED');
});

test('a client that never stores a refresh token goes on with its first', async () => {
  const first = (await signIn())['refresh_token'];
  const successors = new Set<unknown>();
  for (let day = 0; day < 40; day += 1) {
    clock.advance(24 * 3_600_000);
    const next = await refresh(first);
    assert.equal(next.status, 200, next.text);
    successors.add(next.json['refresh_token']);
    const who = await call('GET /user/me', undefined, bearer(next.json['access_token']));
    assert.equal(who.status, 200);
  }
  const [second] = successors;
  assert.equal(successors.size, 1);
  // Shown once, the successor has made the first a copy.
  const third = await refresh(second);
  assert.equal(third.status, 200);
  assertRefused(await refresh(first), 401, 'refresh_reused');
  assertRefused(await refresh(third.json['refresh_token']), 401, 'refresh_invalid');
});

test('a refresh token two generations old ends the family at once', async () => {
  const first = (await signIn())['refresh_token'];
  const second = await refresh(first);
  const third = await refresh(second.json['refresh_token']);
  assert.equal(third.status, 200);
  assertRefused(await refresh(first), 401, 'refresh_reused');
  assertRefused(await refresh(third.json['refresh_token']), 401, 'refresh_invalid');
});

test('a refresh token that is made up is 401 and ends nothing', async () => {
  const token = String((await signIn())['refresh_token']);
  const [kid, family, , mac] = token.split('.');
  for (const text of [
    `${kid}.${family}.1.${mac}`,
    `${kid}.${family}.0.${'A'.repeat(43)}`,
    `pfr_x.${family}.0.${mac}`,
    `${kid}.${'A'.repeat(22)}.0.${mac}`,
    token.slice(0, -1),
    '',
    '\0',
    'pfr_...',
    'x'.repeat(60_000),
  ]) {
    assertRefused(await refresh(text), 401, 'refresh_invalid');
  }
  assert.equal((await refresh(token)).status, 200);
});

test('a session idle for 30 days or 90 days old cannot be refreshed', async () => {
  const day = 24 * 3_600_000;
  let token = (await signIn())['refresh_token'];
  clock.advance(30 * day);
  assertRefused(await refresh(token), 401, 'refresh_invalid');
  token = (await signIn())['refresh_token'];
  for (let count = 0; count < 3; count += 1) {
    clock.advance(29 * day);
    const next = await refresh(token);
    assert.equal(next.status, 200);
    token = next.json['refresh_token'];
  }
  clock.advance(4 * day);
  assertRefused(await refresh(token), 401, 'refresh_invalid');
});

test('a username or password that must not be is 400 and makes no account', async () => {
  for (const username of ['', 'ab', 'x'.repeat(33), 'a b', 'é-clair', 'a\0b', '../..', 7, null]) {
    assertRefused(await call('POST /users', { username }), 400, 'invalid_field', {
      field: 'username',
    });
  }
  const ann = await openAccount({ call }, 'password-ann');
  const set = (more: Json) =>
    call('POST /auth/set-password', {
      user_id: ann.userId,
      user_app_key: ann.appKey,
      new_password: 'long enough',
      ...more,
    });
  for (const password of ['', 'short', 'x'.repeat(1025), '\ud800'.repeat(10)]) {
    assertRefused(await set({ new_password: password }), 400, 'invalid_field', {
      field: 'new_password',
    });
  }
  const bob = await openAccount({ call }, 'password-bob');
  for (const more of [
    { user_app_key: bob.appKey },
    { user_id: bob.userId },
    { user_app_key: `${ann.appKey}x` },
    { user_id: '' },
    { user_app_key: '\0' },
  ]) {
    assertRefused(await set(more), 401, 'INVALID_API_KEY');
  }
  assert.equal((await set({})).status, 200);
});

test('ten thousand wrong passwords cost ten runs of Argon2, and are 429 after them', async () => {
  let runs = 0;
  const counting = (hasher: PasswordHasher): PasswordHasher => ({
    hash: (password, options) => hasher.hash(password, options),
    verify: (password, known, options) => {
      runs += 1;
      return hasher.verify(password, known, options);
    },
  });
  const api = await startApi({
    settings: { RATE_LIMIT_PASSWORD_PER_MINUTE: '10' },
    change: ({ passwords }) => ({ passwords: counting(passwords) }),
  });
  await openAccount(api, 'guessed');
  const statuses = await guess(api.url, 10_000);
  assert.deepEqual(statuses, { 401: 10, 429: 9990, 404: 10 });
  assert.equal(runs, 10);
  const limited = await api.call('POST /auth/login', { username: 'guessed', password: 'x' });
  assertRefused(limited, 429, 'RATE_LIMIT', { limit: 10, remaining: 0 });
  assert(Number(limited.headers['retry-after']) > 0);
});

test('more sign-ins at once than may wait are 429 and say when to come back', async () => {
  const api = await startApi();
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, count) =>
      api.call('POST /auth/login', { username: `nobody-${count}`, password: 'x' }),
    ),
  );
  const limited = answers.filter(({ status }) => status === 429);
  assert(limited.length > 0 && limited.length < 120, String(limited.length));
  for (const answer of limited) {
    assertRefused(answer, 429, 'RATE_LIMIT', { retryAfter: 1 });
    assert.equal(answer.headers['retry-after'], '1');
  }
  assert(answers.every(({ status }) => status === 401 || status === 429));
});

/** How many answers of each status wrong passwords get, pipelined over ten connections. */
async function guess(url: string, count: number): Promise<Readonly<Record<string, number>>> {
  const requestOf = (guessed: number) => {
    const body = JSON.stringify({ username: 'guessed', password: `guess ${guessed}` });
    return `POST /auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
  const last = 'GET /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  const texts = Array.from({ length: 10 }, (_, connection) => {
    const guesses = Array.from({ length: count / 10 }, (_, index) => 10 * index + connection);
    return `${guesses.map(requestOf).join('')}${last}`;
  });
  const answers = await Promise.all(texts.map((text) => exchange(url, text)));
  const statuses: Record<string, number> = {};
  for (const [, status = ''] of answers.join('').matchAll(/HTTP\/1\.1 (\d+)/g)) {
    statuses[status] = (statuses[status] ?? 0) + 1;
  }
  return statuses;
}
