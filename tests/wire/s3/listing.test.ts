/** Proves the contract's section "Listing", of both versions, page by page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { md5Of, type ObjectCalls, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/;

/** A bucket of its own that holds empty objects. */
async function bucketOf(name: string, keys: readonly string[]): Promise<ObjectCalls> {
  const calls = objectCalls(await s3.openHolder(name));
  await Promise.all(keys.map((key) => calls.put(key)));
  return calls;
}

type Query = Readonly<Record<string, string>>;

const keysOf = (text: string) => elementsOf(text, 'Contents').flatMap((one) => textsOf(one, 'Key'));
const prefixesOf = (text: string) =>
  elementsOf(text, 'CommonPrefixes').flatMap((one) => textsOf(one, 'Prefix'));
const V2: Query = { 'list-type': '2' };

/** Every page from the first on, by whatever the version says to go on with. */
async function pagesOf(calls: ObjectCalls, query: Query): Promise<readonly string[]> {
  const isSecond = query['list-type'] === '2';
  const pages: string[] = [];
  let next: Query = {};
  for (;;) {
    const { text } = await calls.list({ ...query, ...next });
    pages.push(text);
    if (textOf(text, 'IsTruncated') === 'false') return pages;
    next = isSecond
      ? { 'continuation-token': textOf(text, 'NextContinuationToken') }
      : { marker: textOf(text, 'NextMarker') };
    assert.ok(pages.length < 200, 'the pages do not end');
  }
}

const TREE = ['a', 'b/', 'b/1', 'b/2', 'c/d/e', 'c/d/f', 'g'];
const tree = await bucketOf('tree', TREE);

