/**
 * Proves which changes of a signed request on its way are forgiven, each host and accepted encoding
 * that a proxy may have put in the place of the signed one, and that no other is.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { adminClient } from '../../../src/dialects/admin/admin-client.ts';
import { presignUrl } from '../../../src/kit/sigv4/presign-url.ts';
import { signRequest } from '../../../src/kit/sigv4/sign-request.ts';
import { freePort } from '../../world/proxies.ts';
import { startServer, type TestSettings } from '../../world/server.ts';
import { type Answer, call } from '../http-client.ts';
import { assertS3Error, REGION } from './start-s3.ts';

const PUBLIC_HOST = 's3.example.org';
const BEHIND: TestSettings = {
  S3_PUBLIC_URL: `https://${PUBLIC_HOST}`,
  TRUSTED_PROXIES: '127.0.0.1',
};

/** A server whose listener has another address than clients know. */
async function start(settings: TestSettings) {
  const port = await freePort();
  const server = await startServer({ settings: { S3_PORT: `${port}`, ...settings } });
  after(() => server[Symbol.asyncDispose]());
  const admin = adminClient(server.adminSocket);
  const { account } = await admin.createAccount({ username: 'ann' });
  const key = await admin.createS3Key(account, {});
  const signer = {
    accessKeyId: key.access_key_id,
    secret: key.secret,
    region: REGION,
    service: 's3',
  };
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, signer, key };
}

const behind = await start(BEHIND);
/** Reached without a proxy, or by one that it was not told of. */
const open = await start({
  S3_PUBLIC_URL: `https://${PUBLIC_HOST}`,
  TRUSTED_PROXIES: '10.0.0.0/8',
});

type World = typeof behind;
type Headers = Readonly<Record<string, string>>;

/** Headers are signed as `signed` and arrive as `arrived`; `undefined` there is lost. */
type Way = {
  readonly signed: Headers;
  readonly arrived: Readonly<Record<string, string | undefined>>;
  /** On the request line in place of what was signed. */
  readonly route?: string;
};

async function send({ url, signer, key, host }: World, way: Way): Promise<Answer> {
  const path = `/${key.default_bucket}`;
  const headers = { host, ...way.signed };
  const { rawHeaders } = signRequest(
    signer,
    {
      method: 'GET',
      rawPath: path,
      rawQuery: 'list-type=2',
      rawHeaders: Object.entries(headers).flat(),
      payloadHash: 'UNSIGNED-PAYLOAD',
    },
    { atMs: Date.now() },
  );
  const sent: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    sent[(rawHeaders[at] ?? '').toLowerCase()] = rawHeaders[at + 1] ?? '';
  }
  for (const [name, value] of Object.entries({ host, ...way.arrived })) {
    if (value === undefined) delete sent[name];
    else sent[name] = value;
  }
  return await call(url, { route: way.route ?? `GET ${path}?list-type=2`, headers: sent });
}

async function accepts(world: World, way: Way): Promise<void> {
  const answer = await send(world, way);
  assert.equal(answer.status, 200, `${JSON.stringify(way)} ${answer.text}`);
}

async function refuses(world: World, way: Way): Promise<Answer> {
  const answer = await send(world, way);
  assertS3Error(answer, 403, 'SignatureDoesNotMatch');
  return answer;
}

test('a request that nobody changed is accepted', async () => {
  await accepts(behind, { signed: {}, arrived: {} });
  await accepts(open, { signed: { 'accept-encoding': 'br' }, arrived: {} });
});

test('the public host may have been signed, with and without its default port', async () => {
  for (const world of [behind, open]) {
    for (const host of [PUBLIC_HOST, `${PUBLIC_HOST}:443`, `${PUBLIC_HOST}:80`]) {
      await accepts(world, { signed: { host }, arrived: {} });
      await accepts(world, { signed: { host }, arrived: { host: 'pinfold_s3' } });
    }
  }
});

test('a default port that was added or dropped on the way is forgiven', async () => {
  for (const world of [behind, open]) {
    for (const [signed, arrived] of [
      ['bucket.example.net', 'bucket.example.net:443'],
      ['bucket.example.net', 'bucket.example.net:80'],
      ['bucket.example.net:443', 'bucket.example.net'],
      ['bucket.example.net:80', 'bucket.example.net'],
    ] as const) {
      await accepts(world, { signed: { host: signed }, arrived: { host: arrived } });
    }
  }
});

test('what a trusted proxy forwards as host may have been signed', async () => {
  for (const [host, forwarded] of [
    ['shop.example.net', 'shop.example.net'],
    ['shop.example.net:8443', 'shop.example.net:8443'],
    ['shop.example.net', 'shop.example.net, inner.example.net'],
    ['shop.example.net', 'shop.example.net:443'],
    ['shop.example.net:443', 'shop.example.net'],
  ] as const) {
    const arrived = { host: 'inner', 'x-forwarded-host': forwarded };
    await accepts(behind, { signed: { host }, arrived });
  }
});

