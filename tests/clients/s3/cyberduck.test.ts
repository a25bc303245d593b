/**
 * Proves that what Cyberduck and Mountain Duck ask for is answered as they need it. They cannot be
 * installed here, so their requests are sent in their forms, some of them signed for us-east-1
 * whatever region is set.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { atOnce } from './at-once.ts';
import { type RawS3, type RawS3Request, rawS3 } from './raw-s3.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import { elementsOf, textsOf } from './xml-texts.ts';

const MIB = 1024 * 1024;
const PAGE = 1000;
/** What it lists of a folder. */
const listing = (prefix: string, marker?: string) =>
  [
    ['encoding-type', 'url'],
    ['max-keys', String(PAGE)],
    ['prefix', prefix],
    ['delimiter', '/'],
    ...(marker === undefined ? [] : [['marker', marker] as const]),
  ] as const;

for (const form of s3Forms()) {
  test(`Cyberduck's requests are answered over ${form.name}`, async () => {
    await using world = await startS3World(form);
    for (const region of [world.region, 'us-east-1']) {
      using raw = await signedFor(world, region);
      const ask = (request: Omit<RawS3Request, 'bucket'>) =>
        raw.expectDone({ bucket: world.bucket, ...request });
      await openBucket(world, raw);
      await keepFolder(ask);
      await keepLarge(ask);
      await readDescription(world, raw);
      await deleteAtOnce(world, raw);
    }
    await listPages(world);
  });

  test(`Mountain Duck's requests are answered over ${form.name}`, async () => {
    await using world = await startS3World(form);
    await mountedReads(world);
  });
}

type Ask = (request: Omit<RawS3Request, 'bucket'>) => ReturnType<RawS3['send']>;

async function signedFor(world: S3World, region: string): Promise<RawS3> {
  const { endpoint, accessKeyId, secretAccessKey, caFile } = world;
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8');
  return rawS3({ endpoint, accessKeyId, secretAccessKey, region, ca });
}

async function openBucket({ bucket }: S3World, raw: RawS3): Promise<void> {
  const buckets = await raw.expectDone({ method: 'GET' });
  assert.ok(textsOf(buckets.text, 'Name').includes(bucket));
  const query = (name: string) => raw.expectDone({ method: 'GET', bucket, query: [[name]] });
  assert.match((await query('location')).text, /<LocationConstraint\b/);
  assert.doesNotMatch((await query('versioning')).text, /<Status>/);
  const listed = await raw.expectDone({ method: 'GET', bucket, query: listing('') });
  assert.deepEqual(textsOf(listed.text, 'IsTruncated'), ['false']);
  assert.deepEqual(textsOf(listed.text, 'EncodingType'), ['url']);
  // A 500 here would hide the whole bucket.
  const uploads = await raw.expectDone({
    method: 'GET',
    bucket,
    query: [['uploads'], ['delimiter', '/'], ['prefix', '']],
  });
  assert.deepEqual(elementsOf(uploads.text, 'Upload'), []);
}

