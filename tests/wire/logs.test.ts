/** Proves what the log holds: one access line a request, and nothing that anyone must not read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { walletOf } from '../world/wallets.ts';
import { exchange } from './http-client.ts';
import { eventually, openAccount, startServer, tokenHeaders } from './service.ts';

const server = await startServer({ LOG_LEVEL: 'trace' });

type Line = Readonly<Record<string, unknown>>;
const linesSince = (count: number): readonly Line[] =>
  server.lines.slice(count).map((line) => JSON.parse(line) as Line);

test('every request has one access line with its facts, whatever becomes of it', async () => {
  const ann = await openAccount(server, 'ann');
  await ann.upload('a.txt', 'x');
  for (const [route, headers, pattern, status] of [
    ['GET /download-stream?file_name=a.txt', ann.headers, '/download-stream', 200],
    ['HEAD /download-stream?file_name=a.txt', ann.headers, '/download-stream', 200],
    ['GET /download?file_name=a.txt', ann.headers, '/download', 200],
    ['GET /files', ann.headers, '/files', 200],
    ['GET /files', {}, '/files', 401],
    ['GET /files?limit=x', ann.headers, '/files', 400],
    [`GET /${ann.slug}/x`, {}, '/:account/:hash', 404],
    ['GET /nowhere', {}, 'none', 404],
    ['GET /%zz', {}, 'none', 400],
    ['OPTIONS /files', { 'access-control-request-method': 'GET' }, 'none', 204],
  ] as const) {
    const seen = server.lines.length;
    const answer = await server.call(route, undefined, headers);
    assert.equal(answer.status, status, route);
    await eventually(() => server.lines.length > seen);
    const [line, ...more] = linesSince(seen);
    assert.deepEqual(more, [], route);
    assert.deepEqual(
      [line?.['msg'], line?.['method'], line?.['route'], line?.['status'], line?.['isWhole']],
      ['request', route.split(' ')[0], pattern, status, true],
    );
    assert.equal(line?.['requestId'], answer.headers['x-request-id']);
    assert.equal(typeof line?.['ms'], 'number');
    assert.equal(typeof line?.['address'], 'string');
    const isKnown = status !== 401 && 'authorization' in headers;
    assert.equal(line?.['account'], isKnown ? ann.userId : undefined);
    assert.equal(line?.['credential'], isKnown ? 'appKey' : undefined);
  }
});

test('the log holds no key, token, password, signature, name or query', async () => {
  const ann = await openAccount(server, 'secretive');
  const wallet = walletOf('logged');
  const secrets: string[] = ['open-sesame', 'guessed-password', 'private-name', 'search-text'];
  const keep = (...texts: readonly unknown[]) => secrets.push(...texts.map(String));
  keep(ann.appKey, ann.slug);
  const token = await tokenHeaders(server, ann, ['files:read']);
  keep(token['x-api-key']);
  const challenge = await server.call('POST /auth/siws/challenge', {
    wallet_public_key: wallet.address,
  });
  const message = String(challenge.json['message']);
  keep(challenge.json['nonce'], wallet.sign(message));
  const verified = await server.call('POST /auth/siws/verify', {
    wallet_public_key: wallet.address,
    nonce: challenge.json['nonce'],
    message,
    signature_b64: wallet.sign(message),
  });
  const { access_token: access, refresh_token: refresh, csrf_token: csrf } = verified.json;
  keep(access, refresh, csrf);
  const bearer = { authorization: `Bearer ${access}`, 'x-csrf-token': String(csrf) };
  await server.call('GET /user/me', undefined, bearer);
  await server.call('PATCH /user/me', {}, { ...bearer, 'x-csrf-token': 'csrf-guess' });
  await server.call('POST /auth/refresh', { refresh_token: refresh });
  await server.call('POST /auth/login', { username: 'secretive', password: 'guessed-password' });
  await server.call('GET /files', undefined, { authorization: 'Bearer bad-credential' });
  keep('csrf-guess', 'bad-credential');
  await ann.upload('private-name', 'bytes-of-a-file');
  keep('bytes-of-a-file');
  const link = await ann.call('POST /createPublicLink', {
    file_name: 'private-name',
    password: 'open-sesame',
  });
  const hash = String(link.json['link_hash']);
  keep(hash);
  for (const password of ['open-sesame', 'guessed-password']) {
    await server.call(`GET /publicDownload?hash=${hash}`, undefined, {
      'x-link-password': password,
    });
    await server.call(`POST /publicDownload?hash=${hash}`, `password=${password}`);
  }
  await ann.call('GET /files?prefix=search-text&limit=x');
  await ann.call('GET /files?prefix=search-text', undefined, token);
  await server.call('GET /%zz?search-text=1');
  await exchange(server.url, 'GET /search-text garbage bad-credential\r\n\r\n');
  const rotated = await ann.call('POST /rotateAppKey');
  keep(rotated.json['new_user_app_key']);
  const text = server.lines.join('');
  assert(server.lines.length > 20);
  for (const secret of secrets) {
    assert(secret.length > 8);
    assert(!text.includes(secret), `the log holds ${secret}`);
  }
});
