/** Proves the tags of objects and of buckets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { MIB, md5Header, objectCalls } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const calls = objectCalls(await s3.openHolder('tagger'));
await calls.put('object', 'body');

type Pair = readonly [key: string, value: string];

const query = { tagging: '' };
const tagOf = ([key, value]: Pair) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
const bodyOf = (pairs: readonly Pair[]) =>
  `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>${pairs.map(tagOf).join('')}</TagSet></Tagging>`;
const numbered = (count: number): readonly Pair[] =>
  Array.from({ length: count }, (_, index) => [`k${index}`, `${index}`]);

/** `undefined` is the bucket. */
const put = (key: string | undefined, body: string) =>
  calls.ask('PUT', key, { query, body, headers: md5Header(body) });

async function tagsOf(key: string | undefined): Promise<readonly Pair[]> {
  const { text } = await calls.done('GET', key, { query });
  const values = textsOf(text, 'Value');
  return textsOf(text, 'Key').map((name, index) => [name, values[index] ?? '']);
}

for (const [what, key, status, most] of [
  ['an object', 'object', 200, 10],
  ['a bucket', undefined, 204, 50],
] as const) {
  test(`tags of ${what} are put, read and deleted`, async () => {
    const pairs: readonly Pair[] = [
      ['colour', 'blue'],
      ['é + - = . _ : / @ 9', ''],
      ['a', 'ü / @'],
    ];
    const answer = await put(key, bodyOf(pairs));
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.text, '');
    assert.deepEqual(new Set(await tagsOf(key)), new Set(pairs));
    await put(key, bodyOf([['only', 'this']]));
    assert.deepEqual(await tagsOf(key), [['only', 'this']]);
    assert.equal((await calls.ask('DELETE', key, { query })).status, 204);
    assert.equal((await calls.ask('DELETE', key, { query })).status, 204);
  });

  test(`tags of ${what} come back in order of their keys as bytes`, async () => {
    const sorted = ['', '10', '9', 'A', 'a', 'a b', 'b', '\uff21', '\u{1d400}'].slice(1);
    await put(key, bodyOf(sorted.toReversed().map((name) => [name, 'x'])));
    assert.deepEqual(
      (await tagsOf(key)).map(([name]) => name),
      sorted,
    );
  });

  test(`${what} has ${most} tags at most`, async () => {
    assert.equal((await put(key, bodyOf(numbered(most)))).status, status);
    assert.equal((await tagsOf(key)).length, most);
    assertS3Error(await put(key, bodyOf(numbered(most + 1))), 400, 'BadRequest');
    assert.equal((await tagsOf(key)).length, most, 'what stood stands');
  });

  test(`tags of ${what} that break a rule are invalid`, async () => {
    await put(key, bodyOf([['before', '1']]));
    for (const pair of [
      ['aws:mine', '1'],
      ['AWS:mine', '1'],
      ['', 'x'],
      ['k'.repeat(129), 'x'],
      ['k', 'v'.repeat(257)],
      ['k{}', 'x'],
      ['k', 'x!'],
      ['k', 'a*b'],
    ] as const) {
      assertS3Error(await put(key, bodyOf([pair])), 400, 'InvalidTag');
    }
    assertS3Error(
      await put(
        key,
        bodyOf([
          ['k', '1'],
          ['k', '2'],
        ]),
      ),
      400,
      'InvalidTag',
    );
    assert.deepEqual(await tagsOf(key), [['before', '1']]);
    const longest: Pair = ['k'.repeat(128), 'v'.repeat(256)];
    assert.equal((await put(key, bodyOf([longest]))).status, status);
    assert.deepEqual(await tagsOf(key), [longest]);
    // Letters of two UTF-16 units each.
    const wide: Pair = ['𐐀'.repeat(128), '𐐀'.repeat(256)];
    assert.equal((await put(key, bodyOf([wide]))).status, status);
    assert.deepEqual(await tagsOf(key), [wide]);
  });

  test(`tags of ${what} in another document are malformed`, async () => {
    for (const body of [
      ...['<Tagging>', '<Tagging/>', '<Other><TagSet/></Other>', 'text'],
      '<Tagging><TagSet><Tag><Key>k</Key></Tag></TagSet></Tagging>',
      '<!DOCTYPE a [<!ENTITY b "c">]><Tagging><TagSet/></Tagging>',
    ]) {
      assertS3Error(await put(key, body), 400, 'MalformedXML');
    }
    assertS3Error(await calls.ask('PUT', key, { query }), 400, 'MissingRequestBodyError');
  });

  test(`tags of ${what} are not trimmed, and not made numbers`, async () => {
    const pairs: readonly Pair[] = [
      ['007', '1e3'],
      [' k ', ' v '],
    ];
    await put(key, bodyOf(pairs));
    assert.deepEqual(new Set(await tagsOf(key)), new Set(pairs));
  });
}