/** Its folders are objects; what it renames it copies and deletes. */
async function keepFolder(ask: Ask): Promise<void> {
  const folder = 'new folder/';
  const headers = { 'content-type': 'application/x-directory' };
  await ask({ method: 'PUT', key: folder, headers });
  const found = await ask({ method: 'HEAD', key: folder });
  assert.equal(found.headers['content-type'], 'application/x-directory');
  assert.equal(found.headers['content-length'], '0');
  const body = 'from the desktop';
  const key = `${folder}Übung +1 #2.txt`;
  const sent = { 'content-type': 'text/plain', 'content-md5': md5(body), expect: '100-continue' };
  await ask({
    method: 'PUT',
    key,
    body,
    headers: { ...sent, 'x-amz-meta-mtime': '1795390000000' },
  });
  const resumed = await ask({ method: 'GET', key, headers: { range: 'bytes=5-' } });
  assert.equal(resumed.status, 206);
  assert.equal(resumed.text, body.slice(5));
  const listed = await ask({ method: 'GET', query: listing(folder) });
  assert.deepEqual(textsOf(listed.text, 'Key').map(decodeURIComponent), [folder, key]);
  const copy = {
    'x-amz-copy-source': `/${textsOf(listed.text, 'Name')}/${encodeURIComponent(key)}`,
  };
  const replaced = { 'x-amz-metadata-directive': 'REPLACE', 'content-type': 'text/markdown' };
  await ask({ method: 'PUT', key: `${folder}renamed.md`, headers: { ...copy, ...replaced } });
  await ask({ method: 'DELETE', key });
  const renamed = await ask({ method: 'GET', key: `${folder}renamed.md` });
  assert.equal(renamed.text, body);
  assert.equal(renamed.headers['content-type'], 'text/markdown');
  assert.equal(renamed.headers['x-amz-meta-mtime'], undefined);
  await ask({ method: 'DELETE', key: `${folder}renamed.md` });
  await ask({ method: 'DELETE', key: folder });
}

