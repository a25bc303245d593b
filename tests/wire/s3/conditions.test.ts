/** Proves the conditions of reads, writes and deletes, and that conditional writes are atomic. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, md5Header, md5Of, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import { deliver, type Header, signed } from './wire-request.ts';

const s3 = await startS3();
const holder = await s3.openHolder('conditional');
const calls = objectCalls(holder);

const ETAG = `"${md5Of('body')}"`;
const OTHER = `"${md5Of('other')}"`;
const PAST = 'Sat, 01 Jan 2000 00:00:00 GMT';
const FUTURE = 'Fri, 01 Jan 2100 00:00:00 GMT';

await calls.put('read', 'body', { 'cache-control': 'max-age=9', expires: FUTURE });

const READS: readonly (readonly [
  says: string,
  headers: Readonly<Record<string, string>>,
  status: number,
])[] = [
  ['If-Match of the tag', { 'if-match': ETAG }, 200],
  ['If-Match without quotes', { 'if-match': md5Of('body') }, 200],
  ['If-Match of anything', { 'if-match': '*' }, 200],
  ['If-Match of a list', { 'if-match': `${OTHER}, ${ETAG}` }, 200],
  ['If-Match of another', { 'if-match': OTHER }, 412],
  ['If-Match of a list of others', { 'if-match': `${OTHER}, "x"` }, 412],
  ['If-Unmodified-Since later', { 'if-unmodified-since': FUTURE }, 200],
  ['If-Unmodified-Since earlier', { 'if-unmodified-since': PAST }, 412],
  [
    'If-Match that holds before If-Unmodified-Since',
    {
      'if-match': ETAG,
      'if-unmodified-since': PAST,
    },
    200,
  ],
  [
    'If-Match that fails before If-Unmodified-Since',
    {
      'if-match': OTHER,
      'if-unmodified-since': FUTURE,
    },
    412,
  ],
  ['If-None-Match of the tag', { 'if-none-match': ETAG }, 304],
  ['If-None-Match of anything', { 'if-none-match': '*' }, 304],
  ['If-None-Match of a list', { 'if-none-match': `${OTHER}, ${ETAG}` }, 304],
  ['If-None-Match of another', { 'if-none-match': OTHER }, 200],
  ['If-Modified-Since earlier', { 'if-modified-since': PAST }, 200],
  ['If-Modified-Since later', { 'if-modified-since': FUTURE }, 304],
  [
    'If-None-Match that passes before If-Modified-Since',
    {
      'if-none-match': OTHER,
      'if-modified-since': FUTURE,
    },
    200,
  ],
  [
    'If-None-Match that hits before If-Modified-Since',
    {
      'if-none-match': ETAG,
      'if-modified-since': PAST,
    },
    304,
  ],
  [
    'If-Match that fails before If-None-Match',
    {
      'if-match': OTHER,
      'if-none-match': ETAG,
    },
    412,
  ],
  ['If-Match that holds, then If-None-Match', { 'if-match': ETAG, 'if-none-match': ETAG }, 304],
  ['a date that is none', { 'if-modified-since': 'yesterday' }, 200],
];

for (const [says, headers, status] of READS) {
  test(`a read with ${says} is ${status}`, async () => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await calls.ask(method, 'read', { headers });
      assert.equal(answer.status, status, answer.text);
      if (status === 412 && method === 'GET') assert.equal(codeOf(answer), 'PreconditionFailed');
      if (status === 304) assert.equal(answer.bytes.length, 0);
    }
  });
}

test('the condition that failed is named', async () => {
  const { text } = await calls.get('read', { 'if-match': OTHER });
  assert.equal(textOf(text, 'Condition'), 'If-Match');
  const since = await calls.get('read', { 'if-unmodified-since': PAST });
  assert.equal(textOf(since.text, 'Condition'), 'If-Unmodified-Since');
});

test('304 bears the tag, the time and what caches need', async () => {
  const { headers, status } = await calls.get('read', { 'if-none-match': ETAG });
  assert.equal(status, 304);
  assert.equal(headers.etag, ETAG);
  assert.equal(headers['last-modified'], (await calls.head('read')).headers['last-modified']);
  assert.equal(headers['cache-control'], 'max-age=9');
  assert.equal(headers.expires, FUTURE);
});

test('a read on a condition of what is not there is NoSuchKey', async () => {
  for (const headers of [{ 'if-match': '*' }, { 'if-none-match': '*' }]) {
    assertS3Error(await calls.get('missing', headers), 404, 'NoSuchKey');
  }
});

test('If-None-Match: * writes only what is not there yet', async () => {
  const headers = { 'if-none-match': '*' };
  assert.equal((await calls.ask('PUT', 'once', { headers, body: 'first' })).status, 200);
  const again = await calls.ask('PUT', 'once', { headers, body: 'second' });
  assertS3Error(again, 412, 'PreconditionFailed');
  assert.equal(textOf(again.text, 'Condition'), 'If-None-Match');
  assert.equal((await calls.get('once')).text, 'first');
  await calls.done('DELETE', 'once');
  assert.equal((await calls.ask('PUT', 'once', { headers, body: 'third' })).status, 200);
});

test('If-Match writes only over what it names', async () => {
  await calls.put('swapped', 'one');
  const wrong = { 'if-match': OTHER };
  assertS3Error(
    await calls.ask('PUT', 'swapped', { headers: wrong, body: 'two' }),
    412,
    'PreconditionFailed',
  );
  assert.equal((await calls.get('swapped')).text, 'one');
  for (const etag of [`"${md5Of('one')}"`, md5Of('one')]) {
    const headers = { 'if-match': etag };
    assert.equal((await calls.ask('PUT', 'swapped', { headers, body: 'one' })).status, 200);
  }
  const headers = { 'if-match': '"x"' };
  assertS3Error(await calls.ask('PUT', 'never', { headers, body: 'a' }), 404, 'NoSuchKey');
});

test('conditions of writes that S3 has no meaning for are not implemented', async () => {
  for (const headers of [
    { 'if-none-match': ETAG },
    { 'if-none-match': '*', 'if-match': ETAG },
    { 'if-none-match': '*', 'if-match': '*' },
  ]) {
    assertS3Error(await calls.ask('PUT', 'odd', { headers }), 501, 'NotImplemented');
  }
  assert.equal(await calls.isThere('odd'), false);
});

test('a delete on a condition leaves what another has replaced', async () => {
  await calls.put('guarded', 'one');
  const wrong = await calls.ask('DELETE', 'guarded', { headers: { 'if-match': OTHER } });
  assertS3Error(wrong, 412, 'PreconditionFailed');
  assert.equal((await calls.get('guarded')).text, 'one');
  const headers = { 'if-match': `"${md5Of('one')}"` };
  assert.equal((await calls.ask('DELETE', 'guarded', { headers })).status, 204);
  assertS3Error(await calls.ask('DELETE', 'guarded', { headers }), 404, 'NoSuchKey');
  assert.equal((await calls.ask('DELETE', 'guarded')).status, 204, 'without a condition');
  assert.equal(await calls.isThere('guarded'), false);
});

test('a size and a time guard a delete as an ETag does', async () => {
  await calls.put('sized', 'four');
  const { headers: told } = await calls.head('sized');
  const time = String(told['last-modified']);
  const size = 'x-amz-if-match-size';
  const modified = 'x-amz-if-match-last-modified-time';
  for (const headers of [
    { [size]: '5' },
    { [modified]: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { [size]: '4', 'if-match': OTHER },
  ]) {
    const refused = await calls.ask('DELETE', 'sized', { headers });
    assertS3Error(refused, 412, 'PreconditionFailed');
  }
  for (const headers of [{ [size]: 'four' }, { [size]: '-4' }, { [modified]: 'garbage 5' }]) {
    const refused = await calls.ask('DELETE', 'sized', { headers });
    assertS3Error(refused, 400, 'InvalidArgument');
  }
  assert.equal(await calls.isThere('sized'), true);
  await calls.done('DELETE', 'sized', { headers: { [size]: '4', [modified]: time } });
  assert.equal(await calls.isThere('sized'), false);
  const gone = await calls.ask('DELETE', 'sized', { headers: { [size]: '4' } });
  assertS3Error(gone, 404, 'NoSuchKey');
});

const RACERS = 100;

/** Statuses of all, how often each. */
async function race(
  run: (index: number) => Promise<{ readonly status: number; readonly text: string }>,
) {
  const answers = await Promise.all(Array.from({ length: RACERS }, (_, index) => run(index)));
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  for (const answer of answers) {
    if (answer.status === 200) continue;
    assert.ok(
      ['PreconditionFailed', 'ConditionalRequestConflict'].includes(
        codeOf({ text: answer.text }) ?? '',
      ),
      answer.text,
    );
  }
  return winners;
}

