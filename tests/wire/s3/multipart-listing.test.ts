/** Proves ListParts and ListMultipartUploads. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { md5Of, type ObjectCalls, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const calls = objectCalls(await s3.openHolder('lister'));
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/;

type Query = Readonly<Record<string, string>>;

const partsOf = (key: string, uploadId: string, query: Query = {}) =>
  calls.ask('GET', key, { query: { uploadId, ...query } });
const numbersOf = (text: string) =>
  elementsOf(text, 'Part').map((part) => Number(textOf(part, 'PartNumber')));

const KEY = 'ä + b';
const uploadId = await calls.begin(KEY, { 'x-amz-storage-class': 'GLACIER' });
for (const number of [10_000, 9, 10, 100, 1, 2]) {
  await calls.send(KEY, uploadId, { number, body: `${number}` });
}
const NUMBERS = [1, 2, 9, 10, 100, 10_000];

test('the parts of an upload are listed in order of their numbers, with all that is said', async () => {
  const { status, text } = await partsOf(KEY, uploadId);
  assert.equal(status, 200);
  assert.match(text, /<ListPartsResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/);
  assert.deepEqual(numbersOf(text), NUMBERS);
  assert.equal(textOf(text, 'Bucket'), calls.bucket);
  assert.equal(textOf(text, 'Key'), KEY);
  assert.equal(textOf(text, 'UploadId'), uploadId);
  assert.equal(textOf(text, 'StorageClass'), 'GLACIER');
  assert.equal(textOf(text, 'PartNumberMarker'), '0');
  assert.equal(textOf(text, 'NextPartNumberMarker'), '10000');
  assert.equal(textOf(text, 'MaxParts'), '1000');
  assert.equal(textOf(text, 'IsTruncated'), 'false');
  for (const name of ['Initiator', 'Owner']) {
    const [person = ''] = elementsOf(text, name);
    assert.match(textOf(person, 'ID'), /^[0-9a-f]{64}$/);
  }
  const [first = ''] = elementsOf(text, 'Part');
  assert.equal(textOf(first, 'ETag'), `"${md5Of('1')}"`);
  assert.equal(textOf(first, 'Size'), '1');
  assert.match(textOf(first, 'LastModified'), ISO);
  for (const name of ['ChecksumAlgorithm', 'ChecksumType'])
    assert.deepEqual(textsOf(text, name), []);
});

test('parts come in pages', async () => {
  const found: number[] = [];
  let marker = '0';
  for (;;) {
    const { text } = await partsOf(KEY, uploadId, {
      'max-parts': '4',
      'part-number-marker': marker,
    });
    assert.equal(textOf(text, 'PartNumberMarker'), marker);
    assert.equal(textOf(text, 'MaxParts'), '4');
    found.push(...numbersOf(text));
    marker = textOf(text, 'NextPartNumberMarker');
    if (textOf(text, 'IsTruncated') === 'false') break;
    assert.equal(numbersOf(text).length, 4);
  }
  assert.deepEqual(found, NUMBERS);
  const behind = await partsOf(KEY, uploadId, { 'part-number-marker': '10000' });
  assert.deepEqual(numbersOf(behind.text), []);
});

test('numbers of a page that are none are refused, large ones are a thousand', async () => {
  for (const query of [
    { 'max-parts': '-1' },
    { 'max-parts': 'x' },
    { 'part-number-marker': '-1' },
    { 'part-number-marker': 'x' },
  ] as const) {
    assertS3Error(await partsOf(KEY, uploadId, { ...query }), 400, 'InvalidArgument');
  }
  const { text } = await partsOf(KEY, uploadId, { 'max-parts': '5000' });
  assert.equal(textOf(text, 'MaxParts'), '1000');
});

test('a part that is sent again is listed once, as it is now', async () => {
  const id = await calls.begin('twice');
  for (const body of ['first', 'second one']) await calls.send('twice', id, { number: 1, body });
  const { text } = await partsOf('twice', id);
  assert.deepEqual(numbersOf(text), [1]);
  assert.equal(textOf(text, 'ETag'), `"${md5Of('second one')}"`);
  assert.equal(textOf(text, 'Size'), '10');
});

/** A bucket of its own with open uploads, in the order in which they began. */
async function openUploads(name: string, keys: readonly string[]) {
  const own = objectCalls(await s3.openHolder(name));
  const ids: string[] = [];
  for (const key of keys) ids.push(await own.begin(key));
  return { own, ids };
}

