/**
 * Proves the contract's section "Authentication" for signatures in headers: who is believed, and
 * which code each wrong shape, date, key, region and order of faults is refused with.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { formatAmzDate } from '../../../src/kit/sigv4/amz-date.ts';
import type { Answer } from '../http-client.ts';
import { assertS3Error, type S3Holder, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  factOf,
  HOST,
  headerOf,
  keysOf,
  type Message,
  signed,
  signedByHand,
  type ToSign,
  unsigned,
  withHeaders,
} from './wire-request.ts';

const MINUTE_MS = 60_000;
const SIGV2_REFUSAL =
  'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.';

const s3 = await startS3({ REGION: 'home-1' });
const strict = await startS3({ REGION: 'home-1', S3_STRICT_REGION: 'yes' });
const ann = await s3.openHolder('ann');

const send = (message: Message) => deliver(s3.endpoint, message);
const put = (key: string, more: Partial<ToSign> = {}, who: S3Holder = ann) =>
  signed(who, { route: `PUT /${who.bucket}/${key}`, body: 'hello', ...more });

const authorizationOf = (message: Message) => headerOf(message, 'authorization');

/** The message with its `Authorization` changed. */
const edited = (message: Message, edit: (text: string) => string) =>
  withHeaders(message, { authorization: edit(authorizationOf(message)) });

async function assertStored(message: Message, key: string): Promise<void> {
  const answer = await send(message);
  assert.equal(answer.status, 200, answer.text);
  assert((await keysOf(ann)).includes(key), key);
}

async function refuse(
  message: Message,
  status: number,
  code: string,
  facts: Readonly<Record<string, string | RegExp>> = {},
): Promise<Answer> {
  const answer = await send(message);
  assertFacts(answer, status, code, facts);
  assert(!(await keysOf(ann)).includes('refused'), 'it was stored');
  return answer;
}

test('the parts of the header may be apart by commas alone, and in any order', async () => {
  await assertStored(put('spaces'), 'spaces');
  await assertStored(
    edited(put('commas'), (text) => text.replaceAll(', ', ',')),
    'commas',
  );
  const backwards = edited(put('backwards'), (text) => {
    const [credential, names, signature] = text.slice('AWS4-HMAC-SHA256 '.length).split(', ');
    return `AWS4-HMAC-SHA256 ${signature},${names} , ${credential}`;
  });
  await assertStored(backwards, 'backwards');
});

