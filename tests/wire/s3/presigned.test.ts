/**
 * Proves the contract's section "Presigned URLs": which are believed and until when, what may stand
 * in their queries, and which code each wrong one is refused with.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { formatAmzDate } from '../../../src/kit/sigv4/amz-date.ts';
import { presignUrl } from '../../../src/kit/sigv4/presign-url.ts';
import { encodeAwsChunked } from '../../world/aws-chunked-body.ts';
import type { Answer } from '../http-client.ts';
import { assertS3Error, REGION, type S3Holder, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  factOf,
  type Header,
  HOST,
  keysOf,
  type Message,
  scopeOf,
  signByHand,
  unsigned,
} from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket } = ann;
const send = (message: Message) => deliver(s3.endpoint, message);
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const WEEK_SECONDS = 604_800;

type Url = {
  readonly method?: string;
  readonly key?: string;
  /** In the query, and signed. */
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** Named by the signature, and sent. */
  readonly headers?: readonly Header[];
  readonly expiresSeconds?: number;
  readonly aheadMs?: number;
  readonly region?: string;
  readonly body?: string | Uint8Array;
};

/** A request by a presigned URL, and by nothing else. */
function presigned(url: Url, who: Pick<S3Holder, 'accessKeyId' | 'secret'> = ann): Message {
  const { method = 'GET', key = 'k', headers = [], body = '' } = url;
  const origin = `http://${HOST}`;
  const text = presignUrl(
    {
      accessKeyId: who.accessKeyId,
      secret: who.secret,
      region: url.region ?? REGION,
      service: 's3',
    },
    {
      method,
      origin,
      rawPath: `/${bucket}/${key}`,
      query: url.query ?? [],
      rawHeaders: headers.flat(),
      expiresSeconds: url.expiresSeconds ?? 300,
    },
    { atMs: Date.now() + (url.aheadMs ?? 0) },
  );
  return unsigned({ route: `${method} ${text.slice(origin.length)}`, headers, body });
}

const put = (key: string, more: Url = {}) =>
  presigned({ method: 'PUT', key, body: 'hello', ...more });

/** The message with its target changed. */
const edited = (message: Message, edit: (target: string) => string): Message => ({
  ...message,
  target: edit(message.target),
});

async function accept(message: Message): Promise<Answer> {
  const answer = await send(message);
  assert.equal(answer.status, 200, answer.text);
  return answer;
}

async function refuse(
  message: Message,
  status: number,
  code: string,
  facts: Readonly<Record<string, string | RegExp>> = {},
): Promise<void> {
  assertFacts(await send(message), status, code, facts);
  assert(!(await keysOf(ann)).includes('refused'), 'it was stored');
}

test('a URL alone puts, reads, shows and deletes', async () => {
  await accept(put('k'));
  assert.equal((await accept(presigned({}))).text, 'hello');
  assert.equal((await accept(presigned({ method: 'HEAD' }))).headers['content-length'], '5');
  assert.equal((await send(presigned({ method: 'DELETE' }))).status, 204);
  assertS3Error(await send(presigned({})), 404, 'NoSuchKey');
  await accept(put('k'));
});

test('a space in its query may come as a plus', async () => {
  const query = [['response-content-type', 'text/x one']] as const;
  const url = edited(presigned({ query }), (target) => target.replaceAll('%20', '+'));
  assert.match(url.target, /x\+one/);
  assert.equal((await accept(url)).headers['content-type'], 'text/x one');
});

test('it is good for its method, its path and its query alone', async () => {
  const mismatch = (message: Message) => refuse(message, 403, 'SignatureDoesNotMatch');
  const url = presigned({ key: 'refused' });
  await mismatch({ ...put('refused'), target: url.target });
  await mismatch({ ...url, method: 'DELETE' });
  await mismatch(edited(put('other'), (target) => target.replace('/other?', '/refused?')));
  await mismatch(edited(put('refused'), (target) => `${target}&x-amz-acl=private`));
  await mismatch(edited(put('refused'), (target) => target.replace('Expires=300', 'Expires=301')));
  await mismatch(edited(put('refused'), (target) => target.replace(/\w$/, 'x')));
});

