/** Proves the contract's section "CORS and OPTIONS", and the CORS documents of buckets. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import type { Answer } from '../http-client.ts';
import { assertS3Error, type S3Holder, startS3 } from './start-s3.ts';

const s3 = await startS3();

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

const ruleOf = (inner: string) => `<CORSRule>${inner}</CORSRule>`;
const configurationOf = (...rules: readonly string[]) =>
  `<CORSConfiguration xmlns="${NAMESPACE}">${rules.join('')}</CORSConfiguration>`;
const simple = (origin: string, method: string) =>
  ruleOf(
    `<AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>${method}</AllowedMethod>` +
      '<AllowedHeader>*</AllowedHeader>',
  );

function cors(holder: S3Holder, method: string, body = '', headers = {}) {
  const query = [['cors', '']] as const;
  return holder.raw.send({ method, bucket: holder.bucket, query, body, headers });
}

async function configure(holder: S3Holder, ...rules: readonly string[]): Promise<void> {
  const answer = await cors(holder, 'PUT', configurationOf(...rules));
  assert.equal(answer.status, 200, answer.text);
}

const ask = (route: string, headers: Readonly<Record<string, string>>) =>
  s3.call({ route, headers });

const allowing = ({ headers }: Pick<Answer, 'headers'>) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

test('a configuration is given back as it came, rule by rule, until it is deleted', async () => {
  const holder = await s3.openHolder('documents');
  assertS3Error(await cors(holder, 'GET'), 404, 'NoSuchCORSConfiguration');
  const full = ruleOf(
    '<ID>first &amp; best</ID><AllowedOrigin>http://*.example.org</AllowedOrigin>' +
      '<AllowedOrigin>https://b.example</AllowedOrigin><AllowedMethod>PUT</AllowedMethod>' +
      '<AllowedMethod>GET</AllowedMethod><AllowedHeader>x-amz-*</AllowedHeader>' +
      '<AllowedHeader>Content-Type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>' +
      '<MaxAgeSeconds>0</MaxAgeSeconds>',
  );
  const document = configurationOf(full, simple('*', 'GET'), simple('zz', 'DELETE'));
  const put = await cors(holder, 'PUT', document);
  assert.equal(put.status, 200, put.text);
  assert.equal(put.text, '');
  const got = await cors(holder, 'GET');
  assert.equal(got.status, 200);
  assert.equal(got.text, `<?xml version="1.0" encoding="UTF-8"?>\n${document}`);
  assert.equal((await cors(holder, 'DELETE')).status, 204);
  assertS3Error(await cors(holder, 'GET'), 404, 'NoSuchCORSConfiguration');
  assert.equal((await cors(holder, 'DELETE')).status, 204);
});

test('a hundred rules are kept; what no rule can be is refused, and the old ones stay', async () => {
  const holder = await s3.openHolder('refusals');
  await configure(holder, ...Array.from({ length: 100 }, (_, at) => simple(`o${at}`, 'GET')));
  const kept = (await cors(holder, 'GET')).text;
  const origin = '<AllowedOrigin>*</AllowedOrigin>';
  const method = '<AllowedMethod>GET</AllowedMethod>';
  const refused: readonly (readonly [code: string, body: string])[] = [
    ['InvalidRequest', configurationOf(...Array.from({ length: 101 }, () => simple('*', 'GET')))],
    ['InvalidRequest', configurationOf(simple('*', 'PATCH'))],
    ['InvalidRequest', configurationOf(simple('*', 'get'))],
    ['InvalidRequest', configurationOf(simple('http://*.*', 'GET'))],
    [
      'InvalidRequest',
      configurationOf(ruleOf(`${origin}${method}<AllowedHeader>a b</AllowedHeader>`)),
    ],
    ['InvalidRequest', configurationOf(ruleOf(`${origin}${method}<ExposeHeader>é</ExposeHeader>`))],
    ['InvalidRequest', configurationOf(ruleOf(`${origin}${method}<ID>${'i'.repeat(256)}</ID>`))],
    ['MalformedXML', configurationOf()],
    ['MalformedXML', configurationOf(ruleOf(origin))],
    ['MalformedXML', configurationOf(ruleOf(method))],
    ['MalformedXML', configurationOf(ruleOf(`${origin}${method}<ID>a</ID><ID>b</ID>`))],
    [
      'MalformedXML',
      configurationOf(ruleOf(`${origin}${method}<MaxAgeSeconds>-2</MaxAgeSeconds>`)),
    ],
    ['MalformedXML', '<Other/>'],
    ['MalformedXML', '<CORSConfiguration>'],
    ['MissingRequestBodyError', ''],
    [
      'MaxMessageLengthExceeded',
      configurationOf(`<!--${'x'.repeat(64 * 1024)}-->`, simple('*', 'GET')),
    ],
  ];
  for (const [code, body] of refused) assertS3Error(await cors(holder, 'PUT', body), 400, code);
  const unknown = configurationOf(ruleOf(`${origin}${method}<Color>red</Color>`));
  assertS3Error(await cors(holder, 'PUT', unknown), 501, 'NotImplemented');
  const words = await cors(holder, 'PUT', configurationOf(simple('*', 'PATCH')));
  assert.match(
    words.text,
    /Found unsupported HTTP method in CORS config. Unsupported method is PATCH/,
  );
  assert.equal((await cors(holder, 'GET')).text, kept);
});

test('a digest of the configuration is not needed, and is checked where it is sent', async () => {
  const holder = await s3.openHolder('digests');
  const body = configurationOf(simple('*', 'GET'));
  const md5 = (text: string) => createHash('md5').update(text).digest('base64');
  const good = await cors(holder, 'PUT', body, { 'content-md5': md5(body) });
  assert.equal(good.status, 200, good.text);
  const wrong = await cors(holder, 'PUT', body, { 'content-md5': md5('other') });
  assertS3Error(wrong, 400, 'BadDigest');
  const checksum = await cors(holder, 'PUT', body, { 'x-amz-checksum-crc32': 'AAAAAA==' });
  assertS3Error(checksum, 400, 'BadDigest');
});

test('only who may change the bucket reads and changes its configuration', async () => {
  const holder = await s3.openHolder('owner');
  const stranger = await s3.openHolder('stranger');
  const target = { ...stranger, bucket: holder.bucket };
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? configurationOf(simple('*', 'GET')) : '';
    assertS3Error(await cors(target, method, body), 403, 'AccessDenied');
    assertS3Error(await ask(`${method} /${holder.bucket}?cors`, {}), 403, 'AccessDenied');
  }
});

test('a preflight names origin and method, and is allowed by a rule or refused', async () => {
  const holder = await s3.openHolder('preflight');
  const { bucket } = holder;
  const origin = 'https://app.example.org';
  const get = { origin, 'access-control-request-method': 'GET' };
  assertS3Error(await ask(`OPTIONS /${bucket}/k`, {}), 400, 'BadRequest');
  const onlyMethod = { 'access-control-request-method': 'GET' };
  assertS3Error(await ask(`OPTIONS /${bucket}/k`, { origin }), 400, 'BadRequest');
  for (const wrong of [
    { ...onlyMethod, origin: '' },
    { origin, 'access-control-request-method': 'FETCH' },
    { origin, 'access-control-request-method': 'get' },
    { origin, 'access-control-request-method': '' },
  ]) {
    assertS3Error(await ask(`OPTIONS /${bucket}/k`, wrong), 400, 'BadRequest');
  }
  assertS3Error(await ask(`OPTIONS /${bucket}/k`, onlyMethod), 400, 'BadRequest');
  for (const path of ['/', `/${bucket}`, `/${bucket}/k`, '/no-such-bucket/k', '/X/k']) {
    assertS3Error(await ask(`OPTIONS ${path}`, get), 403, 'AccessForbidden');
  }
  await configure(
    holder,
    ruleOf(
      `<AllowedOrigin>${origin}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>` +
        '<AllowedMethod>PUT</AllowedMethod><AllowedHeader>X-Amz-*</AllowedHeader>' +
        '<AllowedHeader>content-type</AllowedHeader><ExposeHeader>ETag</ExposeHeader>' +
        '<MaxAgeSeconds>600</MaxAgeSeconds>',
    ),
  );
  const asked = { ...get, 'access-control-request-headers': 'x-amz-date, Content-Type' };
  const answer = await ask(`OPTIONS /${bucket}/some/key`, asked);
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.text, '');
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.equal(answer.headers['access-control-allow-methods'], 'GET, PUT');
  assert.equal(answer.headers['access-control-allow-headers'], 'x-amz-date, Content-Type');
  assert.equal(answer.headers['access-control-expose-headers'], 'ETag');
  assert.equal(answer.headers['access-control-max-age'], '600');
  assert.equal(answer.headers.vary, VARY);
  assert.match(String(answer.headers['x-amz-request-id']), /^[0-9A-Z]{16}$/);
  for (const path of [`/${bucket}`, `/${bucket}?list-type=2`]) {
    assert.equal((await ask(`OPTIONS ${path}`, get)).status, 200);
  }
  const refused = [
    { ...get, origin: 'https://other.example.org' },
    { ...get, 'access-control-request-method': 'DELETE' },
    { ...get, 'access-control-request-headers': 'x-amz-date, authorization' },
  ];
  for (const headers of refused) {
    const forbidden = await ask(`OPTIONS /${bucket}/k`, headers);
    assertS3Error(forbidden, 403, 'AccessForbidden');
    assert.deepEqual(allowing(forbidden), []);
  }
});

test('an answer to a page bears the headers of the first rule that fits, errors too', async () => {
  const holder = await s3.openHolder('answers');
  const { bucket, raw } = holder;
  const rules = [simple('*suffix', 'GET'), simple('start*end', 'GET'), simple('*.put', 'PUT')];
  await configure(holder, ...rules, simple('prefix*', 'GET'));
  await raw.expectDone({ method: 'PUT', bucket, key: 'k', body: 'hello' });
  const got = await raw.send({
    method: 'GET',
    bucket,
    key: 'k',
    headers: { origin: 'foo.suffix' },
  });
  assert.equal(got.status, 200);
  assert.equal(got.headers['access-control-allow-origin'], 'foo.suffix');
  assert.equal(got.headers['access-control-allow-methods'], 'GET');
  assert.equal(got.headers.vary, VARY);
  const exposed = String(got.headers['access-control-expose-headers']).split(', ');
  for (const name of [
    ...['ETag', 'Content-Range', 'Content-Length', 'x-amz-checksum-crc32', 'Accept-Ranges'],
    ...['Content-Disposition', 'Content-Encoding', 'Last-Modified', 'x-amz-checksum-xxhash3'],
  ]) {
    assert(exposed.includes(name), name);
  }
  const missing = { method: 'GET', bucket, key: 'nothing', headers: { origin: 'startend' } };
  const notFound = await raw.send(missing);
  assertS3Error(notFound, 404, 'NoSuchKey');
  assert.equal(notFound.headers['access-control-allow-origin'], 'startend');
  const denied = await ask(`GET /${bucket}/k`, { origin: 'prefix.org' });
  assertS3Error(denied, 403, 'AccessDenied');
  assert.equal(denied.headers['access-control-allow-origin'], 'prefix.org');
  for (const [path, code] of [
    [`k${'k'.repeat(1024)}`, 'KeyTooLongError'],
    ['%zz', 'InvalidURI'],
    ['k?prefix=%ff', 'InvalidURI'],
    ['%00', 'InvalidArgument'],
  ] as const) {
    const unread = await ask(`GET /${bucket}/${path}`, { origin: 'prefix.org' });
    assertS3Error(unread, 400, code);
    assert.equal(unread.headers['access-control-allow-origin'], 'prefix.org', code);
  }
  for (const path of ['/', '/%zz/k', '/%ff/k', '//k']) {
    assert.deepEqual(allowing(await ask(`GET ${path}`, { origin: 'prefix.org' })), [], path);
  }
  const put = await ask(`PUT /${bucket}/k`, { origin: 'foo.put', 'content-length': '0' });
  assertS3Error(put, 403, 'AccessDenied');
  assert.equal(put.headers['access-control-allow-methods'], 'PUT');
  const none: readonly (readonly [route: string, headers: Readonly<Record<string, string>>])[] = [
    [`GET /${bucket}/k`, {}],
    [`GET /${bucket}/k`, { origin: 'foo.suffix.get' }],
    [`GET /${bucket}/k`, { origin: 'start' }],
    [`PUT /${bucket}/k`, { origin: 'foo.suffix', 'content-length': '0' }],
    ['GET /', { origin: 'foo.suffix' }],
    ['GET /no-such-bucket', { origin: 'foo.suffix' }],
    ['GET /Not_a_bucket', { origin: 'foo.suffix' }],
  ];
  for (const [route, headers] of none) {
    const answer = await ask(route, headers);
    assert.deepEqual(allowing(answer), [], `${route} ${JSON.stringify(headers)}`);
  }
});

test('the metadata of an object is exposed by name, where the rule means it', async () => {
  const holder = await s3.openHolder('exposer');
  const { raw, bucket } = holder;
  const metadata = { 'x-amz-meta-author': 'ann', 'x-amz-meta-note': 'n' };
  await raw.expectDone({ method: 'PUT', bucket, key: 'k', body: 'x', headers: metadata });
  const rule = (exposed: string) =>
    `<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>${exposed}</CORSRule>`;
  for (const [exposed, expected] of [
    ['', ['x-amz-meta-author', 'x-amz-meta-note']],
    ['<ExposeHeader>x-amz-meta-a*</ExposeHeader>', ['x-amz-meta-author']],
    ['<ExposeHeader>ETag</ExposeHeader>', []],
  ] as const) {
    await configure(holder, rule(exposed));
    for (const method of ['GET', 'HEAD'] as const) {
      const asked = { method, bucket, key: 'k', headers: { origin: 'https://a.example' } };
      const answer = await raw.expectDone(asked);
      const names = String(answer.headers['access-control-expose-headers']).split(', ');
      const said = names.filter((name) => name.startsWith('x-amz-meta-'));
      assert.deepEqual(said, expected, exposed);
    }
  }
});

test('a rule may ask each time with -1, as tools write it', async () => {
  const holder = await s3.openHolder('each-time');
  const origin = '<AllowedOrigin>*</AllowedOrigin>';
  const method = '<AllowedMethod>GET</AllowedMethod>';
  await configure(holder, ruleOf(`${origin}${method}<MaxAgeSeconds>-1</MaxAgeSeconds>`));
  assert.match((await cors(holder, 'GET')).text, /<MaxAgeSeconds>-1<\/MaxAgeSeconds>/);
  const answer = await ask(`OPTIONS /${holder.bucket}/k`, {
    origin: 'https://a.example',
    'access-control-request-method': 'GET',
  });
  assert.equal(answer.headers['access-control-max-age'], '-1');
});

test('an origin of * is said as *, and a rule removed allows nothing more', async () => {
  const holder = await s3.openHolder('star');
  const { bucket } = holder;
  await configure(holder, simple('*', 'HEAD'));
  const headers = { origin: 'null' };
  const head = await ask(`HEAD /${bucket}/k`, headers);
  assert.equal(head.status, 403);
  assert.equal(head.headers['access-control-allow-origin'], '*');
  assert.equal((await cors(holder, 'DELETE')).status, 204);
  assert.deepEqual(allowing(await ask(`HEAD /${bucket}/k`, headers)), []);
});

test('origins set by REST are a rule that S3 serves and shows, and takes back', async () => {
  const holder = await s3.openHolder('both');
  const settings = { cors_allowed_origins: ['https://a.example'] };
  const changed = await s3.callRest(holder, 'PATCH /api/s3/bucket', settings);
  assert.equal(changed.status, 200, changed.text);
  const answer = await ask(`GET /${holder.bucket}`, { origin: 'https://a.example' });
  assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
  const exposed = String(answer.headers['access-control-expose-headers']);
  assert.match(exposed, /^ETag, x-amz-bucket-region, .*x-amz-version-id/);
  assert(!exposed.includes('*'));
  const shown = (await cors(holder, 'GET')).text;
  assert.match(shown, /<ExposeHeader>x-amz-\*<\/ExposeHeader>/);
  assert.equal((await cors(holder, 'PUT', shown)).status, 200);
  assert.equal((await cors(holder, 'GET')).text, shown);
});