test('an object without tags has an empty set, a bucket none', async () => {
  await calls.put('bare');
  assert.deepEqual(await tagsOf('bare'), []);
  await calls.ask('DELETE', undefined, { query });
  assertS3Error(await calls.ask('GET', undefined, { query }), 404, 'NoSuchTagSet');
});

test('an object that is not there has no tags to read, put or delete', async () => {
  for (const method of ['GET', 'DELETE']) {
    assertS3Error(await calls.ask(method, 'missing', { query }), 404, 'NoSuchKey');
  }
  assertS3Error(await put('missing', bodyOf([['a', 'b']])), 404, 'NoSuchKey');
  assert.equal(await calls.isThere('missing'), false);
});

test('tags change without the object, which keeps its bytes, its tag and its time', async () => {
  await calls.put('same', 'body', { 'x-amz-meta-a': 'b' });
  const before = await calls.get('same');
  await put('same', bodyOf([['a', 'b']]));
  const after = await calls.get('same');
  assert.equal(after.text, 'body');
  for (const name of ['etag', 'last-modified', 'x-amz-meta-a']) {
    assert.equal(after.headers[name], before.headers[name], name);
  }
  assert.equal(after.headers['x-amz-tagging-count'], '1');
});

test('tags of a header that is no query string are an invalid argument', async () => {
  for (const text of ['%zz=1', 'a=%ff', 'a%', '=', '=b', 'a=1&a=2', 'a&a', 'a=1&%61=1']) {
    const answer = await calls.ask('PUT', 'never', { headers: { 'x-amz-tagging': text } });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  for (const text of ['a!=1', 'a=1!', `${'a'.repeat(129)}=1`]) {
    const answer = await calls.ask('PUT', 'never', { headers: { 'x-amz-tagging': text } });
    assertS3Error(answer, 400, 'InvalidTag');
  }
  const eleven = numbered(11)
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
  const many = await calls.ask('PUT', 'never', { headers: { 'x-amz-tagging': eleven } });
  assertS3Error(many, 400, 'BadRequest');
  assert.equal(await calls.isThere('never'), false);
});

test('pairs of a header that are empty are no tags', async () => {
  for (const [text, tags] of [
    ['&', []],
    ['&&', []],
    ['a&', [['a', '']]],
    [
      '&a=1&&b=2&',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
  ] as const) {
    await calls.put('sparse', 'a', { 'x-amz-tagging': text });
    assert.deepEqual(await tagsOf('sparse'), tags, text);
  }
});

test('a put forgets the tags of what it replaces', async () => {
  await calls.put('again', 'a', { 'x-amz-tagging': 'a=%2B%20b' });
  assert.deepEqual(await tagsOf('again'), [['a', '+ b']]);
  await calls.put('again', 'b');
  assert.deepEqual(await tagsOf('again'), []);
});

test('tags come with the namespace that clients look for', async () => {
  const { text } = await calls.done('GET', 'object', { query });
  assert.match(text, /<Tagging xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/"><TagSet>/);
});

test('a digest of the document that does not match refuses it', async () => {
  await put('object', bodyOf([['before', '1']]));
  const body = bodyOf([['a', 'b']]);
  const headers = md5Header('another');
  assertS3Error(await calls.ask('PUT', 'object', { query, body, headers }), 400, 'BadDigest');
  const short = { 'content-md5': 'AAAA' };
  assertS3Error(
    await calls.ask('PUT', 'object', { query, body, headers: short }),
    400,
    'InvalidDigest',
  );
  assert.deepEqual(await tagsOf('object'), [['before', '1']]);
});

test('a document of tags that is too long is refused', async () => {
  const long = bodyOf([['a', 'b']]).replace('<TagSet>', `${' '.repeat(MIB)}<TagSet>`);
  assertS3Error(await put('object', long), 400, 'MaxMessageLengthExceeded');
});
