/**
 * Proves who reaches what over S3: nobody in particular, other accounts, keys that are limited to a
 * bucket, a prefix or to reading, and accounts that were disabled; each against every operation.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { OPERATIONS } from '../../../src/dialects/s3/operations/operation-table.ts';
import type { Answer } from '../http-client.ts';
import { assertS3Error, type S3Holder, startS3 } from './start-s3.ts';
import {
  assertFacts,
  deliver,
  factOf,
  type Header,
  keysOf,
  signed,
  unsigned,
} from './wire-request.ts';

const s3 = await startS3({ FREE_BUCKETS: '5' });

type Ask = (route: string, headers?: readonly Header[], body?: string) => Promise<Answer>;
type Limits = Parameters<typeof s3.admin.createS3Key>[1];

const asNobody: Ask = (route, headers = [], body = '') =>
  deliver(s3.endpoint, unsigned({ route, headers, body }));
const as =
  (who: Pick<S3Holder, 'accessKeyId' | 'secret'>): Ask =>
  (route, headers = [], body = '') =>
    deliver(s3.endpoint, signed(who, { route, headers, body }));

/** Another key of the account. */
async function keyOf(holder: S3Holder, limits: Limits): Promise<Ask> {
  const { access_key_id: accessKeyId, secret } = await s3.admin.createS3Key(holder.account, limits);
  return as({ accessKeyId, secret });
}

async function openBucket(holder: S3Holder, settings: object): Promise<void> {
  const answer = await s3.callRest(holder, 'PATCH /api/s3/bucket', { ...settings });
  assert.equal(answer.status, 200, answer.text);
}

const CORS =
  '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin>' +
  '<AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>';
const TAGGING = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
const DELETE = '<Delete><Object><Key>in/k</Key></Object></Delete>';
const md5Of = (text: string) => hash('md5', text, 'base64');
const MD5: Header = ['content-md5', md5Of(DELETE)];

type Row = { readonly route: string; readonly headers?: readonly Header[]; readonly body?: string };

/** A request of each operation that is served, on the bucket and its object `in/k`. */
function requestsOn(bucket: string, uploadId: string): Readonly<Record<string, Row>> {
  const [on, key] = [`/${bucket}`, `/${bucket}/in/k`];
  const copy: readonly Header[] = [['x-amz-copy-source', `${bucket}/in/k`]];
  const part = `${key}?partNumber=1&uploadId=${uploadId}`;
  return {
    CreateBucket: { route: 'PUT /made-by-reach' },
    HeadBucket: { route: `HEAD ${on}` },
    ListObjects: { route: `GET ${on}` },
    ListObjectsV2: { route: `GET ${on}?list-type=2` },
    ListObjectVersions: { route: `GET ${on}?versions` },
    ListMultipartUploads: { route: `GET ${on}?uploads` },
    GetBucketLocation: { route: `GET ${on}?location` },
    GetBucketVersioning: { route: `GET ${on}?versioning` },
    GetBucketAcl: { route: `GET ${on}?acl` },
    PutBucketAcl: { route: `PUT ${on}?acl`, headers: [['x-amz-acl', 'private']] },
    GetBucketCors: { route: `GET ${on}?cors` },
    PutBucketCors: { route: `PUT ${on}?cors`, body: CORS },
    DeleteBucketCors: { route: `DELETE ${on}?cors` },
    GetBucketTagging: { route: `GET ${on}?tagging` },
    PutBucketTagging: { route: `PUT ${on}?tagging`, body: TAGGING },
    DeleteBucketTagging: { route: `DELETE ${on}?tagging` },
    DeleteBucketPolicy: { route: `DELETE ${on}?policy` },
    DeleteBucketLifecycle: { route: `DELETE ${on}?lifecycle` },
    GetBucketLogging: { route: `GET ${on}?logging` },
    GetBucketNotificationConfiguration: { route: `GET ${on}?notification` },
    GetBucketRequestPayment: { route: `GET ${on}?requestPayment` },
    DeleteObjects: { route: `POST ${on}?delete`, headers: [MD5], body: DELETE },
    PutObject: { route: `PUT ${key}`, body: 'other' },
    CopyObject: { route: `PUT ${on}/in/copy`, headers: copy },
    GetObject: { route: `GET ${key}` },
    HeadObject: { route: `HEAD ${key}` },
    DeleteObject: { route: `DELETE ${key}` },
    GetObjectAttributes: {
      route: `GET ${key}?attributes`,
      headers: [['x-amz-object-attributes', 'ETag']],
    },
    GetObjectTagging: { route: `GET ${key}?tagging` },
    PutObjectTagging: { route: `PUT ${key}?tagging`, body: TAGGING },
    DeleteObjectTagging: { route: `DELETE ${key}?tagging` },
    GetObjectAcl: { route: `GET ${key}?acl` },
    PutObjectAcl: { route: `PUT ${key}?acl`, headers: [['x-amz-acl', 'private']] },
    CreateMultipartUpload: { route: `POST ${key}?uploads` },
    UploadPart: { route: `PUT ${part}`, body: 'part' },
    UploadPartCopy: { route: `PUT ${part}`, headers: copy },
    ListParts: { route: `GET ${key}?uploadId=${uploadId}` },
    CompleteMultipartUpload: { route: `POST ${key}?uploadId=${uploadId}`, body: '<x/>' },
    AbortMultipartUpload: { route: `DELETE ${key}?uploadId=${uploadId}` },
    DeleteBucket: { route: `DELETE ${on}` },
  };
}