test('a parameter that is missing, empty or there twice is a malformed query', async () => {
  const code = 'AuthorizationQueryParametersError';
  const { target } = put('refused');
  const parameters = target.slice(target.indexOf('?') + 1).split('&');
  assert.equal(parameters.length, 6);
  for (const parameter of parameters) {
    const [name = ''] = parameter.split('=');
    const without = parameters.filter((one) => one !== parameter);
    const path = `/${bucket}/refused`;
    const changed = (query: string) => ({ ...put('refused'), target: `${path}?${query}` });
    await refuse(changed(without.join('&')), 400, code, { Message: new RegExp(`${name}`) });
    await refuse(changed([...without, `${name}=`].join('&')), 400, code);
    await refuse(changed([...without, name].join('&')), 400, code);
    await refuse(changed([...parameters, parameter].join('&')), 400, code);
  }
});

test('a parameter of a wrong form is a malformed query', async () => {
  const edits: readonly (readonly [pattern: RegExp, text: string])[] = [
    [/AWS4-HMAC-SHA256/, 'AWS4-HMAC-SHA1'],
    [/AWS4-HMAC-SHA256/, 'AWS4-ECDSA-P256-SHA256'],
    [/AWS4-HMAC-SHA256/, 'aws4-hmac-sha256'],
    [/Credential=[^&]*/, 'Credential=x'],
    [/%2Fs3%2F/, '%2Fsts%2F'],
    [/aws4_request/, 'aws4'],
    [/%2F\d{8}%2F/, '%2F20200101%2F'],
    [/%2F\d{8}%2F/, '%2F2020-1-1%2F'],
    [/Date=[^&]*/, 'Date=20200101T000000Z'],
    [/Date=[^&]*/, 'Date=20260231T000000Z'],
    [/Date=[^&]*/, 'Date=now'],
    [/Expires=300/, 'Expires=-1'],
    [/Expires=300/, 'Expires=1.5'],
    [/Expires=300/, 'Expires=%2B1'],
    [/Expires=300/, 'Expires=0x10'],
    [/Expires=300/, 'Expires=1e3'],
    [/Expires=300/, 'Expires=soon'],
    [/Expires=300/, `Expires=${WEEK_SECONDS + 1}`],
    [/Expires=300/, 'Expires=99999999999999999999'],
    [/SignedHeaders=host/, 'SignedHeaders=Host'],
    [/SignedHeaders=host/, 'SignedHeaders=%3B'],
  ];
  for (const [pattern, text] of edits) {
    const message = edited(put('refused'), (target) => target.replace(pattern, text));
    await refuse(message, 400, 'AuthorizationQueryParametersError');
  }
});

test('it is good from a quarter of an hour before its date until it expires', async () => {
  await accept(put('early', { aheadMs: 14.5 * MINUTE_MS }));
  await accept(put('late', { aheadMs: -4.5 * MINUTE_MS }));
  await accept(
    put('week', { expiresSeconds: WEEK_SECONDS, aheadMs: -WEEK_SECONDS * 1000 + 60_000 }),
  );
  const early = put('refused', { aheadMs: 15.1 * MINUTE_MS });
  await refuse(early, 403, 'AccessDenied', {
    Message: 'Request is not valid yet',
    ServerTime: /^20\d\d-.*Z$/,
  });
  const ends = Date.now() - 10 * SECOND_MS;
  for (const url of [
    { expiresSeconds: 300, aheadMs: -310 * SECOND_MS },
    { expiresSeconds: WEEK_SECONDS, aheadMs: -(WEEK_SECONDS + 10) * SECOND_MS },
    { expiresSeconds: 0, aheadMs: -10 * SECOND_MS },
  ]) {
    const message = put('refused', url);
    const answer = await send(message);
    assertFacts(answer, 403, 'AccessDenied', {
      Message: 'Request has expired',
      'X-Amz-Expires': `${url.expiresSeconds}`,
      ServerTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/,
    });
    const said = Date.parse(factOf(answer, 'ExpiresDate') ?? '');
    assert(Math.abs(said - ends) < 5 * SECOND_MS, answer.text);
  }
  await refuse(put('refused', { expiresSeconds: 0 }), 403, 'AccessDenied', {
    Message: 'Request has expired',
  });
});