test('a listing has everything that the first version says', async () => {
  const calls = await bucketOf('frame', []);
  await calls.put('key', 'body', { 'x-amz-storage-class': 'GLACIER' });
  const { text, headers } = await calls.list();
  assert.equal(headers['content-type'], 'application/xml');
  assert.match(
    text,
    /^<\?xml version="1.0" encoding="UTF-8"\?>\n<ListBucketResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.equal(textOf(text, 'Name'), calls.bucket);
  assert.match(text, /<Prefix><\/Prefix>/);
  assert.match(text, /<Marker><\/Marker>/);
  assert.equal(textOf(text, 'MaxKeys'), '1000');
  assert.equal(textOf(text, 'IsTruncated'), 'false');
  for (const name of ['NextMarker', 'Delimiter', 'EncodingType', 'KeyCount']) {
    assert.deepEqual(textsOf(text, name), [], name);
  }
  assert.equal(textOf(text, 'Key'), 'key');
  assert.equal(textOf(text, 'ETag'), `"${md5Of('body')}"`);
  assert.equal(textOf(text, 'Size'), '4');
  assert.equal(textOf(text, 'StorageClass'), 'GLACIER');
  assert.match(textOf(text, 'LastModified'), ISO);
  assert.match(textOf(text, 'ID'), /^[0-9a-f]{64}$/);
  assert.notEqual(textOf(text, 'DisplayName'), '');
});

test('the second version counts, and names the owner only when asked', async () => {
  const { text } = await tree.list(V2);
  assert.equal(textOf(text, 'KeyCount'), `${TREE.length}`);
  assert.deepEqual(keysOf(text), TREE);
  assert.equal(elementsOf(text, 'Owner').length, 0);
  for (const name of ['Marker', 'NextMarker', 'ContinuationToken', 'NextContinuationToken']) {
    assert.deepEqual(textsOf(text, name), [], name);
  }
  const owned = await tree.list({ ...V2, 'fetch-owner': 'true' });
  assert.equal(elementsOf(owned.text, 'Owner').length, TREE.length);
  const unowned = await tree.list({ ...V2, 'fetch-owner': 'false' });
  assert.equal(elementsOf(unowned.text, 'Owner').length, 0);
});

test('keys stand in the order of their bytes, not of their UTF-16', async () => {
  const keys = ['Z', 'a', 'a b', 'a!', 'a/', 'a0', 'é', '\uFFFD', '\u{1F600}', '\u{10000}', '~'];
  const calls = await bucketOf('orderly', keys);
  const expected = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  assert.deepEqual(keysOf((await calls.list()).text), expected);
  assert.deepEqual(keysOf((await calls.list(V2)).text), expected);
  assert.ok(expected.indexOf('\uFFFD') < expected.indexOf('\u{10000}'));
});

for (const version of [{}, V2]) {
  const named = `version ${version === V2 ? 2 : 1}`;

  test(`a prefix and a delimiter roll keys up (${named})`, async () => {
    for (const [prefix, delimiter, keys, prefixes] of [
      ['', '/', ['a', 'g'], ['b/', 'c/']],
      ['b/', '/', ['b/', 'b/1', 'b/2'], []],
      ['b', '/', [], ['b/']],
      ['c/', '/', [], ['c/d/']],
      ['c/d', '/', [], ['c/d/']],
      ['', 'd/', ['a', 'b/', 'b/1', 'b/2', 'g'], ['c/d/']],
      ['', '/d/', ['a', 'b/', 'b/1', 'b/2', 'g'], ['c/d/']],
      ['x', '/', [], []],
      ['', '', TREE, []],
      ['c', '', ['c/d/e', 'c/d/f'], []],
    ] as const) {
      const { text } = await tree.list({ ...version, prefix, delimiter });
      const what = `${prefix} by ${delimiter}`;
      assert.deepEqual(keysOf(text), keys, what);
      assert.deepEqual(prefixesOf(text), prefixes, what);
      assert.deepEqual(textsOf(text, 'Delimiter'), delimiter === '' ? [] : [delimiter]);
      if (version === V2)
        assert.equal(textOf(text, 'KeyCount'), `${keys.length + prefixes.length}`);
    }
  });

  test(`each common prefix counts as one of a page (${named})`, async () => {
    const pages = await pagesOf(tree, { ...version, delimiter: '/', 'max-keys': '1' });
    assert.deepEqual(
      pages.map((text) => [...keysOf(text), ...prefixesOf(text)]),
      [['a'], ['b/'], ['c/'], ['g']],
    );
    const two = await pagesOf(tree, { ...version, delimiter: '/', 'max-keys': '2' });
    assert.equal(two.length, 2, 'a page that ends the listing is not truncated');
  });

  test(`no keys are asked for, and none come (${named})`, async () => {
    const { text } = await tree.list({ ...version, 'max-keys': '0' });
    assert.deepEqual(keysOf(text), []);
    assert.equal(textOf(text, 'IsTruncated'), 'false');
    assert.equal(textOf(text, 'MaxKeys'), '0');
  });

  test(`more than a thousand keys are asked for, and a thousand are meant (${named})`, async () => {
    for (const text of ['1001', '2147483647', '2147483648', '9'.repeat(400)]) {
      const answer = await tree.list({ ...version, 'max-keys': text });
      assert.equal(textOf(answer.text, 'MaxKeys'), '1000');
    }
  });

  test(`a number of keys that is none is refused (${named})`, async () => {
    for (const text of ['-1', 'ten', '5abc', '1.5', '0x10', ' 5']) {
      const answer = await tree.ask('GET', undefined, { query: { ...version, 'max-keys': text } });
      assertS3Error(answer, 400, 'InvalidArgument');
    }
  });

  test(`an encoding other than url is refused (${named})`, async () => {
    const query = { ...version, 'encoding-type': 'base64' };
    assertS3Error(await tree.ask('GET', undefined, { query }), 400, 'InvalidArgument');
  });

  test(`unknown wishes of a listing are ignored (${named})`, async () => {
    const { text } = await tree.list({ ...version, metadata: 'true', 'allow-unordered': 'true' });
    assert.deepEqual(keysOf(text), TREE);
  });
}

test('a marker is not listed itself, and need not be there', async () => {
  for (const [marker, keys] of [
    ['a', TREE.slice(1)],
    ['aa', TREE.slice(1)],
    ['b/1', ['b/2', 'c/d/e', 'c/d/f', 'g']],
    ['g', []],
    ['zzz', []],
  ] as const) {
    const first = await tree.list({ marker });
    assert.deepEqual(keysOf(first.text), keys, marker);
    assert.equal(textOf(first.text, 'Marker'), marker);
    const second = await tree.list({ ...V2, 'start-after': marker });
    assert.deepEqual(keysOf(second.text), keys, marker);
    assert.equal(textOf(second.text, 'StartAfter'), marker);
  }
});

test('a marker that is a common prefix skips it, and one inside what is before it', async () => {
  const { text } = await tree.list({ marker: 'b/', delimiter: '/' });
  assert.deepEqual([keysOf(text), prefixesOf(text)], [['g'], ['c/']]);
  const inside: readonly (readonly [string, readonly string[]])[] = [
    ['b/1', ['b/', 'c/']],
    ['b/2', ['c/']],
    ['c/d/e', ['c/']],
    ['c/d/f', []],
  ];
  for (const [marker, prefixes] of inside) {
    const first = await tree.list({ marker, delimiter: '/' });
    assert.deepEqual(prefixesOf(first.text), prefixes, marker);
    const second = await tree.list({ ...V2, 'start-after': marker, delimiter: '/' });
    assert.deepEqual(prefixesOf(second.text), prefixes, marker);
    const versions = await tree.list({ versions: '', 'key-marker': marker, delimiter: '/' });
    assert.deepEqual(prefixesOf(versions.text), prefixes, marker);
  }
  const plain = await tree.list({ marker: 'b/' });
  assert.deepEqual(keysOf(plain.text), ['b/1', 'b/2', 'c/d/e', 'c/d/f', 'g']);
});

test('the next marker is given whenever a page is truncated', async () => {
  const plain = await tree.list({ 'max-keys': '2' });
  assert.equal(textOf(plain.text, 'NextMarker'), 'b/');
  const rolled = await tree.list({ 'max-keys': '2', delimiter: '/' });
  assert.equal(textOf(rolled.text, 'NextMarker'), 'b/');
});

test('a token is opaque, and goes before a key to start after', async () => {
  const first = await tree.list({ ...V2, 'max-keys': '1' });
  const token = textOf(first.text, 'NextContinuationToken');
  assert.match(token, /^[A-Za-z0-9_-]+$/);
  const second = await tree.list({
    ...V2,
    'max-keys': '1',
    'continuation-token': token,
    'start-after': 'c',
  });
  assert.deepEqual(keysOf(second.text), ['b/']);
  assert.equal(textOf(second.text, 'ContinuationToken'), token);
  assert.equal(textOf(second.text, 'StartAfter'), 'c');
});

test('a token that was never given is refused', async () => {
  for (const token of ['x', 'a/b', '!', 'AAAA', '']) {
    const answer = await tree.ask('GET', undefined, {
      query: { ...V2, 'continuation-token': token },
    });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
});

test('another type of list than the two is refused', async () => {
  const answer = await tree.ask('GET', undefined, { query: { 'list-type': '3' } });
  assertS3Error(answer, 400, 'InvalidArgument');
});

const ODD = [' ', 'a b', 'a+b', 'a%20b', 'é', 'e&<>"\'', '😀', 'x/y (1)*!', 'x/~-._'];

test('names are encoded when asked for, and only they', async () => {
  const calls = await bucketOf('encoder', ODD);
  const encoded = (text: string) =>
    encodeURIComponent(text)
      .replaceAll('%2F', '/')
      .replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
  const query = {
    'encoding-type': 'url',
    prefix: 'x/',
    delimiter: ' (',
    marker: 'é',
    'max-keys': '1',
  };
  const sorted = ODD.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const version of [{}, V2]) {
    const all = await calls.list({ ...version, 'encoding-type': 'url' });
    assert.deepEqual(keysOf(all.text), sorted.map(encoded));
    assert.equal(textOf(all.text, 'EncodingType'), 'url');
  }
  const { text } = await calls.list({ ...query, marker: '+ é' });
  assert.deepEqual(prefixesOf(text), ['x/y%20%28']);
  assert.equal(textOf(text, 'Marker'), '%2B%20%C3%A9');
  assert.equal(textOf(text, 'Delimiter'), '%20%28');
  assert.equal(textOf(text, 'NextMarker'), 'x/y%20%28');
  assert.match(text, /<Prefix>x\/<\/Prefix>/);
  const second = await calls.list({ ...V2, 'encoding-type': 'url', 'start-after': 'a+ b' });
  assert.equal(textOf(second.text, 'StartAfter'), 'a%2B%20b');
  const plain = await calls.list();
  assert.deepEqual(keysOf(plain.text), sorted);
  assert.deepEqual(textsOf(plain.text, 'EncodingType'), []);
});

test('control characters are references, and parsers read what was put', async () => {
  const keys = ['a\u0001b', 'a\tb', 'a\nb', 'a\rb', 'a\u001fb', 'a\u007fb', 'a\uFFFEb'];
  const calls = await bucketOf('controller', keys);
  const { text } = await calls.list();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\ufffe]/.test(text), text);
  assert.deepEqual(new Set(keysOf(text)), new Set(keys));
  assert.match(text, /a&#x1;b/);
  assert.match(text, /a&#13;b/);
});

test('what is put or deleted is listed so at once, and uploads never are', async () => {
  const calls = await bucketOf('lively', ['stays']);
  const uploadId = await calls.begin('half');
  const part = await calls.send('half', uploadId, { number: 1, body: 'part' });
  assert.deepEqual(keysOf((await calls.list()).text), ['stays']);
  for (let index = 0; index < 20; index += 1) {
    await calls.put('comes');
    assert.deepEqual(keysOf((await calls.list()).text), ['comes', 'stays']);
    await calls.done('DELETE', 'comes');
    assert.deepEqual(keysOf((await calls.list(V2)).text), ['stays']);
  }
  assert.equal((await calls.complete('half', uploadId, [part])).status, 200);
  assert.deepEqual(keysOf((await calls.list()).text), ['half', 'stays']);
});

test('an empty bucket lists nothing, as 200', async () => {
  const calls = await bucketOf('empty', []);
  for (const query of [{}, V2]) {
    const { text } = await calls.list(query);
    assert.deepEqual([keysOf(text), prefixesOf(text)], [[], []]);
    assert.equal(textOf(text, 'IsTruncated'), 'false');
  }
});

test('2500 keys come in pages of a thousand, all of them once', async () => {
  const keys = Array.from({ length: 2500 }, (_, index) => `${index % 25}/${index}`);
  const calls = await bucketOf('many', keys);
  const sorted = keys.toSorted();
  for (const version of [{}, V2]) {
    const pages = await pagesOf(calls, version);
    assert.deepEqual(
      pages.map((text) => keysOf(text).length),
      [1000, 1000, 500],
    );
    assert.deepEqual(pages.flatMap(keysOf), sorted);
    const odd = await pagesOf(calls, { ...version, 'max-keys': '333' });
    assert.deepEqual(odd.flatMap(keysOf), sorted);
    const rolled = await pagesOf(calls, { ...version, delimiter: '/', 'max-keys': '7' });
    assert.deepEqual(
      rolled.flatMap(prefixesOf),
      Array.from({ length: 25 }, (_, index) => `${index}/`).toSorted(),
    );
  }
  const versions: string[] = [];
  let marker: Query = {};
  for (;;) {
    const { text } = await calls.list({ versions: '', ...marker });
    versions.push(...elementsOf(text, 'Version').flatMap((one) => textsOf(one, 'Key')));
    if (textOf(text, 'IsTruncated') === 'false') break;
    marker = {
      'key-marker': textOf(text, 'NextKeyMarker'),
      'version-id-marker': textOf(text, 'NextVersionIdMarker'),
    };
  }
  assert.deepEqual(versions, sorted);
});
