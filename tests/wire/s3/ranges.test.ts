/** Proves what parts of an object a Range and a partNumber answer, of objects of every make. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seededRandom } from '../../world/seeded-random.ts';
import { MIB, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const calls = objectCalls(await s3.openHolder('ranger'));

const bytes = Buffer.from(seededRandom('ranges').bytes(5 * MIB + 1000));
/** Below and above what shares a segment, and of several parts. */
const small = bytes.subarray(0, 1000);
const large = bytes.subarray(0, 700_000);
await calls.put('small', small);
await calls.put('large', large);
await calls.put('empty');
const uploadId = await calls.begin('parts');
const parts = [
  await calls.send('parts', uploadId, { number: 3, body: bytes.subarray(0, 5 * MIB) }),
  await calls.send('parts', uploadId, { number: 9, body: bytes.subarray(5 * MIB) }),
];
assert.equal((await calls.complete('parts', uploadId, parts)).status, 200);

const OBJECTS = [
  ['small', small],
  ['large', large],
  ['parts', bytes],
] as const;

async function assertPartial(
  key: string,
  whole: Buffer,
  asked: { readonly range: string; readonly start: number; readonly end: number },
): Promise<void> {
  const { range, start, end } = asked;
  for (const method of ['GET', 'HEAD']) {
    const answer = await calls.ask(method, key, { headers: { range } });
    const what = `${method} ${range} of ${key}`;
    assert.equal(answer.status, 206, what);
    assert.equal(
      answer.headers['content-range'],
      `bytes ${start}-${end - 1}/${whole.length}`,
      what,
    );
    assert.equal(answer.headers['content-length'], `${end - start}`, what);
    if (method === 'GET') assert.ok(answer.bytes.equals(whole.subarray(start, end)), what);
  }
}

for (const [key, whole] of OBJECTS) {
  const size = whole.length;
  test(`one range of the object ${key} is 206 with its bytes, clamped to the end`, async () => {
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=10-19', 10, 20],
      [`bytes=${size - 1}-`, size - 1, size],
      ['bytes=0-', 0, size],
      [`bytes=5-${size * 2}`, 5, size],
      ['bytes=-7', size - 7, size],
      [`bytes=-${size * 2}`, 0, size],
      [`bytes=${Math.floor(size / 2)}-${size - 2}`, Math.floor(size / 2), size - 1],
    ] as const) {
      await assertPartial(key, whole, { range, start, end });
    }
  });

  test(`a range behind the end of the object ${key} is 416 and says the size`, async () => {
    for (const range of [`bytes=${size}-`, `bytes=${size}-${size + 5}`, 'bytes=-0']) {
      const answer = await calls.get(key, { range });
      assertS3Error(answer, 416, 'InvalidRange');
      assert.equal(textOf(answer.text, 'ActualObjectSize'), `${size}`);
      assert.equal(textOf(answer.text, 'RangeRequested'), range);
      assert.equal(answer.headers['content-range'], `bytes */${size}`);
      const head = await calls.head(key, { range });
      assert.equal(head.status, 416);
      assert.equal(head.bytes.length, 0);
    }
  });

  test(`a range that is none is ignored, of the object ${key}`, async () => {
    for (const range of [
      ...['bytes=9-5', 'items=0-5', 'bytes=a-b', 'bytes=', 'bytes=0-1,5-6', 'bytes=--1'],
      ...['0-5', 'bytes=1.5-2', 'bytes 0-5'],
    ]) {
      const answer = await calls.get(key, { range });
      assert.equal(answer.status, 200, range);
      assert.equal(answer.headers['content-range'], undefined);
      assert.ok(answer.bytes.equals(whole), range);
    }
  });
}

