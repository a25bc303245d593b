/**
 * Proves what holds for every route: errors, CORS, limits, bodies, paths; and the service's own
 * rows.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { assertRefused } from './http-client.ts';
import { eventually, openAccount, startServer } from './service.ts';

const server = await startServer();
const ann = await openAccount(server, 'ann');

test('an absent or empty body is read as {}, whatever type it is said to have', async () => {
  const { headers } = ann;
  for (const [body, more] of [
    [undefined, {}],
    [undefined, { 'content-type': 'application/json' }],
    ['', { 'content-type': 'application/json' }],
    ['', {}],
    ['{}', {}],
    ['null', {}],
    ['{"unknown":{"deep":[1]}}', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['  {} ', { 'content-type': 'text/plain' }],
  ] as const) {
    const answer = await server.call('PATCH /user/me', body, { ...headers, ...more });
    assert.equal(answer.status, 200, `${body} ${JSON.stringify(more)} ${answer.text}`);
    const refused = await server.call('POST /deleteFile', body, { ...headers, ...more });
    assertRefused(refused, 400, 'invalid_field', { field: 'file_name' });
  }
});

test('a body that is no JSON object is a 400 that says so', async () => {
  const bytes = Buffer.from('{"file_name":"\xff"}', 'latin1');
  for (const body of ['{', '{}{}', 'file_name=a', '{"file_name":}', '[', bytes, '\0', '\uFEFF{}']) {
    const answer = await ann.call('POST /deleteFile', body);
    assertRefused(answer, 400, 'invalid_field', { field: 'the body' });
  }
  for (const body of ['[]', '"text"', '7', 'true', '['.repeat(60_000) + ']'.repeat(5)]) {
    assertRefused(await ann.call('POST /deleteFile', body), 400, 'invalid_field');
  }
});

test('a JSON body is at most 64 KiB, declared or not', async () => {
  const body = JSON.stringify({ file_name: 'a', padding: 'x'.repeat(65_536) });
  assertRefused(await ann.call('POST /deleteFile', body), 413, 'body_too_large');
  const answer = await ann.call('POST /deleteFile', body, { 'transfer-encoding': 'chunked' });
  assertRefused(answer, 413, 'body_too_large');
  const fits = JSON.stringify({ file_name: 'a', padding: 'x'.repeat(65_000) });
  assertRefused(await ann.call('POST /deleteFile', fits), 404, 'not_found');
});

test('a slash at the end of a path changes nothing', async () => {
  await ann.upload('slash', 'x');
  assert.equal((await ann.call('GET /download-stream/?file_name=slash')).text, 'x');
  assert.equal((await ann.call('POST /upload/?file_name=slash', 'y')).status, 202);
  assert.equal((await ann.call('GET /files/')).status, 200);
  assert.equal((await server.call('GET /health/')).status, 200);
});

test('an unknown path, method or malformed path is an error in the one shape, with CORS', async () => {
  for (const [route, status, code] of [
    ['GET /nowhere', 404, 'not_found'],
    ['PUT /upload?file_name=a', 404, 'not_found'],
    ['DELETE /files', 404, 'not_found'],
    ['GET /Files', 404, 'not_found'],
    ['PROPFIND /files', 404, 'not_found'],
    ['TRACE /', 404, 'not_found'],
    ['OPTIONS /files', 404, 'not_found'],
    ['GET //files', 404, 'not_found'],
    ['GET /files/%2e%2e', 404, 'not_found'],
    ['GET /%zz', 400, 'bad_request'],
    ['GET /a/%ff', 400, 'bad_request'],
    [`GET /a/${'x'.repeat(2000)}`, 414, 'bad_request'],
  ] as const) {
    const answer = await server.call(route);
    assertRefused(answer, status, code);
    assert.equal(answer.headers['access-control-allow-origin'], '*', route);
    assert.equal(answer.headers['x-request-id'], answer.json['requestId'], route);
  }
});

test('any origin may call, with the headers of the contract, and preflights last a day', async () => {
  const origin = 'https://app.example';
  for (const route of ['OPTIONS /upload', 'OPTIONS /files', 'OPTIONS /nowhere', 'OPTIONS /a/b']) {
    const preflight = await server.call(route, undefined, {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization, content-type',
    });
    assert.deepEqual([preflight.status, preflight.text], [204, '']);
    assert.equal(preflight.headers['access-control-allow-origin'], '*');
    assert.equal(preflight.headers['access-control-max-age'], '86400');
    assert.equal(preflight.headers['access-control-allow-credentials'], undefined);
    const methods = String(preflight.headers['access-control-allow-methods']);
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      assert(methods.split(', ').includes(method));
    }
    assert.deepEqual(String(preflight.headers['access-control-allow-headers']).split(', '), [
      'Authorization',
      'X-API-Key',
      'X-Request-Source',
      'X-Cluster',
      'X-CSRF-Token',
      'X-Link-Password',
      'X-User-Id',
      'X-User-App-Key',
      'X-Upload-Id',
      'Payment-Signature',
      'Access-Control-Expose-Headers',
      'User-Agent',
      'Content-Type',
      'Cache-Control',
      'Range',
      'If-Range',
      'If-Match',
      'If-None-Match',
      'If-Modified-Since',
      'If-Unmodified-Since',
    ]);
  }
  await ann.upload('cors', 'x');
  for (const [route, more] of [
    ['GET /download-stream?file_name=cors', {}],
    ['HEAD /download-stream?file_name=cors', {}],
    ['GET /download?file_name=cors', {}],
    ['GET /download-stream?file_name=absent', {}],
    ['GET /files', {}],
    ['GET /files', { authorization: 'Bearer x' }],
  ] as const) {
    const { headers } = await ann.call(route, undefined, { origin, ...more });
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.equal(headers['access-control-allow-credentials'], undefined);
    const exposed = String(headers['access-control-expose-headers']).split(', ');
    for (const name of [
      'Payment-Required',
      'Payment-Response',
      'Retry-After',
      'X-RateLimit-Limit',
      'X-RateLimit-Remaining',
      'X-RateLimit-Reset',
      'X-Operation-Id',
      'Location',
      'ETag',
      'Accept-Ranges',
      'Content-Range',
      'Content-Length',
      'Content-Encoding',
      'Content-Disposition',
      'Last-Modified',
    ]) {
      assert(exposed.includes(name), name);
    }
  }
});

test('every credential that was sent is tried, and 401 comes only when all fail', async () => {
  const good = ann.appKey;
  const list = async (headers: Record<string, string>) =>
    (await server.call('GET /files', undefined, headers)).status;
  assert.equal(await list({ authorization: `ApiKey ${good}` }), 200);
  assert.equal(await list({ authorization: `apikey   ${good}  ` }), 200);
  assert.equal(await list({ authorization: `Bearer ${good}` }), 200);
  assert.equal(await list({ 'x-api-key': good }), 200);
  assert.equal(await list({ authorization: 'Bearer x.y.z', 'x-api-key': good }), 200);
  assert.equal(await list({ authorization: 'Basic dTpw', 'x-api-key': good }), 200);
  assert.equal(await list({ authorization: `ApiKey ${good}`, 'x-api-key': 'pft_x' }), 200);
  assert.equal(await list({ authorization: 'Bearer x.y.z', 'x-api-key': 'pft_x' }), 401);
  assert.equal(await list({ 'x-api-key': `${good}, ${good}` }), 401);
  assert.equal(await list({ cookie: `session=${good}` }), 401);
});

test('limited answers say where they stand, and 429 says when to come back', async () => {
  const limited = await startServer({
    RATE_LIMIT_PER_SECOND: '0',
    RATE_LIMIT_PER_MINUTE: '5',
    RATE_LIMIT_ANONYMOUS_PER_SECOND: '3',
  });
  const bob = await openAccount(limited, 'bob');
  for (const remaining of [3, 2, 1, 0]) {
    const { status, headers } = await bob.call('GET /files');
    assert.equal(status, 200);
    assert.equal(headers['x-ratelimit-limit'], '5');
    assert.equal(headers['x-ratelimit-remaining'], String(remaining));
    const inSeconds = Number(headers['x-ratelimit-reset']) - Date.now() / 1000;
    assert(inSeconds > 0 && inSeconds <= 61);
  }
  const over = await bob.call('GET /files');
  assertRefused(over, 429, 'RATE_LIMIT', { error: 'Too Many Requests', limit: 5, remaining: 0 });
  assert.equal(over.headers['retry-after'], String(over.json['retryAfter']));
  assert(Number(over.json['retryAfter']) >= 1);
  assert.equal(over.headers['x-ratelimit-reset'], String(over.json['resetTime']));
  assert.equal(over.headers['x-ratelimit-remaining'], '0');
  assert.equal((await limited.call('GET /health')).status, 200);
  const anonymous = await Promise.all(
    Array.from({ length: 12 }, () => limited.call('GET /publicDownload?hash=x')),
  );
  const statuses = anonymous.map(({ status }) => status);
  assert(statuses.includes(404) && statuses.includes(429), statuses.join());
  const refused = anonymous.find(({ status }) => status === 429);
  assert.equal(refused?.headers['x-ratelimit-limit'], '3');
});

test('guessed credentials are counted by address', async () => {
  const limited = await startServer({ RATE_LIMIT_ANONYMOUS_PER_SECOND: '3' });
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, count) =>
      limited.call('GET /files', undefined, { 'x-api-key': `pfk_${count}` }),
    ),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([401, 429]));
});

test('the service says what it is, that it lives, and whether it is ready', async () => {
  const front = await server.call('GET /');
  assert.match(String(front.headers['content-type']), /^text\/html/);
  assert.match(String(front.headers['content-security-policy']), /default-src 'none'/);
  assert.deepEqual((await server.call('GET /health')).json, { status: 'ok' });
  const ready = await server.call('GET /ready');
  assert.equal(ready.status, 200);
  assert.deepEqual(ready.json, {
    status: 'ready',
    dependencies: { metadata: 'ok', blobs: 'ok' },
  });
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  assert.deepEqual((await server.call('GET /version')).json, { name: 'pinfold', version });
  for (const [path, type] of [
    ['/openapi.json', /^application\/json/],
    ['/openapi.yaml', /^application\/yaml/],
  ] as const) {
    const document = await server.call(`GET ${path}`);
    assert.equal(document.status, 200);
    assert.match(String(document.headers['content-type']), type);
    assert(document.text.includes('/download-stream'));
  }
  assertRefused(await server.call('GET /openapi.json?version=4'), 400, 'invalid_field', {
    field: 'version',
  });
});

test('metrics are told on their own listener only, by route and never by path', async () => {
  await ann.call('GET /download-stream?file_name=a-private-name');
  await server.call(`GET /${ann.slug}/${'0'.repeat(64)}`);
  await server.call('GET /nowhere-at-all');
  assertRefused(await server.call('GET /metrics'), 404, 'not_found');
  let text = '';
  await eventually(async () => {
    text = await (await fetch(server.metricsUrl)).text();
    return text.includes('route="none"');
  });
  for (const route of ['/download-stream', '/:account/:hash', '/user/me']) {
    assert.match(
      text,
      new RegExp(`pinfold_http_requests_total\\{[^}]*route="${route.replaceAll('/', '\\/')}"`),
    );
  }
  for (const secret of ['a-private-name', 'nowhere-at-all', ann.slug, ann.userId, ann.appKey]) {
    assert(!text.includes(secret));
  }
  assert.match(text, /pinfold_object_bytes_total\{direction="out"\} \d+/);
  assert.match(text, /process_cpu_seconds_total/);
  // Also of what was never run, so that a first run shows as a change.
  assert.match(text, /^pinfold_transaction_seconds_count\{transaction="delete_bucket"\} 0$/m);
  assert.match(text, /^pinfold_transaction_seconds_count\{transaction="sign_\w+"\} [1-9]/m);
  const { origin } = new URL(server.metricsUrl);
  assert.equal((await fetch(`${origin}/`)).status, 404);
  assert.equal((await fetch(server.metricsUrl, { method: 'POST' })).status, 404);
});

test('a client of S3 that came to the API is told in its own form where the gateway is', async () => {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=A/20260101/auto/s3/aws4_request, SignedHeaders=host, Signature=0';
  const old = 'AWS A:c2lnbmF0dXJl';
  const gateway = String((await ann.call('POST /api/s3/keys?format=json')).json['endpoint']);
  for (const [route, headers, body] of [
    ['GET /', { authorization }, undefined],
    ['GET /bucket?list-type=2', { authorization }, undefined],
    ['GET /bucket?location', { authorization: old }, undefined],
    ['PUT /bucket/key', { authorization }, 'bytes'],
    ['PUT /bucket/key', { authorization, expect: '100-continue' }, 'bytes'],
    ['POST /files?delete', { authorization }, '<Delete/>'],
    ['GET /bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0', {}, undefined],
    ['GET /bucket/key?AWSAccessKeyId=A&Expires=1&Signature=0', {}, undefined],
  ] as const) {
    const answer = await server.call(route, body, headers);
    assert.equal(answer.status, 400, route);
    assert.equal(answer.headers['content-type'], 'application/xml');
    assert.match(
      answer.text,
      /<Error><Code>InvalidRequest<\/Code><Message>This is the API /,
      route,
    );
    assert(answer.text.includes(`Its S3 gateway is at ${gateway}<`), answer.text);
  }
  const head = await server.call('HEAD /bucket', undefined, { authorization });
  assert.deepEqual([head.status, head.bytes.length], [400, 0]);
  const both = await server.call('GET /files', undefined, {
    authorization,
    'x-api-key': ann.appKey,
  });
  assert.equal(both.status, 200, 'every credential is tried');
});