test('who signed it is found out as for a header', async () => {
  await refuse(
    presigned({ method: 'PUT', key: 'refused' }, { ...ann, secret: 'wrong' }),
    403,
    'SignatureDoesNotMatch',
    { CanonicalRequest: /^PUT\n/, StringToSign: /^AWS4-HMAC-SHA256\n/ },
  );
  const unknown = { ...ann, accessKeyId: 'A'.repeat(20) };
  const wanted = { method: 'PUT', key: 'refused' };
  await refuse(presigned(wanted, unknown), 403, 'InvalidAccessKeyId');
  const { access_key_id: accessKeyId, secret } = await s3.admin.createS3Key(ann.account, {});
  await accept(presigned({ ...wanted, key: 'by-other' }, { accessKeyId, secret }));
  await s3.admin.revokeS3Key(accessKeyId);
  await refuse(presigned(wanted, { accessKeyId, secret }), 403, 'InvalidAccessKeyId');
  await accept(put('any-region', { region: 'us-east-1' }));
  await accept(put('no-region', { region: '' }));
  const token = { query: [['X-Amz-Security-Token', 'x']] as const };
  await refuse(put('refused', token), 400, 'InvalidToken');
});

test('x-amz headers beside it must be signed, others need not be', async () => {
  const message = put('refused');
  const acl = { ...message, headers: [...message.headers, ['x-amz-acl', 'private'] as const] };
  await refuse(acl, 403, 'AccessDenied', { HeadersNotSigned: 'x-amz-acl' });
  const typed = put('typed');
  await accept({ ...typed, headers: [...typed.headers, ['content-type', 'text/html']] });
  assert.equal((await accept(presigned({ key: 'typed' }))).headers['content-type'], 'text/html');
  await accept(put('signed', { headers: [['x-amz-meta-a', 'b']] }));
  assert.equal((await accept(presigned({ key: 'signed' }))).headers['x-amz-meta-a'], 'b');
});

/** Signs another hash than that of no body, which is told in the query or in a signed header. */
function hashed(
  key: string,
  payload: { readonly hash: string; readonly isInQuery: boolean },
  { headers = [], body = 'hello' }: Url = {},
): Message {
  const amzDate = formatAmzDate(Date.now());
  const told: readonly Header[] = payload.isInQuery ? [] : [['x-amz-content-sha256', payload.hash]];
  const sent = [...headers, ...told].sort();
  const names = ['host', ...sent.map(([name]) => name)];
  const credential = `${ann.accessKeyId}/${scopeOf(amzDate)}`.replaceAll('/', '%2F');
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    ...(payload.isInQuery ? [`X-Amz-Content-Sha256=${payload.hash}`] : []),
    ...[`X-Amz-Credential=${credential}`, `X-Amz-Date=${amzDate}`, 'X-Amz-Expires=60'],
    `X-Amz-SignedHeaders=${names.join('%3B')}`,
  ].join('&');
  const lines = [`host:${HOST}`, ...sent.map(([name, value]) => `${name}:${value}`)];
  const path = `/${bucket}/${key}`;
  const signature = signByHand(ann, amzDate, [
    ...['PUT', path, query, ...lines, '', names.join(';'), payload.hash],
  ]);
  const route = `PUT ${path}?${query}&X-Amz-Signature=${signature}`;
  return unsigned({ route, headers: sent, body });
}

test('the body is unsigned unless the URL or a signed header says its hash', async () => {
  await accept(put('any-body'));
  for (const isInQuery of [true, false]) {
    const told = (text: string) => ({ hash: text, isInQuery });
    const ofHello = told(hash('sha256', 'hello', 'hex'));
    await accept(hashed('hashed', ofHello));
    const other = hashed('refused', ofHello, { body: 'jello' });
    await refuse(other, 400, 'XAmzContentSHA256Mismatch');
    await accept(hashed('unsigned', told('UNSIGNED-PAYLOAD')));
    await refuse(hashed('refused', told('x')), 400, 'InvalidArgument');
  }
});

