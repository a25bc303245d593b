/** Proves the rows of buckets in the contract's section "Buckets". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawS3 } from '../../clients/s3/raw-s3.ts';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { md5Header, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, type S3Holder, startS3 } from './start-s3.ts';

const s3 = await startS3();
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/;
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

async function openHolder(name: string, buckets = 100): Promise<S3Holder> {
  const holder = await s3.openHolder(name);
  await s3.admin.changeLimits(holder.account, { buckets });
  return holder;
}

const on = (holder: S3Holder, bucket: string) => objectCalls({ raw: holder.raw, bucket });

const service = ({ raw }: S3Holder, query: Readonly<Record<string, string>> = {}) =>
  raw.send({ method: 'GET', query: Object.entries(query) });

test('the buckets of the caller, and nobody else, are listed in order of their names', async () => {
  const ann = await openHolder('lister');
  const other = await openHolder('other-lister');
  for (const name of ['zebra-ann', 'alpha-ann', 'alpha.ann', 'middle-ann']) {
    await on(ann, name).done('PUT');
  }
  await on(other, 'bravo-other').done('PUT');
  const { status, text, headers } = await service(ann);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/xml');
  assert.ok(text.includes(`<ListAllMyBucketsResult ${NAMESPACE}>`), text);
  const names = ['alpha-ann', 'alpha.ann', 'middle-ann', 'zebra-ann', ann.bucket];
  assert.deepEqual(textsOf(text, 'Name'), names.toSorted());
  for (const made of textsOf(text, 'CreationDate')) assert.match(made, ISO);
  assert.match(textOf(text, 'ID'), /^[0-9a-f]{64}$/);
  assert.notEqual(textOf(text, 'DisplayName'), '');
  assert.deepEqual(textsOf(text, 'BucketRegion'), [], 'only pages name the region');
  assert.deepEqual(textsOf(text, 'ContinuationToken'), []);
});

test('buckets come in pages of max-buckets, and of a prefix', async () => {
  const holder = await openHolder('pager');
  const names = ['page-1', 'page-2', 'page-3', 'page-4', 'page-5'];
  for (const name of names) await on(holder, name).done('PUT');
  const found: string[] = [];
  let token: string | undefined;
  do {
    const page = await service(holder, {
      'max-buckets': '2',
      prefix: 'page-',
      ...(token === undefined ? {} : { 'continuation-token': token }),
    });
    assert.equal(page.status, 200, page.text);
    assert.equal(textOf(page.text, 'Prefix'), 'page-');
    const listed = textsOf(page.text, 'Name');
    assert.equal(textsOf(page.text, 'BucketRegion').length, listed.length);
    found.push(...listed);
    [token] = textsOf(page.text, 'ContinuationToken');
  } while (token !== undefined);
  assert.deepEqual(found, names);
});

test('max-buckets is between 1 and 10000', async () => {
  const holder = await openHolder('limits');
  for (const text of ['0', '10001', '-1', 'many', '1.5', '']) {
    assertS3Error(await service(holder, { 'max-buckets': text }), 400, 'InvalidArgument');
  }
  for (const text of ['1', '10000']) {
    assert.equal((await service(holder, { 'max-buckets': text })).status, 200, text);
  }
});

test('a token that was never given is refused', async () => {
  const holder = await openHolder('forger');
  for (const token of ['!', '_____w', Buffer.from('../Up').toString('base64url')]) {
    const answer = await service(holder, { 'max-buckets': '1', 'continuation-token': token });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
});

test('buckets of another region than this are none', async () => {
  const holder = await openHolder('regional');
  const { text } = await service(holder, { 'bucket-region': 'mars-north-1' });
  assert.deepEqual(textsOf(text, 'Name'), []);
});

test('the service knows no method but GET', async () => {
  const { raw } = await openHolder('methodist');
  for (const method of ['POST', 'PUT', 'DELETE']) {
    assertS3Error(await raw.send({ method }), 405, 'MethodNotAllowed');
  }
});

test('a bucket is made, found and deleted', async () => {
  const holder = await openHolder('maker');
  const calls = on(holder, 'made-here');
  assert.equal((await calls.ask('HEAD')).status, 404);
  const made = await calls.ask('PUT');
  assert.equal(made.status, 200, made.text);
  assert.equal(made.headers.location, '/made-here');
  const head = await calls.ask('HEAD');
  assert.equal(head.status, 200);
  assert.equal(head.headers['x-amz-bucket-region'], 'auto');
  assert.equal(head.text, '');
  const gone = await calls.ask('DELETE');
  assert.equal(gone.status, 204);
  assert.equal(gone.text, '');
  assert.equal((await calls.ask('HEAD')).status, 404);
  assertS3Error(await calls.ask('GET'), 404, 'NoSuchBucket');
  assertS3Error(await calls.ask('DELETE'), 404, 'NoSuchBucket');
});

test('names that break a rule are no names of buckets', async () => {
  const holder = await openHolder('namer');
  const bad = [
    ...['ab', 'a'.repeat(64), 'Upper', 'under_score', '-start', 'end-', '.start', 'end.'],
    ...['two..dots', 'dot.-dash', 'dash-.dot', '192.168.5.4', 'xn--name', 'sthree-name'],
    ...['amzn-s3-demo-name', 'name-s3alias', 'name--ol-s3', 'name.mrap', 'name--x-s3'],
  ];
  for (const name of bad) {
    assertS3Error(await on(holder, name).ask('PUT'), 400, 'InvalidBucketName');
  }
  assert.deepEqual(textsOf((await service(holder)).text, 'Name'), [holder.bucket]);
});

test('the longest and the shortest names are names', async () => {
  const holder = await openHolder('measurer');
  for (const name of ['abc', 'a'.repeat(63), '1.2.3', 'a-b.c-d']) {
    assert.equal((await on(holder, name).ask('PUT')).status, 200, name);
  }
});

test('HEAD of a bad name is 400, of one that is free 404', async () => {
  const holder = await openHolder('prober');
  const bad = await on(holder, 'No_Name').ask('HEAD');
  assert.equal(bad.status, 400);
  assert.equal(bad.text, '');
  const probe = `probe-bsign-${'x1'.repeat(24)}`;
  assert.equal(probe.length, 60);
  assert.equal((await on(holder, probe).ask('HEAD')).status, 404);
});

test("HEAD says the region of another's bucket and of a bad name too", async () => {
  const ann = await openHolder('region-ann');
  const bob = await openHolder('region-bob');
  for (const [bucket, status] of [
    [ann.bucket, 403],
    ['No_Name', 400],
  ] as const) {
    const answer = await on(bob, bucket).ask('HEAD');
    assert.equal(answer.status, status);
    assert.equal(answer.headers['x-amz-bucket-region'], 'auto', bucket);
    assert.equal(answer.text, '');
  }
});

test('a bucket that is there is not made again, whoever asks', async () => {
  const ann = await openHolder('owner-ann');
  const bob = await openHolder('owner-bob');
  await on(ann, 'taken-by-ann').done('PUT');
  assertS3Error(await on(ann, 'taken-by-ann').ask('PUT'), 409, 'BucketAlreadyOwnedByYou');
  assertS3Error(await on(bob, 'taken-by-ann').ask('PUT'), 409, 'BucketAlreadyExists');
});

test('beyond the entitlement no bucket is made', async () => {
  const holder = await openHolder('thrifty', 2);
  assert.equal((await on(holder, 'second-of-two').ask('PUT')).status, 200);
  assertS3Error(await on(holder, 'third-of-two').ask('PUT'), 400, 'TooManyBuckets');
  await on(holder, 'second-of-two').done('DELETE');
  assert.equal((await on(holder, 'third-of-two').ask('PUT')).status, 200);
});

test('the place of a bucket may be said by any name that means this one', async () => {
  const holder = await openHolder('placer');
  const body = (place: string) =>
    `<CreateBucketConfiguration ${NAMESPACE}><LocationConstraint>${place}</LocationConstraint></CreateBucketConfiguration>`;
  for (const [index, place] of ['auto', 'us-east-1', ''].entries()) {
    const answer = await on(holder, `placed-${index}`).ask('PUT', undefined, { body: body(place) });
    assert.equal(answer.status, 200, answer.text);
  }
  const empty = `<CreateBucketConfiguration ${NAMESPACE}/>`;
  assert.equal(
    (await on(holder, 'placed-empty').ask('PUT', undefined, { body: empty })).status,
    200,
  );
});

test('the region that a client signs with is a place, whatever it is', async () => {
  const { accessKeyId, secret, bucket } = await openHolder('placed-by-region');
  const region = 'eu-west-1';
  using raw = rawS3({
    ...{ endpoint: s3.endpoint, accessKeyId, secretAccessKey: secret, region },
    ca: undefined,
  });
  const made = objectCalls({ raw, bucket: `${bucket}-of-region` });
  const body = (place: string) =>
    `<CreateBucketConfiguration><LocationConstraint>${place}</LocationConstraint></CreateBucketConfiguration>`;
  const other = await made.ask('PUT', undefined, { body: body('eu-west-2') });
  assertS3Error(other, 400, 'InvalidLocationConstraint');
  await made.done('PUT', undefined, { body: body(region) });
  const { text } = await made.done('GET', undefined, { query: { location: '' } });
  assert.match(text, />auto<\/LocationConstraint>$/);
});

test('tags of a new bucket are kept; bad ones make no bucket', async () => {
  const holder = await openHolder('tagging-maker');
  const body = (...tags: readonly string[]) =>
    `<CreateBucketConfiguration><Tags>${tags.join('')}</Tags></CreateBucketConfiguration>`;
  const tag = (key: string) => `<Tag><Key>${key}</Key><Value>1</Value></Tag>`;
  for (const bad of [body(tag('a'), tag('a')), body(tag('aws:a')), body(tag('a*'))]) {
    const answer = await on(holder, 'made-with-tags').ask('PUT', undefined, { body: bad });
    assertS3Error(answer, 400, 'InvalidTag');
    assert.equal((await on(holder, 'made-with-tags').ask('HEAD')).status, 404);
  }
  await on(holder, 'made-with-tags').done('PUT', undefined, { body: body(tag('b'), tag('a')) });
  const { text } = await on(holder, 'made-with-tags').done('GET', undefined, {
    query: { tagging: '' },
  });
  assert.deepEqual(textsOf(text, 'Key'), ['a', 'b']);
});

test('another ownership than the owner’s makes no bucket', async () => {
  const holder = await openHolder('other-ownership');
  for (const [ownership, status, code] of [
    ['BucketOwnerPreferred', 501, 'NotImplemented'],
    ['ObjectWriter', 501, 'NotImplemented'],
    ['Nobody', 400, 'InvalidArgument'],
  ] as const) {
    const headers = { 'x-amz-object-ownership': ownership };
    assertS3Error(
      await on(holder, 'owned-otherwise').ask('PUT', undefined, { headers }),
      status,
      code,
    );
  }
  assert.equal((await on(holder, 'owned-otherwise').ask('HEAD')).status, 404);
});

test('a place that is elsewhere is refused', async () => {
  const holder = await openHolder('wanderer');
  const body =
    '<CreateBucketConfiguration><LocationConstraint>mars-north-1</LocationConstraint></CreateBucketConfiguration>';
  const answer = await on(holder, 'placed-elsewhere').ask('PUT', undefined, { body });
  assertS3Error(answer, 400, 'InvalidLocationConstraint');
  assert.equal((await on(holder, 'placed-elsewhere').ask('HEAD')).status, 404);
});

test('a body of CreateBucket that is something else is malformed', async () => {
  const holder = await openHolder('malformer');
  for (const body of ['<CreateBucketConfiguration>', 'text', '<Other/>', '<a>&undefined;</a>']) {
    const answer = await on(holder, 'malformed').ask('PUT', undefined, { body });
    assertS3Error(answer, 400, 'MalformedXML');
  }
  assert.equal((await on(holder, 'malformed').ask('HEAD')).status, 404);
});

test('headers that say what is so anyhow are accepted for a new bucket', async () => {
  const holder = await openHolder('header-maker');
  const accepted = [
    { 'x-amz-acl': 'private' },
    { 'x-amz-bucket-object-lock-enabled': 'false' },
    { 'x-amz-object-ownership': 'BucketOwnerEnforced' },
  ];
  for (const [index, headers] of accepted.entries()) {
    const answer = await on(holder, `said-${index}`).ask('PUT', undefined, { headers });
    assert.equal(answer.status, 200, answer.text);
  }
  const open = await on(holder, 'said-open').ask('PUT', undefined, {
    headers: { 'x-amz-acl': 'public-read' },
  });
  assertS3Error(open, 400, 'AccessControlListNotSupported');
  const locked = await on(holder, 'said-locked').ask('PUT', undefined, {
    headers: { 'x-amz-bucket-object-lock-enabled': 'true' },
  });
  assertS3Error(locked, 501, 'NotImplemented');
});

test('a bucket with an object is not deleted, one with an open upload is', async () => {
  const holder = await openHolder('emptier');
  const calls = on(holder, 'to-empty');
  await calls.done('PUT');
  await calls.put('object');
  assertS3Error(await calls.ask('DELETE'), 409, 'BucketNotEmpty');
  await calls.done('DELETE', 'object');
  const uploadId = await calls.begin('open');
  await calls.send('open', uploadId, { number: 1, body: 'part' });
  assert.equal((await calls.ask('DELETE')).status, 204);
  await calls.done('PUT');
  assertS3Error(await calls.complete('open', uploadId, []), 400, 'MalformedXML');
  assertS3Error(await calls.ask('GET', 'open', { query: { uploadId } }), 404, 'NoSuchUpload');
});

test("another's bucket is closed to every call", async () => {
  const ann = await openHolder('closed-ann');
  const bob = await openHolder('closed-bob');
  await objectCalls(ann).put('key', 'secret');
  const calls = on(bob, ann.bucket);
  for (const method of ['GET', 'DELETE']) {
    assertS3Error(await calls.ask(method), 403, 'AccessDenied');
  }
  for (const method of ['GET', 'PUT', 'DELETE']) {
    assertS3Error(await calls.ask(method, 'key'), 403, 'AccessDenied');
  }
  assert.equal((await calls.ask('HEAD', 'key')).status, 403);
  assert.equal((await objectCalls(ann).get('key')).text, 'secret');
});

test('the location is an empty element in the first region and a text elsewhere', async () => {
  const holder = await openHolder('locator');
  const { status, text } = await on(holder, holder.bucket).ask('GET', undefined, {
    query: { location: '' },
  });
  assert.equal(status, 200);
  assert.ok(text.endsWith(`<LocationConstraint ${NAMESPACE}>auto</LocationConstraint>`), text);
});

test('versioning was never enabled, and cannot be', async () => {
  const holder = await openHolder('versioner');
  const calls = on(holder, holder.bucket);
  const { status, text } = await calls.ask('GET', undefined, { query: { versioning: '' } });
  assert.equal(status, 200);
  assert.match(text, new RegExp(`<VersioningConfiguration ${NAMESPACE}(/>|></Versioning)`));
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>';
  const query = { versioning: '' };
  const answer = await calls.ask('PUT', undefined, { query, body, headers: md5Header(body) });
  assertS3Error(answer, 501, 'NotImplemented');
});

test('a server that is strict about its region refuses other places and says its own', async () => {
  const strict = await startS3({ S3_STRICT_REGION: 'yes' });
  const holder = await strict.openHolder('strict');
  await strict.admin.changeLimits(holder.account, { buckets: 9 });
  const bodyOf = (place: string) =>
    `<CreateBucketConfiguration><LocationConstraint>${place}</LocationConstraint></CreateBucketConfiguration>`;
  const elsewhere = on(holder, 'placed-elsewhere');
  const refused = await elsewhere.ask('PUT', undefined, { body: bodyOf('mars-north-1') });
  assertS3Error(refused, 400, 'InvalidLocationConstraint');
  assert.equal((await elsewhere.ask('HEAD')).status, 404);
  assert.equal((await elsewhere.ask('PUT', undefined, { body: bodyOf('auto') })).status, 200);
});

test('the first region of AWS is told by an empty location', async () => {
  const first = await startS3({ REGION: 'us-east-1' });
  const holder = await first.openHolder('first');
  const { text } = await objectCalls(holder).ask('GET', undefined, { query: { location: '' } });
  assert.match(text, /<LocationConstraint xmlns="[^"]+"(\/>|><\/LocationConstraint>)$/);
});