test('a header of another form is AuthorizationHeaderMalformed', async () => {
  const edits: readonly ((text: string) => string)[] = [
    (text) => text.replace(/Credential=[^,]*, /, ''),
    (text) => text.replace(/SignedHeaders=[^,]*, /, ''),
    (text) => text.replace(/, Signature=.*/, ''),
    (text) => text.replace(/Signature=.*/, 'Signature='),
    (text) => text.replace(/Credential=[^,]*/, 'Credential='),
    (text) => text.replace(/SignedHeaders=[^,]*/, 'SignedHeaders='),
    (text) => text.replace(/SignedHeaders=[^,]*/, 'SignedHeaders=;;'),
    (text) => text.replace('SignedHeaders=host', 'SignedHeaders=Host'),
    (text) => text.replace(/\/\d{8}\//, '/2026-01-01/'),
    (text) => text.replace(/\/\d{8}\//, '/'),
    (text) => text.replace(/\/\d{8}\//, '/20260230/'),
    (text) => text.replace('/s3/', '/sts/'),
    (text) => text.replace('/s3/', '/S3/'),
    (text) => text.replace('/aws4_request', '/aws5_request'),
    (text) => text.replace('/aws4_request', ''),
    (text) => text.replace('/aws4_request', '/aws4_request/more'),
    (text) => `${text}, Signature=${'0'.repeat(64)}`,
    (text) => `${text}, Other=1`,
    (text) => text.replace('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA512'),
    (text) => text.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256'),
    (text) => text.replace('AWS4-HMAC-SHA256 ', 'AWS4-HMAC-SHA256'),
    () => 'AWS4-HMAC-SHA256',
    () => 'x',
    (text) => `${text}${' '.repeat(9000)}x`,
  ];
  for (const edit of edits) {
    const message = edited(put('refused'), edit);
    await refuse(message, 400, 'AuthorizationHeaderMalformed');
  }
});

test('another type of authorization is told to be unsupported', async () => {
  for (const type of ['Basic YW5uOmFubg==', 'Bearer token']) {
    const message = edited(put('refused'), () => type);
    await refuse(message, 400, 'InvalidArgument', { Message: 'Unsupported Authorization Type' });
  }
});

test('an empty header is none: the request is of nobody', async () => {
  await refuse(withHeaders(put('refused'), { authorization: '' }), 403, 'AccessDenied');
  const read = unsigned({ route: `GET /${ann.bucket}/spaces`, headers: [['authorization', '']] });
  await refuse(read, 403, 'AccessDenied');
  await s3.callRest(ann, 'PATCH /api/s3/bucket', { public_read: true });
  assert.equal((await send(read)).text, 'hello');
  await s3.callRest(ann, 'PATCH /api/s3/bucket', { public_read: false });
});

test('the day of the credential is the day of the request', async () => {
  const yesterday = formatAmzDate(Date.now() - 24 * 60 * MINUTE_MS).slice(0, 8);
  const message = edited(put('refused'), (text) => text.replace(/\/\d{8}\//, `/${yesterday}/`));
  await refuse(message, 400, 'AuthorizationHeaderMalformed');
});

test('the old signature is refused in the words from which clients go back to the new', async () => {
  const header = edited(put('refused'), () => `AWS ${ann.accessKeyId}:c2lnbmF0dXJl`);
  await refuse(header, 400, 'InvalidRequest', { Message: SIGV2_REFUSAL });
  const query = `AWSAccessKeyId=${ann.accessKeyId}&Signature=c2lnbmF0dXJl&Expires=4000000000`;
  const url = unsigned({ route: `PUT /${ann.bucket}/refused?${query}`, body: 'hello' });
  await refuse(url, 400, 'InvalidRequest', {
    Message: SIGV2_REFUSAL,
    Hint: /set signature_version to s3v4 \(AWS_S3_SIGNATURE_VERSION/,
  });
  const head = unsigned({ route: `HEAD /${ann.bucket}/refused?${query}` });
  assert.deepEqual(bodyless(await send(head)), [400, 0]);
});

const bodyless = ({ status, bytes }: Answer) => [status, bytes.length];

test('a signature in the header and one in the query is one too many', async () => {
  const query =
    'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=b&X-Amz-Expires=1' +
    '&X-Amz-SignedHeaders=host&X-Amz-Signature=c';
  const both = signed(ann, { route: `PUT /${ann.bucket}/refused?${query}`, body: 'hello' });
  await refuse(both, 400, 'InvalidArgument', {
    ArgumentName: 'Authorization',
    Message: /^Only one auth mechanism allowed/,
  });
});

test('an unknown key and a revoked one are InvalidAccessKeyId from the next request on', async () => {
  const unknown = { ...ann, accessKeyId: 'A'.repeat(20) };
  await refuse(put('refused', {}, unknown), 403, 'InvalidAccessKeyId', {
    AWSAccessKeyId: unknown.accessKeyId,
  });
  for (const accessKeyId of ['short', 'a'.repeat(20), `${'A'.repeat(19)}1`, `${'é'.repeat(20)}`]) {
    const { status } = await send(put('refused', {}, { ...ann, accessKeyId }));
    assert([400, 403].includes(status), accessKeyId);
  }
  const { access_key_id: accessKeyId, secret } = await s3.admin.createS3Key(ann.account, {});
  const other = { ...ann, accessKeyId, secret };
  await assertStored(put('before', {}, other), 'before');
  await s3.admin.revokeS3Key(accessKeyId);
  await refuse(put('refused', {}, other), 403, 'InvalidAccessKeyId', {
    AWSAccessKeyId: accessKeyId,
  });
});

test('a wrong secret is SignatureDoesNotMatch, with all that was computed but the secret', async () => {
  const liar = { ...ann, secret: `${ann.secret.slice(0, -1)}_` };
  const message = put('refused', { headers: [['x-amz-meta-a', 'b']] }, liar);
  const answer = await refuse(message, 403, 'SignatureDoesNotMatch', {
    AWSAccessKeyId: ann.accessKeyId,
    SignatureProvided: /^[0-9a-f]{64}$/,
  });
  const date = headerOf(message, 'x-amz-date');
  const payloadHash = headerOf(message, 'x-amz-content-sha256');
  const canonical = [
    ...['PUT', `/${ann.bucket}/refused`, '', `host:${HOST}`, `x-amz-content-sha256:${payloadHash}`],
    ...[`x-amz-date:${date}`, 'x-amz-meta-a:b', ''],
    ...['host;x-amz-content-sha256;x-amz-date;x-amz-meta-a', payloadHash],
  ].join('\n');
  assert.equal(factOf(answer, 'CanonicalRequest'), canonical);
  const bytes = factOf(answer, 'CanonicalRequestBytes') ?? '';
  assert.equal(Buffer.from(bytes.replaceAll(' ', ''), 'hex').toString(), canonical);
  const scope = `${date.slice(0, 8)}/auto/s3/aws4_request`;
  const text = factOf(answer, 'StringToSign') ?? '';
  assert.match(text, /\n[0-9a-f]{64}$/);
  assert(text.startsWith(`AWS4-HMAC-SHA256\n${date}\n${scope}\n`), text);
  assert(!answer.text.includes(ann.secret));
});

test('a signature is compared whole and as it is', async () => {
  const edits: readonly ((signature: string) => string)[] = [
    (signature) => signature.toUpperCase(),
    (signature) => signature.slice(1),
    (signature) => `${signature}0`,
    () => '0'.repeat(64),
    () => 'x',
  ];
  for (const edit of edits) {
    const message = edited(put('refused'), (text) =>
      text.replace(/(?<=Signature=).*/, (signature) => edit(signature)),
    );
    await refuse(message, 403, 'SignatureDoesNotMatch');
  }
});

test('a clock may be off by less than a quarter of an hour, either way', async () => {
  await assertStored(put('slow', { aheadMs: -14.5 * MINUTE_MS }), 'slow');
  await assertStored(put('fast', { aheadMs: 14.5 * MINUTE_MS }), 'fast');
  for (const minutes of [-15.1, 15.1, -24 * 60, 24 * 60, -400_000, 400_000]) {
    const message = put('refused', { aheadMs: minutes * MINUTE_MS });
    await refuse(message, 403, 'RequestTimeTooSkewed', {
      RequestTime: headerOf(message, 'x-amz-date'),
      ServerTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/,
      MaxAllowedSkewMilliseconds: '900000',
    });
  }
});

test('Date stands in for x-amz-date, in both of its forms', async () => {
  for (const form of ['http', 'amz'] as const) {
    await assertStored(dated(`dated-${form}`, form), `dated-${form}`);
  }
  // Where both are sent, x-amz-date is the one that counts.
  const both = withHeaders(put('both'), { date: 'Thu, 01 Jan 1970 00:00:00 GMT' });
  await assertStored(both, 'both');
});

function dated(key: string, form: 'http' | 'amz'): Message {
  const atMs = Date.now();
  const date = form === 'http' ? new Date(atMs).toUTCString() : formatAmzDate(atMs);
  const payloadHash = hash('sha256', 'hello', 'hex');
  return signedByHand(ann, {
    route: `PUT /${ann.bucket}/${key}`,
    headers: [
      ['Date', date],
      ['x-amz-content-sha256', payloadHash],
    ],
    body: 'hello',
    canonical: [
      ...['PUT', `/${ann.bucket}/${key}`, '', `date:${date}`, `host:${HOST}`],
      ...[`x-amz-content-sha256:${payloadHash}`, '', 'date;host;x-amz-content-sha256', payloadHash],
    ],
    atMs,
  });
}

test('without a date that can be read a request is AccessDenied', async () => {
  const words = { Message: /valid Date or x-amz-date header/ };
  const none = withHeaders(put('refused'), { 'x-amz-date': undefined });
  await refuse(none, 403, 'AccessDenied', words);
  const bad = [
    '',
    'now',
    '20260101',
    '2026-01-01T00:00:00Z',
    '20260231T000000Z',
    '20260101T000000',
  ];
  for (const date of bad) {
    await refuse(withHeaders(put('refused'), { 'x-amz-date': date }), 403, 'AccessDenied', words);
  }
  const badDate = withHeaders(put('refused'), { 'x-amz-date': undefined, date: 'tomorrow' });
  await refuse(badDate, 403, 'AccessDenied', words);
});

test('any region is good, and none', async () => {
  for (const region of ['auto', 'us-east-1', 'home-1', 'eu-north-7', 'X', '']) {
    const key = `region-${region}`;
    await assertStored(put(key, { region }), key);
  }
  const other = edited(put('refused', { region: 'eu' }), (text) => text.replace('/eu/', '/us/'));
  await refuse(other, 403, 'SignatureDoesNotMatch');
});

test('a strict server takes its region alone, and us-east-1 to be asked which that is', async () => {
  const bob = await strict.openHolder('bob');
  const ask = (route: string, region: string) =>
    deliver(strict.endpoint, signed(bob, { route, region }));
  assert.equal((await ask(`PUT /${bob.bucket}/good`, 'home-1')).status, 200);
  for (const region of ['us-east-1', 'auto', '', 'home-2']) {
    const refused = await ask(`PUT /${bob.bucket}/refused`, region);
    assertFacts(refused, 400, 'AuthorizationHeaderMalformed', { Region: 'home-1' });
  }
  const location = await ask(`GET /${bob.bucket}?location`, 'us-east-1');
  assert.equal(location.status, 200, location.text);
  assert.match(location.text, /<LocationConstraint [^>]*>home-1<\/LocationConstraint>/);
  assertS3Error(
    await ask(`GET /${bob.bucket}?location`, 'auto'),
    400,
    'AuthorizationHeaderMalformed',
  );
  const { text } = await ask(`GET /${bob.bucket}?list-type=2`, 'home-1');
  assert.deepEqual(text.match(/<Key>[^<]*/g), ['<Key>good']);
});

test('host and every x-amz header must be signed', async () => {
  const words = 'There were headers present in the request which were not signed';
  for (const name of ['x-amz-meta-a', 'X-Amz-Acl', 'x-amz-storage-class', 'x-amz-anything']) {
    const message = withHeaders(put('refused'), { [name]: 'private' });
    await refuse(message, 403, 'AccessDenied', {
      Message: words,
      HeadersNotSigned: name.toLowerCase(),
    });
  }
  for (const name of ['host', 'x-amz-date', 'x-amz-content-sha256']) {
    const message = edited(put('refused'), (text) => {
      const names = text.replace(new RegExp(`(?<=[=;])${name};?`), '');
      return names.replace(';,', ',');
    });
    await refuse(message, 403, 'AccessDenied', { Message: words, HeadersNotSigned: name });
  }
  // Whatever else there is may be added on the way.
  await assertStored(withHeaders(put('added'), { 'x-forwarded-for': '10.0.0.1' }), 'added');
});

test('a session token is InvalidToken: none was ever issued', async () => {
  const headers = [['x-amz-security-token', 'token']] as const;
  await refuse(put('refused', { headers }), 400, 'InvalidToken');
});

test('the owner that a request expects is the owner, or it is AccessDenied', async () => {
  const acl = await ann.raw.expectDone({ method: 'GET', bucket: ann.bucket, query: [['acl', '']] });
  const owner = factOf(acl, 'ID') ?? '';
  assert.match(owner, /^[0-9a-f]{64}$/);
  const expecting = (key: string, id: string) =>
    put(key, { headers: [['x-amz-expected-bucket-owner', id]] });
  await assertStored(expecting('owned', owner), 'owned');
  for (const other of ['1'.repeat(64), owner.toUpperCase(), '', ann.account]) {
    await refuse(expecting('refused', other), 403, 'AccessDenied');
  }
  const copy = (key: string, id: string) =>
    signed(ann, {
      route: `PUT /${ann.bucket}/${key}`,
      headers: [
        ['x-amz-copy-source', `/${ann.bucket}/owned`],
        ['x-amz-source-expected-bucket-owner', id],
      ],
    });
  await assertStored(copy('copied', owner), 'copied');
  await refuse(copy('refused', '1'.repeat(64)), 403, 'AccessDenied');
});

test('who pays and a second factor are ignored', async () => {
  const headers = [
    ['x-amz-request-payer', 'requester'],
    ['x-amz-mfa', '20899872 301749'],
  ] as const;
  await assertStored(put('payer', { headers }), 'payer');
});

test('of several faults the first in the order of checks is told', async () => {
  const stranger = { ...ann, accessKeyId: 'B'.repeat(20), secret: 'wrong' };
  const liar = { ...ann, secret: 'wrong' };
  const route = 'PUT /no-such-bucket/k';
  // Routing before the shape of the signature, that before dates, dates before the key.
  const nowhere = edited(signed(stranger, { route: 'DELETE /' }), () => 'x');
  assertS3Error(await send(nowhere), 405, 'MethodNotAllowed');
  const shapeless = edited(signed(stranger, { route, aheadMs: -MINUTE_MS * 60 }), () => 'x');
  assertS3Error(await send(shapeless), 400, 'AuthorizationHeaderMalformed');
  const late = signed(stranger, { route, aheadMs: -MINUTE_MS * 60 });
  assertS3Error(await send(late), 403, 'RequestTimeTooSkewed');
  // The key before the signature, that before the bucket, that before who may.
  assertS3Error(await send(signed(stranger, { route })), 403, 'InvalidAccessKeyId');
  assertS3Error(await send(signed(liar, { route })), 403, 'SignatureDoesNotMatch');
  const bad = [['content-md5', 'bad']] as const;
  assertS3Error(await send(signed(ann, { route, headers: bad })), 404, 'NoSuchBucket');
  const bob = await s3.openHolder('order');
  const his = `PUT /${bob.bucket}/k`;
  assertS3Error(await send(signed(ann, { route: his, headers: bad })), 403, 'AccessDenied');
  // What is asked for before conditions, those before the body.
  const never = [['if-match', 'x'] as const];
  const own = `PUT /${ann.bucket}/refused`;
  const badAndNever = signed(ann, { route: own, headers: [...bad, ...never] });
  await refuse(badAndNever, 400, 'InvalidDigest');
  const wrong = [['content-md5', 'AAAAAAAAAAAAAAAAAAAAAA==']] as const;
  const neverAndWrong = signed(ann, { route: own, headers: [...wrong, ...never], body: 'x' });
  await refuse(neverAndWrong, 404, 'NoSuchKey');
  await refuse(signed(ann, { route: own, headers: wrong, body: 'x' }), 400, 'BadDigest');
});