const uploadsOf = (own: ObjectCalls, query: Query = {}) =>
  own.ask('GET', undefined, { query: { uploads: '', ...query } });
const pairsOf = (text: string) =>
  elementsOf(text, 'Upload').map((one) => [textOf(one, 'Key'), textOf(one, 'UploadId')]);
const prefixesOf = (text: string) =>
  elementsOf(text, 'CommonPrefixes').flatMap((one) => textsOf(one, 'Prefix'));

const KEYS = ['b', 'a/1', 'b', 'a/2', 'c d'];

test('open uploads are listed by key, then by when they began', async () => {
  const { own, ids } = await openUploads('begun', KEYS);
  const { status, text } = await uploadsOf(own);
  assert.equal(status, 200);
  assert.match(
    text,
    /<ListMultipartUploadsResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.deepEqual(pairsOf(text), [
    ['a/1', ids[1]],
    ['a/2', ids[3]],
    ['b', ids[0]],
    ['b', ids[2]],
    ['c d', ids[4]],
  ]);
  assert.equal(textOf(text, 'Bucket'), own.bucket);
  assert.equal(textOf(text, 'MaxUploads'), '1000');
  assert.equal(textOf(text, 'IsTruncated'), 'false');
  assert.match(text, /<KeyMarker><\/KeyMarker>/);
  const [first = ''] = elementsOf(text, 'Upload');
  assert.equal(textOf(first, 'StorageClass'), 'STANDARD');
  assert.match(textOf(first, 'Initiated'), ISO);
  for (const name of ['Initiator', 'Owner']) assert.equal(elementsOf(first, name).length, 1);
});

test('uploads come in pages, by key and by id', async () => {
  const { own } = await openUploads('paged', KEYS);
  const whole = pairsOf((await uploadsOf(own)).text);
  for (const limit of [1, 2, 3, 5]) {
    const found: (readonly string[])[] = [];
    let next: Query = {};
    for (;;) {
      const { text } = await uploadsOf(own, { 'max-uploads': `${limit}`, ...next });
      found.push(...pairsOf(text));
      if (textOf(text, 'IsTruncated') === 'false') {
        assert.deepEqual(textsOf(text, 'NextKeyMarker'), []);
        break;
      }
      next = {
        'key-marker': textOf(text, 'NextKeyMarker'),
        'upload-id-marker': textOf(text, 'NextUploadIdMarker'),
      };
      assert.ok(found.length < 20);
    }
    assert.deepEqual(found, whole, `pages of ${limit}`);
  }
});

test('names that XML cannot say are replaced, or encoded, and pages go on behind them', async () => {
  const keys = ['a\u0001', 'a\u0002/1', 'a\u0002/2', 'a\ufffd', 'b\ufffe', 'b\uffff', 'c'];
  const replaced = ['a\ufffd', 'a\ufffd/', 'a\ufffd', 'b\ufffd', 'b\ufffd', 'c'];
  const encoded = ['a%01', 'a%02/', 'a%EF%BF%BD', 'b%EF%BF%BE', 'b%EF%BF%BF', 'c'];
  const { own } = await openUploads('unsayable', keys);
  const inOrder = (text: string) =>
    [...text.matchAll(/<(?:Upload><Key|CommonPrefixes><Prefix)>([^<]*)</g)].map(([, name]) => name);
  for (const [query, names] of [
    [{ delimiter: '/' }, replaced],
    [{ delimiter: '/', 'encoding-type': 'url' }, encoded],
  ] as const) {
    const found: (string | undefined)[] = [];
    let next: Query = {};
    do {
      const { text } = await uploadsOf(own, { 'max-uploads': '1', ...query, ...next });
      found.push(...inOrder(text));
      next =
        textOf(text, 'IsTruncated') === 'false'
          ? {}
          : {
              'key-marker': decodeIf(query, textOf(text, 'NextKeyMarker')),
              'upload-id-marker': textOf(text, 'NextUploadIdMarker'),
            };
    } while ('key-marker' in next && found.length < 20);
    assert.deepEqual(found, names);
  }
});

const decodeIf = (query: object, name: string) =>
  'encoding-type' in query ? decodeURIComponent(name) : name;

test('a key to start from skips its uploads, and an id without a key says nothing', async () => {
  const { own, ids } = await openUploads('marked', KEYS);
  const after = async (query: Query) =>
    pairsOf((await uploadsOf(own, query)).text).map(([key]) => key);
  assert.deepEqual(await after({ 'key-marker': 'b' }), ['c d']);
  assert.deepEqual(await after({ 'key-marker': 'b', 'upload-id-marker': ids[0] ?? '' }), [
    'b',
    'c d',
  ]);
  assert.deepEqual(await after({ 'upload-id-marker': ids[4] ?? '' }), [
    'a/1',
    'a/2',
    'b',
    'b',
    'c d',
  ]);
});

test('prefixes and delimiters roll uploads up, and names are encoded when asked for', async () => {
  const { own } = await openUploads('rolled', KEYS);
  const { text } = await uploadsOf(own, { delimiter: '/', 'encoding-type': 'url' });
  assert.deepEqual(prefixesOf(text), ['a/']);
  assert.deepEqual(
    pairsOf(text).map(([key]) => key),
    ['b', 'b', 'c%20d'],
  );
  assert.equal(textOf(text, 'Delimiter'), '/');
  assert.equal(textOf(text, 'EncodingType'), 'url');
  const inside = await uploadsOf(own, { prefix: 'a/' });
  assert.deepEqual(
    pairsOf(inside.text).map(([key]) => key),
    ['a/1', 'a/2'],
  );
  const page = await uploadsOf(own, { delimiter: '/', 'max-uploads': '1' });
  assert.equal(textOf(page.text, 'NextKeyMarker'), 'a/');
  const rest = await uploadsOf(own, { delimiter: '/', 'key-marker': 'a/' });
  assert.deepEqual([prefixesOf(rest.text), pairsOf(rest.text).length], [[], 3]);
});

test('numbers of uploads that are none are refused', async () => {
  for (const text of ['-1', 'x']) {
    assertS3Error(await uploadsOf(calls, { 'max-uploads': text }), 400, 'InvalidArgument');
  }
  assertS3Error(await uploadsOf(calls, { 'encoding-type': 'hex' }), 400, 'InvalidArgument');
});

test('no uploads and no parts are asked for, and none come', async () => {
  const uploads = await uploadsOf(calls, { 'max-uploads': '0' });
  assert.deepEqual(pairsOf(uploads.text), []);
  assert.equal(textOf(uploads.text, 'IsTruncated'), 'false');
  const parts = await partsOf(KEY, uploadId, { 'max-parts': '0' });
  assert.equal(parts.status, 200);
  assert.deepEqual(numbersOf(parts.text), []);
  assert.equal(textOf(parts.text, 'IsTruncated'), 'false');
});

test('a bucket without uploads lists none, as 200, and ended ones are not listed', async () => {
  const { own, ids } = await openUploads('ended', ['a', 'b']);
  const part = await own.send('a', ids[0] ?? '', { number: 1, body: 'part' });
  await own.complete('a', ids[0] ?? '', [part]);
  await own.abort('b', ids[1] ?? '');
  const { status, text } = await uploadsOf(own);
  assert.equal(status, 200);
  assert.deepEqual(pairsOf(text), []);
  assert.equal(textOf(text, 'IsTruncated'), 'false');
});

test('2500 uploads come in pages of a thousand, all of them once', async () => {
  const own = objectCalls(await s3.openHolder('many-uploads'));
  const begun = await Promise.all(
    Array.from({ length: 2500 }, async (_, index) => [
      `k${index % 5}`,
      await own.begin(`k${index % 5}`),
    ]),
  );
  const found: (readonly string[])[] = [];
  let next: Query = {};
  for (;;) {
    const { text } = await uploadsOf(own, next);
    found.push(...pairsOf(text));
    if (textOf(text, 'IsTruncated') === 'false') break;
    assert.equal(found.length % 1000, 0);
    next = {
      'key-marker': textOf(text, 'NextKeyMarker'),
      'upload-id-marker': textOf(text, 'NextUploadIdMarker'),
    };
  }
  assert.deepEqual(found.toSorted(), begun.toSorted());
});
