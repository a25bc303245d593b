/** Proves ListObjectVersions of buckets never versioned, and that writes name no version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { md5Of, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const calls = objectCalls(await s3.openHolder('versions'));
for (const key of ['a', 'b/1', 'b/2', 'c d']) await calls.put(key, key);

const list = (query: Readonly<Record<string, string>> = {}) =>
  calls.ask('GET', undefined, { query: { versions: '', ...query } });
const keysOf = (text: string) => elementsOf(text, 'Version').flatMap((one) => textsOf(one, 'Key'));
const prefixesOf = (text: string) =>
  elementsOf(text, 'CommonPrefixes').flatMap((one) => textsOf(one, 'Prefix'));

test('each object is its latest and only version, null', async () => {
  const { status, text } = await list();
  assert.equal(status, 200);
  assert.match(text, /<ListVersionsResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/);
  assert.deepEqual(keysOf(text), ['a', 'b/1', 'b/2', 'c d']);
  assert.deepEqual(new Set(textsOf(text, 'VersionId')), new Set(['null']));
  assert.deepEqual(new Set(textsOf(text, 'IsLatest')), new Set(['true']));
  assert.equal(textsOf(text, 'ETag')[0], `"${md5Of('a')}"`);
  assert.deepEqual(textsOf(text, 'Size'), ['1', '3', '3', '3']);
  assert.equal(elementsOf(text, 'DeleteMarker').length, 0);
  assert.equal(elementsOf(text, 'Owner').length, 4);
  assert.equal(textOf(text, 'Name'), calls.bucket);
  assert.equal(textOf(text, 'IsTruncated'), 'false');
  assert.match(text, /<KeyMarker><\/KeyMarker><VersionIdMarker><\/VersionIdMarker>/);
});

test('a truncated page says the key and the version to go on from', async () => {
  const { text } = await list({ 'max-keys': '2' });
  assert.equal(textOf(text, 'IsTruncated'), 'true');
  assert.equal(textOf(text, 'NextKeyMarker'), 'b/1');
  assert.equal(textOf(text, 'NextVersionIdMarker'), 'null');
  const rest = await list({ 'key-marker': 'b/1', 'version-id-marker': 'null' });
  assert.deepEqual(keysOf(rest.text), ['b/2', 'c d']);
  assert.deepEqual(textsOf(rest.text, 'NextKeyMarker'), []);
});

test('prefixes and delimiters roll up as in any listing', async () => {
  const { text } = await list({ delimiter: '/' });
  assert.deepEqual([keysOf(text), prefixesOf(text)], [['a', 'c d'], ['b/']]);
  const one = await list({ delimiter: '/', 'max-keys': '2' });
  assert.equal(textOf(one.text, 'NextKeyMarker'), 'b/');
  const rest = await list({ delimiter: '/', 'key-marker': 'b/' });
  assert.deepEqual([keysOf(rest.text), prefixesOf(rest.text)], [['c d'], []]);
  const inside = await list({ prefix: 'b/' });
  assert.deepEqual(keysOf(inside.text), ['b/1', 'b/2']);
});

test('names are encoded when asked for', async () => {
  const { text } = await list({ 'encoding-type': 'url', 'key-marker': 'b 1', 'max-keys': '9' });
  assert.deepEqual(keysOf(text), ['b/1', 'b/2', 'c%20d']);
  assert.equal(textOf(text, 'KeyMarker'), 'b%201');
  assertS3Error(await list({ 'encoding-type': 'hex' }), 400, 'InvalidArgument');
});

test('a version to start from needs a key to start from', async () => {
  assertS3Error(await list({ 'version-id-marker': 'null' }), 400, 'InvalidArgument');
});

test('a number of versions that is none is refused, and none is none', async () => {
  for (const text of ['-1', 'x'])
    assertS3Error(await list({ 'max-keys': text }), 400, 'InvalidArgument');
  const { text } = await list({ 'max-keys': '0' });
  assert.deepEqual(keysOf(text), []);
  assert.equal(textOf(text, 'IsTruncated'), 'false');
});

test('a write makes its version, and is given none to overwrite', async () => {
  const uploadId = await calls.begin('a');
  const part = { partNumber: '1', uploadId };
  const copied = { 'x-amz-copy-source': `${calls.bucket}/b/1` };
  for (const versionId of ['null', '3HL4kqtJlcpXroDTDmJ', '']) {
    for (const answer of [
      await calls.ask('PUT', 'a', { query: { versionId }, body: 'other' }),
      await calls.ask('PUT', 'a', { query: { versionId }, headers: copied }),
      await calls.ask('POST', 'a', { query: { uploads: '', versionId } }),
      await calls.ask('PUT', 'a', { query: { ...part, versionId }, body: 'other' }),
      await calls.ask('PUT', 'a', { query: { ...part, versionId }, headers: copied }),
    ]) {
      assertS3Error(answer, 400, 'InvalidArgument');
      assert.equal(textOf(answer.text, 'ArgumentName'), 'versionId');
    }
  }
  assert.equal((await calls.get('a')).text, 'a');
  const { text } = await calls.done('GET', 'a', { query: { uploadId } });
  assert.equal(elementsOf(text, 'Part').length, 0);
});