/** Some of these are asked of the service, and of nobody's bucket. */
const ELSEWHERE = new Set(['ListBuckets', 'PostObject']);

/** A bucket with an object and an open upload, and what was there, to be compared later. */
async function furnish(holder: S3Holder): Promise<Readonly<Record<string, Row>>> {
  const { bucket, raw } = holder;
  await raw.expectDone({ method: 'PUT', bucket, key: 'in/k', body: 'kept' });
  await raw.expectDone({ method: 'PUT', bucket, key: 'out', body: 'kept' });
  const query = [['uploads', '']] as const;
  const opened = await raw.expectDone({ method: 'POST', bucket, key: 'in/k', query });
  return requestsOn(bucket, factOf({ text: opened.text }, 'UploadId') ?? '');
}

async function assertUntouched(holder: S3Holder): Promise<void> {
  const { bucket, raw } = holder;
  assert.deepEqual(await keysOf(holder), ['in/k', 'out']);
  assert.equal((await raw.expectDone({ method: 'GET', bucket, key: 'in/k' })).text, 'kept');
  for (const [key, status] of [
    [undefined, 404],
    ['in/k', 200],
  ] as const) {
    const of = key === undefined ? { bucket } : { bucket, key };
    const tags = await raw.send({ method: 'GET', ...of, query: [['tagging', '']] });
    assert.equal(tags.status, status);
    assert(!tags.text.includes('<Tag>'));
  }
  const uploads = await raw.expectDone({ method: 'GET', bucket, query: [['uploads', '']] });
  assert.equal(uploads.text.match(/<Upload>/g)?.length, 1);
  const cors = await raw.send({ method: 'GET', bucket, query: [['cors', '']] });
  assert.equal(cors.status, 404);
}

/** The names of the operations that answer something else than a denial. */
async function allowedOf(
  ask: Ask,
  rows: Readonly<Record<string, Row>>,
): Promise<readonly string[]> {
  const allowed: string[] = [];
  for (const [name, { route, headers = [], body = '' }] of Object.entries(rows)) {
    const answer = await ask(route, headers, body);
    const code = factOf(answer, 'Code');
    // A batch answers for each of its keys.
    if (answer.status !== 403 && code !== 'AccessDenied') allowed.push(name);
    else if (answer.bytes.length > 0 && answer.status !== 200) {
      assertS3Error(answer, 403, 'AccessDenied');
    }
  }
  return allowed;
}

test('the table of requests names every operation that is served', () => {
  const served = Object.entries(OPERATIONS)
    .filter(([name, { support }]) => support.kind === 'served' && !ELSEWHERE.has(name))
    .map(([name]) => name);
  assert.deepEqual(Object.keys(requestsOn('b', 'u')).toSorted(), served.toSorted());
});

test('nobody in particular is denied every operation on a bucket that is closed', async () => {
  const ann = await s3.openHolder('closed');
  const rows = await furnish(ann);
  assert.deepEqual(await allowedOf(asNobody, rows), []);
  assertS3Error(await asNobody('GET /'), 403, 'AccessDenied');
  await assertUntouched(ann);
});

test('nobody in particular reads objects of a public bucket, and does nothing else', async () => {
  const ann = await s3.openHolder('public');
  const rows = await furnish(ann);
  await openBucket(ann, { public_read: true });
  assert.deepEqual(await allowedOf(asNobody, rows), ['GetObject', 'HeadObject']);
  assert.equal((await asNobody(`GET /${ann.bucket}/in/k`)).text, 'kept');
  const range = await asNobody(`GET /${ann.bucket}/in/k`, [['range', 'bytes=1-2']]);
  assert.deepEqual([range.status, range.text], [206, 'ep']);
  const fresh = await asNobody(`GET /${ann.bucket}/in/k`, [['if-none-match', '*']]);
  assert.equal(fresh.status, 304);
  // Who may not list is not told what there is.
  assertS3Error(await asNobody(`GET /${ann.bucket}/absent`), 403, 'AccessDenied');
  assert.equal((await asNobody(`HEAD /${ann.bucket}/absent`)).status, 403);
  await assertUntouched(ann);
  await openBucket(ann, { public_read: false });
  assertS3Error(await asNobody(`GET /${ann.bucket}/in/k`), 403, 'AccessDenied');
});

