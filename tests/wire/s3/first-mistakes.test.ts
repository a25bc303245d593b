/**
 * Proves that the refusals which people meet first say what is wrong and what to do: hosts that
 * name a bucket, no key, names and numbers of buckets, and what is not served.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signRequest } from '../../../src/kit/sigv4/sign-request.ts';
import type { Answer } from '../http-client.ts';
import { assertS3Error, REGION, type S3Holder, startS3 } from './start-s3.ts';
import { assertFacts, deliver, type Header, keysOf, signed, unsigned } from './wire-request.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');
const bob = await s3.openHolder('bob');
const { bucket } = ann;
const publicHost = new URL(s3.endpoint).host;

const ask = (route: string, headers: readonly Header[] = [], body = '') =>
  deliver(s3.endpoint, signed(ann, { route, headers, body }));

/** As `who` signs it for a host, which is then also sent. */
async function askOf(
  who: Pick<S3Holder, 'accessKeyId' | 'secret'>,
  host: string,
  route: string,
): Promise<Answer> {
  const [method = '', target = ''] = route.split(' ');
  const [rawPath = '', rawQuery = ''] = target.split('?');
  const { rawHeaders } = signRequest(
    { ...who, region: REGION, service: 's3' },
    { method, rawPath, rawQuery, rawHeaders: ['host', host], payloadHash: 'UNSIGNED-PAYLOAD' },
    { atMs: Date.now() },
  );
  const headers = Object.fromEntries(
    rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [])),
  );
  return await s3.call({ route, headers });
}

test('a bucket in the host is refused before the path is taken for something else', async () => {
  await s3.admin.changeLimits(ann.account, { buckets: 3 });
  const host = `${bucket}.${publicHost}`;
  for (const route of [
    'GET /?list-type=2&prefix=',
    'PUT /empty.txt',
    'GET /hello.txt',
    `DELETE /${bucket}`,
    'GET /?location',
  ]) {
    const answer = await askOf(ann, host, route);
    assertFacts(answer, 400, 'InvalidRequest', { BucketName: bucket, Message: /path-style/ });
  }
  assert.equal((await askOf(ann, host, 'HEAD /hello.txt')).status, 400);
  const buckets = await ask('GET /');
  assert.equal(buckets.text.match(/<Bucket>/g)?.length, 1, 'no key has become a bucket');
});

test("any other host is served, also one with the name of somebody else's bucket", async () => {
  for (const host of [
    publicHost,
    `${bob.bucket}.${publicHost}`,
    `absent-bucket.${publicHost}`,
    `www.${publicHost}`,
    `A_.${publicHost}`,
    `${bucket}${publicHost}`,
    `${bucket}.example.org`,
    `${bucket}.${publicHost}0`,
    '127.0.0.1',
  ]) {
    const answer = await askOf(ann, host, `GET /${bucket}?list-type=2`);
    assert.equal(answer.status, 200, `${host} ${answer.text}`);
  }
});

test('who comes without a key is told what this is', async () => {
  for (const route of ['GET /', `GET /${bucket}`, `GET /${bucket}/k`, `PUT /${bucket}/k`]) {
    const answer = await deliver(s3.endpoint, unsigned({ route }));
    assertFacts(answer, 403, 'AccessDenied', { Message: /S3 gateway: .* signed with an S3 key/ });
  }
  const key = await s3.admin.createS3Key(ann.account, { read_only: true });
  const reader = { accessKeyId: key.access_key_id, secret: key.secret };
  const refused = await deliver(s3.endpoint, signed(reader, { route: `PUT /${bucket}/k` }));
  assertFacts(refused, 403, 'AccessDenied', { Message: 'Access Denied' });
  assert.deepEqual(await keysOf(ann), []);
});

test('who comes with a key of the API is told which keys are for which', async () => {
  for (const authorization of [
    ...[`ApiKey ${ann.appKey}`, `Bearer ${ann.appKey}`, `Basic ${ann.appKey}`],
  ]) {
    const headers = [['authorization', authorization]] as const;
    const answer = await deliver(s3.endpoint, unsigned({ route: 'GET /files', headers }));
    assertFacts(answer, 400, 'InvalidArgument', {
      Message: 'Unsupported Authorization Type',
      ArgumentName: 'Authorization',
      Hint: /signed with an S3 key; app keys and tokens are for the API/,
    });
    assert.ok(!answer.text.includes(ann.appKey), 'a secret is not said again');
  }
});

test('a wrong name of a bucket is answered with the rule', async () => {
  for (const route of ['PUT /MyBucket', 'GET /MyBucket', 'PUT /ab', 'GET /a_b/key', 'PUT /a..b']) {
    assertFacts(await ask(route), 400, 'InvalidBucketName', { Message: /3 to 63 of a-z, 0-9/ });
  }
  assertFacts(await ask('PUT /xn--bucket'), 400, 'InvalidBucketName', { Message: /reserved/ });
});

test('a place that there is not is answered with the one that there is', async () => {
  const body = `<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`;
  assertFacts(await ask('PUT /elsewhere', [], body), 400, 'InvalidLocationConstraint', {
    Message: /set the region of your client to auto/,
    LocationConstraint: 'eu-west-1',
  });
});

test('too many buckets and the default one are refused with the reason', async () => {
  for (const [allowed, words] of [
    [1, /its default bucket only; /],
    [0, /0 buckets and no more; who operates the server can allow more/],
  ] as const) {
    await s3.admin.changeLimits(ann.account, { buckets: allowed });
    assertFacts(await ask('PUT /one-more'), 400, 'TooManyBuckets', { Message: words });
  }
  const removed = await ask(`DELETE /${bucket}`);
  assertFacts(removed, 403, 'AccessDenied', { Message: /default bucket stays/ });
});

test('what is not served is named', async () => {
  const named = async (route: string, status: number, code: string, words: RegExp) =>
    assertFacts(await ask(route), status, code, { Message: words });
  const none = 'NotImplemented';
  await named(`PUT /${bucket}?policy`, 501, none, /^PutBucketPolicy is not served \(comes with/);
  await named(`PUT /${bucket}?website`, 501, none, /^PUT \?website of a bucket is not/);
  await named(`GET /${bucket}/k?retention`, 400, 'InvalidRequest', /object lock comes later/);
  await named(`GET /${bucket}?policy`, 404, 'NoSuchBucketPolicy', /^The bucket policy does not/);
});

test('a session token and a public ACL are refused with what there is instead', async () => {
  const token = await ask('GET /', [['x-amz-security-token', 'left over']]);
  assertFacts(token, 400, 'InvalidToken', { Message: /send no session token/ });
  const open = await ask(`PUT /${bucket}/k`, [['x-amz-acl', 'public-read']], 'x');
  assertFacts(open, 400, 'AccessControlListNotSupported', { Message: /public_read opens/ });
  const unknown = await ask(`PUT /${bucket}/k`, [['x-amz-acl', 'nonsense']], 'x');
  assertFacts(unknown, 400, 'InvalidArgument', { Message: /no such ACL/ });
  const tags = `<Tagging><TagSet>${'<Tag><Key>k</Key><Value/></Tag>'.repeat(51)}</TagSet></Tagging>`;
  assertS3Error(await ask(`PUT /${bucket}?tagging`, [], tags), 400, 'BadRequest');
});