async function keepLarge(ask: Ask): Promise<void> {
  const key = 'large.bin';
  const parts = [Buffer.alloc(5 * MIB, 'one'), Buffer.alloc(MIB + 1, 'two')];
  const begun = await ask({ method: 'POST', key, query: [['uploads']] });
  const uploadId = textsOf(begun.text, 'UploadId')[0] ?? '';
  const listed = await ask({ method: 'GET', query: [['uploads'], ['prefix', key]] });
  assert.deepEqual(textsOf(listed.text, 'UploadId'), [uploadId]);
  const etags: string[] = [];
  for (const [index, body] of parts.entries()) {
    const { headers } = await ask({
      method: 'PUT',
      key,
      query: [
        ['uploadId', uploadId],
        ['partNumber', String(index + 1)],
      ],
      headers: { 'content-md5': md5(body), expect: '100-continue' },
      body,
    });
    etags.push(headers.etag ?? '');
  }
  const kept = await ask({ method: 'GET', key, query: [['uploadId', uploadId]] });
  assert.deepEqual(textsOf(kept.text, 'ETag'), etags);
  const items = etags.map(
    (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${etag}</ETag></Part>`,
  );
  const body = `<CompleteMultipartUpload>${items.join('')}</CompleteMultipartUpload>`;
  await ask({ method: 'POST', key, query: [['uploadId', uploadId]], body });
  const { bytes } = await ask({ method: 'GET', key });
  assert.ok(bytes.equals(Buffer.concat(parts)));
  await ask({ method: 'DELETE', key });
}

/** The pane that describes a bucket or a file. What there is not has a name and no 500. */
async function readDescription({ bucket }: S3World, raw: RawS3): Promise<void> {
  const key = 'described';
  await raw.expectDone({ method: 'PUT', bucket, key, body: 'x' });
  const rows: readonly (readonly [
    name: string,
    isOfKey: boolean,
    status: number,
    code?: string,
  ])[] = [
    ['acl', false, 200],
    ['acl', true, 200],
    ['logging', false, 200],
    ['requestPayment', false, 200],
    ['tagging', true, 200],
    ['tagging', false, 404, 'NoSuchTagSet'],
    ['cors', false, 404, 'NoSuchCORSConfiguration'],
    ['lifecycle', false, 404, 'NoSuchLifecycleConfiguration'],
    ['policy', false, 404, 'NoSuchBucketPolicy'],
    ['website', false, 404, 'NoSuchWebsiteConfiguration'],
    ['encryption', false, 404, 'ServerSideEncryptionConfigurationNotFoundError'],
    ['accelerate', false, 501, 'NotImplemented'],
    ['inventory', false, 501, 'NotImplemented'],
  ];
  for (const [name, isOfKey, status, code] of rows) {
    const of = isOfKey ? { bucket, key } : { bucket };
    const answer = await raw.send({ method: 'GET', ...of, query: [[name]] });
    assert.equal(answer.status, status, `${name}: ${answer.text}`);
    assert.equal(textsOf(answer.text, 'Code')[0], code, name);
  }
  const versions = await raw.expectDone({
    method: 'GET',
    bucket,
    query: [['versions'], ['prefix', key], ['delimiter', '/'], ['max-keys', '1000']],
  });
  assert.deepEqual(textsOf(versions.text, 'VersionId'), ['null']);
  const shared = await raw.fetch(raw.presign({ method: 'GET', bucket, key }));
  assert.equal(shared.text, 'x');
}

async function deleteAtOnce({ bucket }: S3World, raw: RawS3): Promise<void> {
  const keys = ['described', 'was never there', 'a & b'];
  await raw.expectDone({ method: 'PUT', bucket, key: 'a & b', body: 'x' });
  const objects = keys.map((key) => `<Object><Key>${key.replace('&', '&amp;')}</Key></Object>`);
  const body = `<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>true</Quiet>${objects.join('')}</Delete>`;
  const { text } = await raw.expectDone({
    method: 'POST',
    bucket,
    query: [['delete']],
    headers: { 'content-md5': md5(body), 'content-type': 'application/xml' },
    body,
  });
  assert.deepEqual(elementsOf(text, 'Error'), []);
  assert.deepEqual(elementsOf(text, 'Deleted'), []);
  const listed = await raw.expectDone({ method: 'GET', bucket, query: listing('') });
  assert.deepEqual(textsOf(listed.text, 'Key'), []);
}

async function listPages({ bucket, raw }: S3World): Promise<void> {
  const keys = Array.from({ length: PAGE + 50 }, (_, index) => `pages/${10_000 + index}`);
  await atOnce(keys, 16, (key) => raw.expectDone({ method: 'PUT', bucket, key }));
  const first = await raw.expectDone({ method: 'GET', bucket, query: listing('pages/') });
  assert.deepEqual(textsOf(first.text, 'IsTruncated'), ['true']);
  const [marker] = textsOf(first.text, 'NextMarker');
  const second = await raw.expectDone({ method: 'GET', bucket, query: listing('pages/', marker) });
  assert.deepEqual([...textsOf(first.text, 'Key'), ...textsOf(second.text, 'Key')], keys);
}

/** It looks for what is not there more often than for what is, and reads in blocks. */
async function mountedReads({ bucket, raw }: S3World): Promise<void> {
  const bytes = Buffer.from(Array.from({ length: MIB }, (_, index) => index % 251));
  await raw.expectDone({ method: 'PUT', bucket, key: 'mounted/file', body: bytes });
  for (const key of ['desktop.ini', '.DS_Store', '._mounted', 'mounted', 'mounted/']) {
    const { status, bytes: none } = await raw.send({ method: 'HEAD', bucket, key });
    assert.equal(status, 404, key);
    assert.equal(none.length, 0);
  }
  const probe = [...listing('mounted/').slice(2), ['max-keys', '1']] as const;
  const listed = await raw.expectDone({ method: 'GET', bucket, query: probe });
  assert.deepEqual(textsOf(listed.text, 'Key'), ['mounted/file']);
  for (const first of [0, 512 * 1024, MIB - 10]) {
    const range = `bytes=${first}-${first + 64 * 1024 - 1}`;
    const read = await raw.expectDone({
      method: 'GET',
      bucket,
      key: 'mounted/file',
      headers: { range },
    });
    assert.equal(read.status, 206);
    assert.ok(read.bytes.equals(bytes.subarray(first, first + 64 * 1024)));
  }
  const beyond = await raw.send({
    method: 'GET',
    bucket,
    key: 'mounted/file',
    headers: { range: `bytes=${MIB}-` },
  });
  assert.equal(beyond.status, 416);
  assert.deepEqual(textsOf(beyond.text, 'Code'), ['InvalidRange']);
}

function md5(bytes: Buffer | string): string {
  return createHash('md5').update(bytes).digest('base64');
}