test('nobody in particular chooses no headers of an answer', async () => {
  const ann = await s3.openHolder('overrides');
  await furnish(ann);
  await openBucket(ann, { public_read: true });
  for (const name of ['content-type', 'content-language', 'content-disposition', 'expires']) {
    for (const method of ['GET', 'HEAD']) {
      const answer = await asNobody(`${method} /${ann.bucket}/in/k?response-${name}=x`);
      assert.equal(answer.status, 400, name);
      if (method === 'GET') assertS3Error(answer, 400, 'InvalidRequest');
    }
  }
});

test('nobody in particular is not told which buckets there are, but that a name is none', async () => {
  assertS3Error(await asNobody('GET /absent-bucket/k'), 404, 'NoSuchBucket');
  assertS3Error(await asNobody('GET /Not_a_bucket/k'), 400, 'InvalidBucketName');
  assertS3Error(await asNobody('PUT /new-bucket'), 403, 'AccessDenied');
});

test("another account is denied every operation on one's bucket", async () => {
  const ann = await s3.openHolder('hers');
  const bob = await s3.openHolder('his');
  const rows = await furnish(ann);
  const { CreateBucket: _own, ...others } = rows;
  assert.deepEqual(await allowedOf(as(bob), others), []);
  await openBucket(ann, { public_read: true });
  assert.deepEqual(await allowedOf(as(bob), others), ['GetObject', 'HeadObject']);
  await assertUntouched(ann);
  const { text } = await as(bob)('GET /');
  assert(!text.includes(ann.bucket));
});

test('a copy needs to read its source and to write its target', async () => {
  const ann = await s3.openHolder('copy-ann');
  const bob = await s3.openHolder('copy-bob');
  await furnish(ann);
  await furnish(bob);
  const source: Header = ['x-amz-copy-source', `${ann.bucket}/in/k`];
  const copy = (ask: Ask, to: string) => ask(`PUT /${to}`, [source]);
  assertS3Error(await copy(as(bob), `${bob.bucket}/copied`), 403, 'AccessDenied');
  assertS3Error(await copy(as(ann), `${bob.bucket}/copied`), 403, 'AccessDenied');
  await openBucket(ann, { public_read: true });
  assert.equal((await copy(as(bob), `${bob.bucket}/copied`)).status, 200);
  assertS3Error(await copy(as(bob), `${ann.bucket}/copied`), 403, 'AccessDenied');
  const reader = await keyOf(bob, { read_only: true });
  assertS3Error(await copy(reader, `${bob.bucket}/copied`), 403, 'AccessDenied');
  const inside = await keyOf(ann, { prefix: 'in/' });
  assert.equal((await copy(inside, `${ann.bucket}/in/copied`)).status, 200);
  assertS3Error(await copy(inside, `${ann.bucket}/copied`), 403, 'AccessDenied');
  const outside: Header = ['x-amz-copy-source', `${ann.bucket}/out`];
  const stolen = await inside(`PUT /${ann.bucket}/in/stolen`, [outside]);
  assertS3Error(stolen, 403, 'AccessDenied');
  const opened = await inside(`POST /${ann.bucket}/in/part?uploads`);
  const id = factOf(opened, 'UploadId');
  const part = await inside(`PUT /${ann.bucket}/in/part?partNumber=1&uploadId=${id}`, [outside]);
  assertS3Error(part, 403, 'AccessDenied');
});

test('a read-only key reads and lists, and is denied everything that changes', async () => {
  const ann = await s3.openHolder('reading');
  const rows = await furnish(ann);
  const allowed = await allowedOf(await keyOf(ann, { read_only: true }), rows);
  const reads = Object.keys(rows).filter((name) => /^(?:Get|Head|List)/.test(name));
  assert.deepEqual(allowed, reads);
  await assertUntouched(ann);
});

