/**
 * Proves that every document of S3 says times in whole seconds, and the very second of the header:
 * tools that compare a listed time with a HEAD's or a file's find one time, not two.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { objectCalls } from './object-calls.ts';
import { startS3 } from './start-s3.ts';

const WHOLE_SECOND = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/;

const s3 = await startS3();
const holder = await s3.openHolder('times');
const calls = objectCalls(holder);
await calls.put('object', 'body');
const uploadId = await calls.begin('upload');
await calls.send('upload', uploadId, { number: 1, body: 'part' });
const copySource = { 'x-amz-copy-source': `${calls.bucket}/object` };
/** More than the fifteen minutes that a signature may be off. */
const DAY_MS = 86_400_000;

/** Each document with a time: who asks for it, and the elements that say times in it. */
const DOCUMENTS = [
  ['ListBuckets', () => holder.raw.send({ method: 'GET' }), ['CreationDate']],
  ['ListObjects', () => calls.list(), ['LastModified']],
  ['ListObjectsV2', () => calls.list({ 'list-type': '2' }), ['LastModified']],
  ['ListObjectVersions', () => calls.list({ versions: '' }), ['LastModified']],
  ['ListMultipartUploads', () => calls.list({ uploads: '' }), ['Initiated']],
  ['ListParts', () => calls.ask('GET', 'upload', { query: { uploadId } }), ['LastModified']],
  ['CopyObject', () => calls.ask('PUT', 'copy', { headers: copySource }), ['LastModified']],
  [
    'UploadPartCopy',
    () =>
      calls.ask('PUT', 'upload', {
        query: { uploadId, partNumber: '2' },
        headers: copySource,
      }),
    ['LastModified'],
  ],
  [
    'RequestTimeTooSkewed',
    () =>
      s3.call({
        route: `GET /${calls.bucket}`,
        headers: {
          'x-amz-date': new Date(Date.now() - DAY_MS).toISOString().replace(/[-:]|\.\d+/g, ''),
          'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
          authorization: authorizationOf(new Date(Date.now() - DAY_MS)),
        },
      }),
    ['ServerTime'],
  ],
] as const;

function authorizationOf(day: Date): string {
  const scope = `${day.toISOString().slice(0, 10).replaceAll('-', '')}/auto/s3/aws4_request`;
  const names = 'host;x-amz-content-sha256;x-amz-date';
  return `AWS4-HMAC-SHA256 Credential=${holder.accessKeyId}/${scope},SignedHeaders=${names},Signature=${'0'.repeat(64)}`;
}

for (const [name, ask, elements] of DOCUMENTS) {
  test(`${name} says its times in whole seconds`, async () => {
    const { text } = await ask();
    for (const element of elements) {
      const times = textsOf(text, element);
      assert.ok(times.length > 0, text);
      for (const time of times) assert.match(time, WHOLE_SECOND, text);
    }
    // Nor does any other element say a time in another way.
    assert.doesNotMatch(text, /T\d\d:\d\d:\d\d(?!\.000Z<)/, text);
  });
}

test('a listed time is the one of the header', async () => {
  const { headers } = await calls.head('object');
  const seconds = Date.parse(String(headers['last-modified']));
  for (const query of [{ prefix: 'object' }, { prefix: 'object', 'list-type': '2' }]) {
    const [listed = ''] = textsOf((await calls.list(query)).text, 'LastModified');
    assert.equal(Date.parse(listed), seconds);
  }
});

test('a condition by the listed or the stated time holds, and what is no date is ignored', async () => {
  const { headers } = await calls.head('object');
  const stated = String(headers['last-modified']);
  assert.equal((await calls.get('object', { 'if-modified-since': stated })).status, 304);
  assert.equal((await calls.get('object', { 'if-unmodified-since': stated })).status, 200);
  const before = new Date(Date.parse(stated) - 1000).toUTCString();
  assert.equal((await calls.get('object', { 'if-modified-since': before })).status, 200);
  assert.equal((await calls.get('object', { 'if-unmodified-since': before })).status, 412);
  for (const text of ['garbage 5', '2099-01-01', 'Sun, 32 Jan 2040 00:00:00 GMT', '5']) {
    assert.equal((await calls.get('object', { 'if-modified-since': text })).status, 200, text);
    assert.equal((await calls.get('object', { 'if-unmodified-since': text })).status, 200, text);
  }
});

test('no other code of the dialect writes a time', async () => {
  const root = new URL('../../../src/dialects/s3/', import.meta.url);
  const names = await readdir(root, { recursive: true });
  const writers: string[] = [];
  for (const name of names.filter((one) => one.endsWith('.ts') && !one.endsWith('.test.ts'))) {
    if ((await readFile(new URL(name, root), 'utf8')).includes('toISOString')) writers.push(name);
  }
  assert.deepEqual(writers, ['wire/xml-time.ts']);
});