test('what anyone else forwards as host is not looked at', async () => {
  const host = 'shop.example.net';
  const arrived = { host: 'inner', 'x-forwarded-host': host };
  await refuses(open, { signed: { host }, arrived });
  const unset = await start({ S3_PUBLIC_URL: `https://${PUBLIC_HOST}` });
  await refuses(unset, { signed: { host }, arrived });
});

test('any other host is refused', async () => {
  for (const host of [
    'other.example.org',
    `${PUBLIC_HOST}:8443`,
    `${PUBLIC_HOST}.`,
    `x.${PUBLIC_HOST}`,
    '',
  ]) {
    await refuses(behind, { signed: { host }, arrived: {} });
    await refuses(open, { signed: { host }, arrived: {} });
  }
  // Only the first of a chain is what the client asked for.
  await refuses(behind, {
    signed: { host: 'inner.example.net' },
    arrived: { host: 'x', 'x-forwarded-host': 'shop.example.net, inner.example.net' },
  });
});

test('identity and gzip may have been signed, whatever arrives', async () => {
  for (const signed of ['identity', 'gzip']) {
    for (const arrived of ['identity', 'gzip', 'gzip, br', 'br;q=1.0, *;q=0.1', '', undefined]) {
      await accepts(behind, {
        signed: { 'accept-encoding': signed },
        arrived: { 'accept-encoding': arrived },
      });
    }
  }
});

test('host and encoding may both have been changed', async () => {
  await accepts(behind, {
    signed: { host: PUBLIC_HOST, 'accept-encoding': 'identity' },
    arrived: { host: 'inner', 'accept-encoding': 'gzip, br' },
  });
  await accepts(behind, {
    signed: { host: 'shop.example.net', 'accept-encoding': 'gzip' },
    arrived: { host: 'x', 'x-forwarded-host': 'shop.example.net', 'accept-encoding': undefined },
  });
});

test('other encodings that were signed must arrive', async () => {
  for (const signed of ['br', 'gzip, deflate', 'gzip;q=1', 'deflate', '*']) {
    await refuses(behind, {
      signed: { 'accept-encoding': signed },
      arrived: { 'accept-encoding': 'identity' },
    });
  }
});

test('an encoding that was not signed may be anything', async () => {
  await accepts(behind, { signed: {}, arrived: { 'accept-encoding': 'br' } });
});

test('every other signed part must arrive as it was', async () => {
  const { default_bucket: bucket } = behind.key;
  const signed = { 'content-type': 'text/plain', range: 'bytes=0-1', 'x-amz-meta-a': 'b' };
  await accepts(behind, { signed, arrived: {} });
  for (const [name, value] of [
    ['content-type', 'text/plain; charset=utf-8'],
    ['range', undefined],
    ['range', 'bytes=0-2'],
    ['x-amz-meta-a', 'c'],
    ['x-amz-content-sha256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ] as const) {
    await refuses(behind, { signed, arrived: { [name]: value } });
  }
  for (const route of [
    `GET /${bucket}/?list-type=2`,
    `GET //${bucket}?list-type=2`,
    `GET /${bucket}?list-type=2&added=1`,
    `GET /${bucket}`,
    `HEAD /${bucket}?list-type=2`,
    `DELETE /${bucket}?list-type=2`,
  ]) {
    const { status } = await send(behind, { signed, arrived: {}, route });
    assert.equal(status, 403, route);
  }
});

test('a refusal shows what arrived, not what was tried in its place', async () => {
  const answer = await refuses(behind, {
    signed: { host: 'other.example.org', 'accept-encoding': 'br' },
    arrived: { host: 'inner', 'accept-encoding': 'zstd' },
  });
  const canonical = /<CanonicalRequest>([^<]*)</.exec(answer.text)?.[1]?.replaceAll('&#10;', '\n');
  assert.match(canonical ?? '', /^GET\n\/[^\n]+\nlist-type=2\naccept-encoding:zstd\nhost:inner\n/);
  assert(!answer.text.includes(behind.key.secret));
});

test('a presigned URL is forgiven its host alike', async () => {
  for (const [world, signed, arrived, status] of [
    [behind, PUBLIC_HOST, { host: 'inner' }, 200],
    [open, PUBLIC_HOST, { host: 'inner' }, 200],
    [behind, `${PUBLIC_HOST}:443`, { host: PUBLIC_HOST }, 200],
    [behind, 'shop.example.net', { host: 'x', 'x-forwarded-host': 'shop.example.net' }, 200],
    [open, 'shop.example.net', { host: 'x', 'x-forwarded-host': 'shop.example.net' }, 403],
    [behind, 'other.example.org', { host: PUBLIC_HOST }, 403],
  ] as const) {
    const origin = `https://${signed}`;
    const url = presignUrl(
      world.signer,
      { method: 'GET', origin, rawPath: `/${world.key.default_bucket}`, expiresSeconds: 60 },
      { atMs: Date.now() },
    );
    const route = `GET ${url.slice(origin.length)}`;
    const answer = await call(world.url, { route, headers: arrived });
    assert.equal(answer.status, status, `${signed} ${answer.text}`);
  }
});
