/**
 * Proves that Terraform's provider keeps objects here by `aws_s3_object`. It cannot be downloaded
 * here, so its requests are sent in the forms of the SDK for Go that it uses.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { checksumOf } from '../../../src/kit/checksums/open-checksum.ts';
import type { RawS3Request } from './raw-s3.ts';
import { type S3World, s3Forms, startS3World } from './s3-world.ts';
import { elementsOf, textsOf } from './xml-texts.ts';

const KEY = 'hello.txt';

for (const form of s3Forms()) {
  test(`the requests of aws_s3_object are answered over ${form.name}`, async () => {
    await using world = await startS3World(form);
    await createObject(world);
    await changeTags(world);
    await replaceObject(world);
    await destroyObject(world);
  });
}

/** As the SDK signs: the operation in the query, the attempt and the plain encoding in headers. */
function sdkRequest(
  world: S3World,
  operation: string,
  { headers, query = [], ...request }: RawS3Request,
) {
  return world.raw.send({
    ...request,
    bucket: world.bucket,
    query: [...query, ['x-id', operation]],
    headers: {
      'accept-encoding': 'identity',
      'amz-sdk-invocation-id': '7c2b1a54-0f0b-4c3f-8c39-2f5f0a1f6b1e',
      'amz-sdk-request': 'attempt=1; max=25',
      ...headers,
    },
  });
}

function crc32Of(body: string): Readonly<Record<string, string>> {
  const value = Buffer.from(checksumOf('CRC32', Buffer.from(body))).toString('base64');
  return { 'x-amz-sdk-checksum-algorithm': 'CRC32', 'x-amz-checksum-crc32': value };
}

async function put(world: S3World, body: string, headers: Readonly<Record<string, string>>) {
  const answer = await sdkRequest(world, 'PutObject', {
    method: 'PUT',
    key: KEY,
    body,
    headers: { 'content-type': 'application/octet-stream', ...crc32Of(body), ...headers },
  });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.headers.etag, `"${createHash('md5').update(body).digest('hex')}"`);
}

/** What it reads after each change. It asks for no attributes and no versions. */
async function read(world: S3World) {
  const headers = { 'x-amz-checksum-mode': 'ENABLED' };
  const head = await world.raw.expectDone({
    method: 'HEAD',
    bucket: world.bucket,
    key: KEY,
    headers,
  });
  const tags = await sdkRequest(world, 'GetObjectTagging', {
    method: 'GET',
    key: KEY,
    query: [['tagging', '']],
  });
  assert.equal(tags.status, 200, tags.text);
  return { head: head.headers, tags: tags.text };
}

async function createObject(world: S3World): Promise<void> {
  const bucket = await world.raw.expectDone({ method: 'HEAD', bucket: world.bucket });
  assert.ok(bucket.headers['x-amz-bucket-region']);
  const missing = await world.raw.send({ method: 'HEAD', bucket: world.bucket, key: KEY });
  assert.equal(missing.status, 404);
  await put(world, 'hello', { 'x-amz-tagging': 'team=storage&by=terraform', 'x-amz-meta-a': 'b' });
  const { head, tags } = await read(world);
  assert.equal(head['content-length'], '5');
  assert.equal(head['x-amz-meta-a'], 'b');
  assert.equal(head['x-amz-checksum-crc32'], crc32Of('hello')['x-amz-checksum-crc32']);
  assert.equal(head['x-amz-checksum-type'], 'FULL_OBJECT');
  assert.equal(head['x-amz-server-side-encryption'], undefined);
  assert.deepEqual(textsOf(tags, 'Key').toSorted(), ['by', 'team']);
}

async function changeTags(world: S3World): Promise<void> {
  const body =
    '<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet><Tag><Key>team</Key>' +
    '<Value>other</Value></Tag></TagSet></Tagging>';
  const tagging = { key: KEY, query: [['tagging', '']] } as const;
  const headers = { 'content-type': 'application/xml', ...crc32Of(body) };
  const changed = await sdkRequest(world, 'PutObjectTagging', {
    method: 'PUT',
    ...tagging,
    body,
    headers,
  });
  assert.equal(changed.status, 200, changed.text);
  assert.deepEqual(textsOf((await read(world)).tags, 'Value'), ['other']);
  const removed = await sdkRequest(world, 'DeleteObjectTagging', { method: 'DELETE', ...tagging });
  assert.equal(removed.status, 204, removed.text);
  assert.deepEqual(elementsOf((await read(world)).tags, 'Tag'), []);
}

async function replaceObject(world: S3World): Promise<void> {
  await put(world, 'hello again', {});
  const { head } = await read(world);
  assert.equal(head['content-length'], '11');
  assert.equal(head['x-amz-meta-a'], undefined, 'nothing of the former one is left');
}

/** With `force_destroy` it deletes what it finds listed as versions. */
async function destroyObject(world: S3World): Promise<void> {
  const { raw, bucket } = world;
  const versions = async () => {
    const query = [
      ['prefix', KEY],
      ['versions', ''],
    ] as const;
    return (await raw.expectDone({ method: 'GET', bucket, query })).text;
  };
  const [version = ''] = textsOf(await versions(), 'VersionId');
  assert.equal(version, 'null');
  const removed = await sdkRequest(world, 'DeleteObject', {
    method: 'DELETE',
    key: KEY,
    query: [['versionId', version]],
  });
  assert.equal(removed.status, 204, removed.text);
  assert.deepEqual(elementsOf(await versions(), 'Version'), []);
  const again = await sdkRequest(world, 'DeleteObject', { method: 'DELETE', key: KEY });
  assert.equal(again.status, 204, again.text);
  const gone = await raw.send({ method: 'HEAD', bucket, key: KEY });
  assert.equal(gone.status, 404);
}