test('a presigned body may come in unsigned chunks with a checksum behind it', async () => {
  const body = encodeAwsChunked({
    chunks: [Buffer.from('hello')],
    trailers: [['x-amz-checksum-crc32', 'NhCmhg==']],
  });
  const headers: readonly Header[] = [
    ['x-amz-decoded-content-length', '5'],
    ['x-amz-trailer', 'x-amz-checksum-crc32'],
  ];
  const told = { hash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER', isInQuery: false };
  await accept(hashed('chunked', told, { headers, body }));
  assert.equal((await accept(presigned({ key: 'chunked' }))).text, 'hello');
});

test('x-amz parameters of the query count as headers', async () => {
  const query = [
    ['x-amz-meta-Colour', 'deep blue é'],
    ['x-amz-storage-class', 'STANDARD_IA'],
    ['x-amz-tagging', 'a=b&c=d'],
    ['x-amz-acl', 'private'],
    ['x-amz-server-side-encryption', 'AES256'],
  ] as const;
  await accept(put('hoisted', { query }));
  const { headers } = await accept(presigned({ method: 'HEAD', key: 'hoisted' }));
  const colour = Buffer.from(String(headers['x-amz-meta-colour']), 'latin1').toString();
  assert.deepEqual(
    [colour, headers['x-amz-storage-class'], headers['x-amz-tagging-count']],
    ['deep blue é', 'STANDARD_IA', '2'],
  );
  const refused: readonly (readonly [name: string, value: string, status: number, code: string])[] =
    [
      ['x-amz-acl', 'public-read', 400, 'AccessControlListNotSupported'],
      ['x-amz-storage-class', 'PAPER', 400, 'InvalidStorageClass'],
      ['x-amz-tagging', 'a=%zz', 400, 'InvalidArgument'],
      ['x-amz-meta-long', 'x'.repeat(2100), 400, 'MetadataTooLarge'],
      ['x-amz-server-side-encryption', 'aws:kms', 501, 'NotImplemented'],
      ['x-amz-expected-bucket-owner', '1'.repeat(64), 403, 'AccessDenied'],
    ];
  for (const [name, value, status, code] of refused) {
    await refuse(put('refused', { query: [[name, value]] }), status, code);
  }
  const copy = put('copied', { query: [['x-amz-copy-source', `${bucket}/k`]], body: '' });
  assert.match((await accept(copy)).text, /<CopyObjectResult/);
});

test('a parameter that no header could say is refused, not kept where no answer can say it', async () => {
  const said: readonly (readonly [name: string, value: string])[] = [
    ...['a\nb', 'a\r\nset-cookie: b', 'a\0', '\x7f'].map(
      (value) => ['x-amz-meta-a', value] as const,
    ),
    ['x-amz-meta-a b', 'c'],
    ['x-amz-meta-a\nb', 'c'],
    ['x-amz-meta-ä', 'c'],
    ['x-amz-website-redirect-location', '/a\nb'],
    ['x-amz-copy-source', `${bucket}/k\n`],
  ];
  for (const [name, value] of said) {
    await refuse(put('refused', { query: [[name, value]] }), 400, 'InvalidArgument', {
      ArgumentName: name,
    });
  }
});

test('checksums of the query are ignored: one SDK signs that of an empty body', async () => {
  const query = [
    ['x-amz-checksum-crc32', 'AAAAAA=='],
    ['x-amz-sdk-checksum-algorithm', 'CRC32'],
  ] as const;
  await accept(put('baked', { query }));
  const read = { key: 'baked', query: [['x-amz-checksum-mode', 'ENABLED']] as const };
  const answer = await accept(presigned(read));
  assert.equal(answer.text, 'hello');
  assert.equal(answer.headers['x-amz-checksum-crc32'], undefined);
});

test('a URL chooses headers of its answer', async () => {
  await accept(put('k'));
  const query = [
    ['response-content-type', 'text/x-é'],
    ['response-content-language', 'de'],
    ['response-content-disposition', 'attachment; filename="a b.txt"'],
    ['response-content-encoding', 'gzip'],
    ['response-cache-control', 'no-store'],
    ['response-expires', 'Thu, 01 Jan 2026 00:00:00 GMT'],
  ] as const;
  for (const method of ['GET', 'HEAD']) {
    const { headers, bytes } = await accept(presigned({ method, query }));
    assert.equal(bytes.toString(), method === 'GET' ? 'hello' : '');
    for (const [name, value] of query) {
      const said = Buffer.from(String(headers[name.slice('response-'.length)]), 'latin1');
      assert.equal(said.toString(), value, name);
    }
  }
  const split = [['response-content-type', 'a\r\nset-cookie: b']] as const;
  await refuse(presigned({ query: split }), 400, 'InvalidArgument');
});

test('an expired URL for HEAD is refused without a body', async () => {
  const expired = { method: 'HEAD', expiresSeconds: 1, aheadMs: -10 * SECOND_MS };
  const { status, bytes } = await send(presigned(expired));
  assert.deepEqual([status, bytes.length], [403, 0]);
});