for (const size of [20, 300_000]) {
  test(`of 100 racers with If-None-Match: * and ${size} bytes one wins`, async () => {
    const bodyOf = (index: number) => Buffer.alloc(size, index);
    const key = `race-${size}`;
    const headers = { 'if-none-match': '*' };
    const winners = await race((index) => calls.ask('PUT', key, { headers, body: bodyOf(index) }));
    assert.equal(winners.length, 1);
    assert.ok((await calls.get(key)).bytes.equals(bodyOf(winners[0] ?? -1)));
  });
}

test('of 100 racers with If-Match of one tag one wins', async () => {
  await calls.put('swap-race', 'before');
  const headers = { 'if-match': md5Of('before') };
  const winners = await race((index) =>
    calls.ask('PUT', 'swap-race', { headers, body: `after ${index}` }),
  );
  assert.equal(winners.length, 1);
  assert.equal((await calls.get('swap-race')).text, `after ${winners[0]}`);
});

test('of 100 copies with If-None-Match: * one wins', async () => {
  await calls.put('copied', 'body');
  const winners = await race(() =>
    calls.ask('PUT', 'copy-race', {
      headers: { 'if-none-match': '*', 'x-amz-copy-source': `${calls.bucket}/copied` },
    }),
  );
  assert.equal(winners.length, 1);
});