test('of an empty object a range from somewhere is 416 and from the end 200', async () => {
  for (const range of ['bytes=0-', 'bytes=0-0', 'bytes=5-']) {
    const answer = await calls.get('empty', { range });
    assertS3Error(answer, 416, 'InvalidRange');
    assert.equal(answer.headers['content-range'], 'bytes */0');
  }
  for (const range of ['bytes=-1', 'bytes=-100']) {
    const answer = await calls.get('empty', { range });
    assert.equal(answer.status, 200);
    assert.equal(answer.bytes.length, 0);
  }
});

test('a range with If-Range is honoured for what it names, else the whole comes', async () => {
  const { headers } = await calls.head('small');
  const range = 'bytes=1-2';
  for (const name of [headers.etag, headers['last-modified']]) {
    const answer = await calls.get('small', { range, 'if-range': String(name) });
    assert.equal(answer.status, 206, String(name));
  }
  for (const name of ['"other"', 'Sat, 01 Jan 2000 00:00:00 GMT']) {
    const answer = await calls.get('small', { range, 'if-range': name });
    assert.equal(answer.status, 200, name);
    assert.ok(answer.bytes.equals(small));
  }
});

test('conditions are decided before the range', async () => {
  const range = 'bytes=9999999-';
  const { headers } = await calls.head('small');
  const fresh = await calls.get('small', { range, 'if-none-match': String(headers.etag) });
  assert.equal(fresh.status, 304);
  assertS3Error(await calls.get('small', { range, 'if-match': '"x"' }), 412, 'PreconditionFailed');
});

const part = (method: string, key: string, partNumber: string, headers = {}) =>
  calls.ask(method, key, { query: { partNumber }, headers });

test('a part of an object is 206 with its place and the number of parts', async () => {
  const starts = [0, 5 * MIB, bytes.length];
  for (const number of [1, 2]) {
    const [start = 0, end = 0] = starts.slice(number - 1);
    for (const method of ['GET', 'HEAD']) {
      const answer = await part(method, 'parts', `${number}`);
      assert.equal(answer.status, 206);
      assert.equal(answer.headers['x-amz-mp-parts-count'], '2');
      assert.equal(answer.headers['content-range'], `bytes ${start}-${end - 1}/${bytes.length}`);
      assert.equal(answer.headers['content-length'], `${end - start}`);
      if (method === 'GET') assert.ok(answer.bytes.equals(bytes.subarray(start, end)));
    }
  }
});

test('the one part of a simple object is the whole, as 206 without a count', async () => {
  for (const method of ['GET', 'HEAD']) {
    const answer = await part(method, 'small', '1');
    assert.equal(answer.status, 206);
    assert.equal(answer.headers['x-amz-mp-parts-count'], undefined);
    assert.equal(answer.headers['content-range'], 'bytes 0-999/1000');
    assert.equal(answer.headers['content-length'], '1000');
    if (method === 'GET') assert.ok(answer.bytes.equals(small));
  }
});

test('the count of parts is told only to who asks for a part', async () => {
  for (const answer of [
    await calls.get('parts', { range: 'bytes=0-1' }),
    await calls.head('parts'),
  ]) {
    assert.equal(answer.headers['x-amz-mp-parts-count'], undefined);
  }
});

test('a part beyond the count is 416 InvalidPartNumber', async () => {
  for (const [key, number] of [
    ['parts', '3'],
    ['parts', '9'],
    ['small', '2'],
    ['empty', '10000'],
  ] as const) {
    assertS3Error(await part('GET', key, number), 416, 'InvalidPartNumber');
    assert.equal((await part('HEAD', key, number)).status, 416);
  }
});

test('a part number that no part could have is an invalid argument', async () => {
  for (const number of ['0', '10001', '-1', 'one', '1.0', '']) {
    assertS3Error(await part('GET', 'parts', number), 400, 'InvalidArgument');
  }
});

test('a part and a range at once are an invalid request', async () => {
  assertS3Error(await part('GET', 'parts', '1', { range: 'bytes=0-1' }), 400, 'InvalidRequest');
});