test('a key of a prefix works inside, and is denied objects and settings outside', async () => {
  const ann = await s3.openHolder('prefixed');
  const rows = await furnish(ann);
  const key = await keyOf(ann, { prefix: 'in/' });
  const outside = Object.fromEntries(
    Object.entries(rows)
      .filter(([, { route }]) => route.includes('/in/k'))
      .map(([name, row]) => [name, { ...row, route: row.route.replace('/in/k', '/out') }]),
  );
  assert.deepEqual(await allowedOf(key, outside), []);
  const settings = Object.fromEntries(
    Object.entries(rows).filter(([, { route }]) => !route.includes('/in/')),
  );
  const allowed = await allowedOf(key, settings);
  assert.deepEqual(
    allowed.filter((name) => name !== 'DeleteObjects'),
    ['HeadBucket', 'GetBucketLocation', 'GetBucketVersioning'],
  );
  await ann.raw.expectDone({ method: 'PUT', bucket: ann.bucket, key: 'in/k', body: 'kept' });
  await assertUntouched(ann);
  for (const prefix of ['', 'i', 'in', 'out', 'IN/']) {
    for (const list of ['list-type=2', 'versions', 'uploads', 'delimiter=/']) {
      const answer = await key(`GET /${ann.bucket}?${list}&prefix=${prefix}`);
      assertS3Error(answer, 403, 'AccessDenied');
    }
  }
  for (const prefix of ['in/', 'in/k', 'in/absent']) {
    for (const list of ['list-type=2', 'versions', 'uploads', 'delimiter=/']) {
      assert.equal((await key(`GET /${ann.bucket}?${list}&prefix=${prefix}`)).status, 200, list);
    }
  }
  assertS3Error(await key(`GET /${ann.bucket}/in/absent`), 404, 'NoSuchKey');
  assertS3Error(await key(`GET /${ann.bucket}/absent`), 403, 'AccessDenied');
  assertS3Error(await key('PUT /prefixed-new'), 403, 'AccessDenied');
});

test('a batch of deletes is decided key by key', async () => {
  const ann = await s3.openHolder('batch');
  await furnish(ann);
  const key = await keyOf(ann, { prefix: 'in/' });
  const body = '<Delete><Object><Key>in/k</Key></Object><Object><Key>out</Key></Object></Delete>';
  assertS3Error(await key(`POST /${ann.bucket}?delete`, [MD5], body), 400, 'BadDigest');
  const md5: Header = ['content-md5', md5Of(body)];
  const answer = await key(`POST /${ann.bucket}?delete`, [md5], body);
  assert.equal(answer.status, 200, answer.text);
  assert.match(answer.text, /<Deleted><Key>in\/k<\/Key>/);
  assert.match(answer.text, /<Error><Key>out<\/Key><Code>AccessDenied<\/Code>/);
  assert.deepEqual(await keysOf(ann), ['out']);
  const reader = await keyOf(ann, { read_only: true });
  const none = await reader(`POST /${ann.bucket}?delete`, [md5], body);
  assert(none.status === 403 || !none.text.includes('<Deleted>'), none.text);
  assert.deepEqual(await keysOf(ann), ['out']);
});

test('a key of a bucket is shown that bucket alone, and denied every other', async () => {
  const ann = await s3.openHolder('bucketed');
  await furnish(ann);
  assert.equal((await as(ann)('PUT /bucketed-second')).status, 200);
  const key = await keyOf(ann, { bucket: 'bucketed-second' });
  const { text } = await key('GET /');
  assert.deepEqual(text.match(/<Name>[^<]*/g), ['<Name>bucketed-second']);
  assert.equal((await key('PUT /bucketed-second/k', [], 'x')).status, 200);
  assert.deepEqual(await allowedOf(key, await furnish(ann)), []);
  assert.equal((await key(`HEAD /${ann.bucket}`)).status, 403);
});

test('a disabled account is AccountProblem to itself and to those who read it', async () => {
  const ann = await s3.openHolder('disabled');
  await furnish(ann);
  await openBucket(ann, { public_read: true });
  await s3.admin.disableAccount(ann.account);
  const bob = await s3.openHolder('watching');
  for (const route of ['GET /', `GET /${ann.bucket}/in/k`, `PUT /${ann.bucket}/new`]) {
    assertFacts(await as(ann)(route), 403, 'AccountProblem');
  }
  assertS3Error(await asNobody(`GET /${ann.bucket}/in/k`), 403, 'AccountProblem');
  assertS3Error(await as(bob)(`GET /${ann.bucket}/in/k`), 403, 'AccountProblem');
  assert.equal((await asNobody(`HEAD /${ann.bucket}/in/k`)).status, 403);
  // A wrong secret is not told that the account is disabled by another status.
  const liar = await as({ ...ann, secret: 'wrong' })(`GET /${ann.bucket}/in/k`);
  assert.equal(liar.status, 403);
  await s3.admin.enableAccount(ann.account);
  assert.equal((await as(ann)(`GET /${ann.bucket}/in/k`)).text, 'kept');
  assert.deepEqual(await keysOf(ann), ['in/k', 'out']);
});