test('of 20 uploads completed with If-None-Match: * one wins, and the others stay open', async () => {
  const uploads = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const uploadId = await calls.begin('complete-race');
      const part = await calls.send('complete-race', uploadId, { number: 1, body: `${index}` });
      return { uploadId, part };
    }),
  );
  const answers = await Promise.all(
    uploads.map(({ uploadId, part }) =>
      calls.complete('complete-race', uploadId, [part], { 'if-none-match': '*' }),
    ),
  );
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  assert.equal(winners.length, 1);
  assert.equal((await calls.get('complete-race')).text, `${winners[0]}`);
  for (const [index, { uploadId }] of uploads.entries()) {
    if (index === winners[0]) continue;
    assertS3Error(answers[index] ?? assert.fail(), 412, 'PreconditionFailed');
    const parts = await calls.ask('GET', 'complete-race', { query: { uploadId } });
    assert.equal(parts.status, 200, parts.text);
  }
});

test('a condition that says nothing is no leave to write, copy or delete', async () => {
  await calls.put('guarded', 'kept');
  const from = { 'x-amz-copy-source': `${calls.bucket}/read` };
  const changes: readonly (readonly [method: string, headers: Readonly<Record<string, string>>])[] =
    [
      ['PUT', { 'if-match': '' }],
      ['PUT', { 'if-none-match': '' }],
      ['PUT', { ...from, 'if-match': '' }],
      ['PUT', { ...from, 'x-amz-copy-source-if-match': '' }],
      ['PUT', { ...from, 'x-amz-copy-source-if-none-match': '' }],
      ['PUT', { ...from, 'x-amz-copy-source-if-modified-since': 'garbage 5' }],
      ['PUT', { ...from, 'x-amz-copy-source-if-unmodified-since': `${PAST}, ${PAST}` }],
      ['DELETE', { 'if-match': '' }],
    ];
  for (const [method, headers] of changes) {
    const answer = await calls.ask(method, 'guarded', { headers });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  const body = '<Delete><Object><Key>guarded</Key><ETag></ETag></Object></Delete>';
  const many = await calls.ask('POST', undefined, {
    query: { delete: '' },
    headers: md5Header(body),
    body,
  });
  assert.equal(textOf(many.text, 'Code'), 'InvalidArgument', many.text);
  assert.equal((await calls.get('guarded')).text, 'kept');
});

test('what the query and the headers say differently is refused, with nothing changed', async () => {
  await calls.put('twice', 'kept');
  const size = 'x-amz-if-match-size';
  const ask = async (query: string, headers: readonly Header[] = []) =>
    await deliver(
      s3.endpoint,
      signed(holder, { route: `DELETE /${calls.bucket}/twice?${query}`, headers }),
    );
  for (const answer of [
    await ask(`${size}=9`, [[size, '4']]),
    await ask(`${size}=4`, [[size, '9']]),
    await ask(`${size}=4&X-Amz-If-Match-Size=9`),
    await ask(`${size}=4&${size}=9`),
    await ask('versionId=null&versionId=other'),
  ]) {
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  assert.equal((await calls.get('twice')).text, 'kept');
  assert.equal((await ask(`${size}=4&${size}=4&own=1&own=2`, [[size, '4']])).status, 204);
});
