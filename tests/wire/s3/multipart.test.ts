/** Proves the contract's section "Multipart": Create, UploadPart, Complete and Abort. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { textsOf } from '../../clients/s3/xml-texts.ts';
import { codeOf, listOf, MIB, md5Of, objectCalls, type Part, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('assembler');
await s3.admin.changeLimits(holder.account, { buckets: 9, storage_bytes: 10_000 * MIB });
const calls = objectCalls(holder);

const LARGE = Buffer.alloc(5 * MIB, 'a');
/** As far as no upload ever got. */
const UNKNOWN = '0'.repeat(44);

/** An upload of one small part. */
async function beginOne(key: string, body = 'body') {
  const uploadId = await calls.begin(key);
  return { uploadId, part: await calls.send(key, uploadId, { number: 1, body }) };
}

const putPart = (key: string, query: Readonly<Record<string, string>>, body = 'part') =>
  calls.ask('PUT', key, { query, body });

test('an upload begins with an id that is safe in URLs, many of them for one key', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => calls.ask('POST', 'a key', { query: { uploads: '' } })),
  );
  const ids = answers.map(({ status, text }) => {
    assert.equal(status, 200);
    assert.match(
      text,
      /<InitiateMultipartUploadResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
    );
    assert.equal(textOf(text, 'Bucket'), calls.bucket);
    assert.equal(textOf(text, 'Key'), 'a key');
    assert.match(textOf(text, 'UploadId'), /^[A-Za-z0-9._-]+$/);
    return textOf(text, 'UploadId');
  });
  assert.equal(new Set(ids).size, 5);
  assert.equal(await calls.isThere('a key'), false);
});

test('what Create says of the object is said of what Complete makes', async () => {
  const described = {
    'content-type': 'text/plain',
    'cache-control': 'max-age=1',
    'content-disposition': 'inline',
    'x-amz-meta-colour': 'blue',
    'x-amz-storage-class': 'STANDARD_IA',
  };
  const uploadId = await calls.begin('described', { ...described, 'x-amz-tagging': 'a=1&b=2' });
  const part = await calls.send('described', uploadId, { number: 1, body: 'body' });
  const done = await calls.complete('described', uploadId, [part], {
    'content-type': 'application/x-whatever',
  });
  assert.equal(done.status, 200, done.text);
  const { headers } = await calls.head('described');
  for (const [name, value] of Object.entries(described)) assert.equal(headers[name], value, name);
  assert.equal(headers['x-amz-tagging-count'], '2');
});

test('Create refuses what a put refuses', async () => {
  for (const [headers, status, code] of [
    [{ 'x-amz-acl': 'public-read' }, 400, 'AccessControlListNotSupported'],
    [{ 'x-amz-storage-class': 'COLDEST' }, 400, 'InvalidStorageClass'],
    [{ 'x-amz-meta-a': 'v'.repeat(2048) }, 400, 'MetadataTooLarge'],
    [{ 'x-amz-server-side-encryption': 'aws:kms' }, 501, 'NotImplemented'],
    [{ 'x-amz-object-lock-mode': 'GOVERNANCE' }, 400, 'InvalidRequest'],
    [{ 'x-amz-checksum-algorithm': 'MD4' }, 400, 'InvalidRequest'],
  ] as const) {
    const answer = await calls.ask('POST', 'refused', { query: { uploads: '' }, headers });
    assertS3Error(answer, status, code);
  }
});

test('a part is answered with the MD5 of its bytes', async () => {
  const { part } = await beginOne('tagged');
  assert.equal(part.etag, `"${md5Of('body')}"`);
});

test('a part number outside 1 to 10000 is an invalid argument', async () => {
  const uploadId = await calls.begin('numbers');
  for (const partNumber of ['0', '10001', '-1', 'one', '', '1.5']) {
    assertS3Error(await putPart('numbers', { partNumber, uploadId }), 400, 'InvalidArgument');
  }
  for (const partNumber of ['1', '10000']) {
    assert.equal((await putPart('numbers', { partNumber, uploadId })).status, 200);
  }
});

test('a part of more than 5 GiB is refused before it is sent', async () => {
  const uploadId = await calls.begin('huge');
  const answer = await calls.ask('PUT', 'huge', {
    query: { partNumber: '1', uploadId },
    headers: { 'content-length': String(5 * 1024 ** 3 + 1), expect: '100-continue' },
  });
  assertS3Error(answer, 400, 'EntityTooLarge');
});

test('an upload that is unknown, aborted, finished or of another key takes nothing', async () => {
  const aborted = await beginOne('aborted');
  await calls.abort('aborted', aborted.uploadId);
  const finished = await beginOne('finished');
  await calls.complete('finished', finished.uploadId, [finished.part]);
  const elsewhere = await beginOne('its-own-key');
  for (const [key, uploadId] of [
    ['unknown', UNKNOWN],
    ['unknown', 'not even an id'],
    ['aborted', aborted.uploadId],
    ['finished', finished.uploadId],
    ['another-key', elsewhere.uploadId],
  ] as const) {
    const query = { uploadId };
    assertS3Error(await putPart(key, { partNumber: '1', uploadId }), 404, 'NoSuchUpload');
    assertS3Error(await calls.ask('GET', key, { query }), 404, 'NoSuchUpload');
    assertS3Error(await calls.ask('DELETE', key, { query }), 404, 'NoSuchUpload');
    const copied = await calls.ask('PUT', key, {
      query: { partNumber: '1', uploadId },
      headers: { 'x-amz-copy-source': `${calls.bucket}/finished` },
    });
    assertS3Error(copied, 404, 'NoSuchUpload');
  }
  assertS3Error(
    await calls.complete('another-key', elsewhere.uploadId, [elsewhere.part]),
    404,
    'NoSuchUpload',
  );
  assert.equal((await calls.get('finished')).text, 'body');
});

test('an upload of another bucket is none of this one', async () => {
  const other = objectCalls({ raw: holder.raw, bucket: 'another-of-assembler' });
  await other.done('PUT');
  const { uploadId, part } = await beginOne('same-key');
  assertS3Error(await other.complete('same-key', uploadId, [part]), 404, 'NoSuchUpload');
  assertS3Error(await other.abort('same-key', uploadId), 404, 'NoSuchUpload');
  assert.equal((await calls.complete('same-key', uploadId, [part])).status, 200);
});

test('parts become the object in order of their numbers, however they came', async () => {
  const uploadId = await calls.begin('ordered');
  const sent = (number: number, body: Uint8Array | string) =>
    calls.send('ordered', uploadId, { number, body });
  const last = await sent(10_000, 'the end');
  const wrong = await sent(2, 'something else');
  const [first, second] = await Promise.all([sent(1, LARGE), sent(2, Buffer.alloc(5 * MIB, 'b'))]);
  await sent(77, 'never listed');
  assert.notEqual(wrong.etag, second.etag);
  assertS3Error(
    await calls.complete('ordered', uploadId, [first, wrong, last]),
    400,
    'InvalidPart',
  );
  const done = await calls.complete('ordered', uploadId, [first, second, last]);
  assert.equal(done.status, 200, done.text);
  const { bytes, headers } = await calls.get('ordered');
  assert.ok(
    bytes.equals(Buffer.concat([LARGE, Buffer.alloc(5 * MIB, 'b'), Buffer.from('the end')])),
  );
  assert.equal(headers['content-length'], `${10 * MIB + 7}`);
});

test('the result of Complete names the object and where it is', async () => {
  const { uploadId, part } = await beginOne('ä b/ü+c');
  const { status, text } = await calls.complete('ä b/ü+c', uploadId, [part]);
  assert.equal(status, 200);
  assert.match(
    text,
    /<CompleteMultipartUploadResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
  );
  assert.equal(textOf(text, 'Bucket'), calls.bucket);
  assert.equal(textOf(text, 'Key'), 'ä b/ü+c');
  assert.match(textOf(text, 'Location'), /^https?:\/\/.+\/%C3%A4%20b\/%C3%BC%2Bc$/);
  const { headers } = await calls.head('ä b/ü+c');
  assert.equal(headers.etag, textOf(text, 'ETag'));
});

/** Reckoned by Python's hashlib. */
const GOLDEN = [
  ['one empty part', [''], '59adb24ef3cdbe0297f05b395827453f-1'],
  ['two parts', [LARGE, 'the end'], 'dc2bc882b07e1e67a48bed8997ce6caf-2'],
  ['three parts', [LARGE, LARGE, LARGE], 'b738dafc80fedf01391738550a18fdf1-3'],
] as const;

for (const [what, bodies, etag] of GOLDEN) {
  test(`the tag of ${what} is the MD5 of their MD5s and their number`, async () => {
    const uploadId = await calls.begin('golden');
    const parts: Part[] = [];
    for (const [index, body] of bodies.entries()) {
      parts.push(await calls.send('golden', uploadId, { number: 3 * index + 2, body }));
    }
    const { text } = await calls.complete('golden', uploadId, parts);
    assert.equal(textOf(text, 'ETag'), `"${etag}"`);
    const { headers, bytes } = await calls.get('golden');
    assert.equal(headers.etag, `"${etag}"`);
    assert.ok(bytes.equals(Buffer.concat(bodies.map((body) => Buffer.from(body)))));
    assert.equal(textOf((await calls.list({ prefix: 'golden' })).text, 'ETag'), `"${etag}"`);
  });
}

test('tags of parts come quoted, unquoted or as references', async () => {
  for (const quote of ['"', '', '&quot;', '&#34;']) {
    const { uploadId, part } = await beginOne('quoted', `quoted by ${quote}`);
    const etag = `${quote}${part.etag.slice(1, -1)}${quote}`;
    const answer = await calls.complete('quoted', uploadId, [{ number: 1, etag }]);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await calls.get('quoted')).text, `quoted by ${quote}`);
  }
});

test('a list that is none is malformed, and the upload goes on', async () => {
  const { uploadId, part } = await beginOne('malformed');
  for (const body of [
    ...['', 'text', '<CompleteMultipartUpload>', '<Other/>', listOf([])],
    '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>',
    `<CompleteMultipartUpload><Part><ETag>${part.etag}</ETag></Part></CompleteMultipartUpload>`,
    listOf([{ ...part, number: Number.NaN }]),
  ]) {
    const answer = await calls.ask('POST', 'malformed', { query: { uploadId }, body });
    assertS3Error(answer, 400, 'MalformedXML');
  }
  assert.equal((await calls.complete('malformed', uploadId, [part])).status, 200);
});

test('parts that do not ascend are in the wrong order', async () => {
  const uploadId = await calls.begin('descending');
  const one = await calls.send('descending', uploadId, { number: 1, body: LARGE });
  const two = await calls.send('descending', uploadId, { number: 2, body: 'end' });
  for (const list of [
    [two, one],
    [one, one],
    [one, two, two],
  ]) {
    const answer = await calls.complete('descending', uploadId, list);
    assertS3Error(answer, 400, 'InvalidPartOrder');
  }
  assert.equal((await calls.complete('descending', uploadId, [one, two])).status, 200);
});

test('a part that is not there, or is another, is invalid', async () => {
  const { uploadId, part } = await beginOne('invalid');
  for (const list of [
    [{ number: 2, etag: part.etag }],
    [{ number: 1, etag: `"${md5Of('other')}"` }],
  ]) {
    const answer = await calls.complete('invalid', uploadId, list);
    assertS3Error(answer, 400, 'InvalidPart');
    assert.equal(textOf(answer.text, 'UploadId'), uploadId);
  }
  for (const number of [-1, 0, 10_001]) {
    const answer = await calls.complete('invalid', uploadId, [{ number, etag: part.etag }]);
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  assert.equal(await calls.isThere('invalid'), false);
  assert.equal((await calls.complete('invalid', uploadId, [part])).status, 200);
});

test('only the last part may have less than 5 MiB', async () => {
  const uploadId = await calls.begin('small');
  const small = await calls.send('small', uploadId, {
    number: 1,
    body: LARGE.subarray(1),
  });
  const end = await calls.send('small', uploadId, { number: 2, body: 'end' });
  const answer = await calls.complete('small', uploadId, [small, end]);
  assertS3Error(answer, 400, 'EntityTooSmall');
  assert.equal(textOf(answer.text, 'PartNumber'), '1');
  assert.equal(textOf(answer.text, 'ProposedSize'), `${5 * MIB - 1}`);
  assert.equal(textOf(answer.text, 'MinSizeAllowed'), `${5 * MIB}`);
  assert.equal((await calls.complete('small', uploadId, [small])).status, 200);
});

test('the size of the object may be said, and must be right then', async () => {
  const { uploadId, part } = await beginOne('sized');
  const say = (size: string) =>
    calls.complete('sized', uploadId, [part], { 'x-amz-mp-object-size': size });
  for (const size of ['3', '5', 'four', '-4'])
    assertS3Error(await say(size), 400, 'InvalidRequest');
  assert.equal((await say('4')).status, 200);
});

test('Complete again with the same list is the same 200, whatever became of the object', async () => {
  const { uploadId, part } = await beginOne('again');
  const first = await calls.complete('again', uploadId, [part]);
  assert.equal(first.status, 200);
  await calls.put('again', 'put since');
  const second = await calls.complete('again', uploadId, [part]);
  assert.equal(second.status, 200, second.text);
  assert.equal(second.text, first.text);
  assert.equal((await calls.get('again')).text, 'put since', 'it is not completed twice');
  await calls.done('DELETE', 'again');
  assert.equal((await calls.complete('again', uploadId, [part])).text, first.text);
  assert.equal(await calls.isThere('again'), false);
  const other = [{ number: 1, etag: `"${md5Of('other')}"` }];
  assertS3Error(await calls.complete('again', uploadId, other), 404, 'NoSuchUpload');
});

test('of racing Completes one commits and all are told so', async () => {
  for (let round = 0; round < 10; round += 1) {
    const key = `raced-${round}`;
    const { uploadId, part } = await beginOne(key, `round ${round}`);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => calls.complete(key, uploadId, [part])),
    );
    for (const { status, text } of answers) {
      assert.equal(status, 200, text);
      assert.equal(text, answers[0]?.text);
    }
    assert.equal((await calls.get(key)).text, `round ${round}`);
  }
});

test('of a Complete and an Abort at once exactly one wins', async () => {
  const won = { complete: 0, abort: 0 };
  for (let round = 0; round < 30; round += 1) {
    const key = `contested-${round}`;
    const { uploadId, part } = await beginOne(key);
    const asked = [
      () => calls.complete(key, uploadId, [part]),
      () => calls.abort(key, uploadId),
    ] as const;
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    const answers: { status: number; text: string }[] = [];
    await Promise.all(
      order.map(async (index) => {
        answers[index] = await (asked[index] ?? assert.fail)();
      }),
    );
    const [complete, abort] = answers;
    assert(complete !== undefined && abort !== undefined);
    if (complete.status === 200) {
      won.complete += 1;
      assertS3Error({ headers: XML, ...abort }, 404, 'NoSuchUpload');
    } else {
      won.abort += 1;
      assert.equal(codeOf(complete), 'NoSuchUpload');
      assert.equal(abort.status, 204);
    }
    assert.equal(await calls.isThere(key), complete.status === 200);
  }
  assert.equal(won.complete + won.abort, 30);
});

const XML = { 'content-type': 'application/xml' };

test('Complete on a condition that fails leaves the upload as it was', async () => {
  await calls.put('guarded', 'before');
  const { uploadId, part } = await beginOne('guarded');
  const once = { 'if-none-match': '*' };
  assertS3Error(await calls.complete('guarded', uploadId, [part], once), 412, 'PreconditionFailed');
  assertS3Error(
    await calls.complete('guarded', uploadId, [part], { 'if-match': '"x"' }),
    412,
    'PreconditionFailed',
  );
  assert.equal((await calls.get('guarded')).text, 'before');
  const met = { 'if-match': `"${md5Of('before')}"` };
  assert.equal((await calls.complete('guarded', uploadId, [part], met)).status, 200);
  assert.equal((await calls.get('guarded')).text, 'body');
});

test('Create does not look at conditions', async () => {
  await calls.put('conditioned', 'before');
  const uploadId = await calls.begin('conditioned', { 'if-none-match': '*' });
  assert.notEqual(uploadId, '');
});

test('an abort ends the upload and frees what it held', async () => {
  const tight = await s3.openHolder('tight');
  await s3.admin.changeLimits(tight.account, { storage_bytes: 1000 + 3 * 1024 });
  const own = objectCalls(tight);
  const uploadId = await own.begin('held');
  await own.send('held', uploadId, { number: 1, body: Buffer.alloc(900) });
  assertS3Error(await own.ask('PUT', 'object', { body: Buffer.alloc(200) }), 403, 'QuotaExceeded');
  const answer = await own.abort('held', uploadId);
  assert.equal(answer.status, 204);
  assert.equal(answer.text, '');
  assert.equal((await own.ask('PUT', 'object', { body: Buffer.alloc(200) })).status, 200);
  assertS3Error(await own.abort('held', uploadId), 404, 'NoSuchUpload');
});

test('a part that arrives after the end of its upload is discarded', async () => {
  const { uploadId, part } = await beginOne('late');
  const sending = putPart('late', { partNumber: '2', uploadId }, 'x'.repeat(3 * MIB));
  const [late, aborted] = await Promise.all([sending, calls.abort('late', uploadId)]);
  assert.equal(aborted.status, 204);
  assert.ok(late.status === 200 || codeOf(late) === 'NoSuchUpload', late.text);
  assertS3Error(await calls.complete('late', uploadId, [part]), 404, 'NoSuchUpload');
  const { text } = await calls.list({ uploads: '', prefix: 'late' });
  assert.deepEqual(textsOf(text, 'UploadId'), []);
});

test('of one part sent many times at once one stays, whole', async () => {
  const uploadId = await calls.begin('doubled');
  const bodies = Array.from({ length: 8 }, (_, index) => Buffer.alloc(300_000, index));
  const parts = await Promise.all(
    bodies.map((body) => calls.send('doubled', uploadId, { number: 1, body })),
  );
  const { text } = await calls.done('GET', 'doubled', { query: { uploadId } });
  const standing = textOf(text, 'ETag');
  const index = parts.findIndex(({ etag }) => etag === standing);
  assert.ok(index >= 0, text);
  for (const part of parts) {
    if (part.etag === standing) continue;
    assertS3Error(await calls.complete('doubled', uploadId, [part]), 400, 'InvalidPart');
  }
  assert.equal(
    (await calls.complete('doubled', uploadId, [parts[index] ?? assert.fail()])).status,
    200,
  );
  assert.ok((await calls.get('doubled')).bytes.equals(bodies[index] ?? Buffer.alloc(0)));
});

test('a part with a wrong MD5 is refused and leaves the part that stood', async () => {
  const { uploadId, part } = await beginOne('digested');
  const answer = await calls.ask('PUT', 'digested', {
    query: { partNumber: '1', uploadId },
    body: 'another',
    headers: { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' },
  });
  assertS3Error(answer, 400, 'BadDigest');
  assert.equal((await calls.complete('digested', uploadId, [part])).status, 200);
  assert.equal((await calls.get('digested')).text, 'body');
});

test('readers see the object before the upload until it is completed, then all of it', async () => {
  await calls.put('swapped', 'before');
  const { uploadId, part } = await beginOne('swapped', 'after');
  assert.equal((await calls.get('swapped')).text, 'before');
  await calls.complete('swapped', uploadId, [part]);
  assert.equal((await calls.get('swapped')).text, 'after');
});

test('a key that XML cannot say is echoed with its replacement, and listed as S3 lists it', async () => {
  const key = 'a\u0001\ufffeb';
  const begun = await calls.done('POST', key, { query: { uploads: '' } });
  assert.equal(textOf(begun.text, 'Key'), 'a\ufffd\ufffdb');
  const uploadId = textOf(begun.text, 'UploadId');
  const url = { uploads: '', 'encoding-type': 'url' };
  const listed = await calls.done('GET', undefined, { query: url });
  assert.ok(textsOf(listed.text, 'Key').includes('a%01%EF%BF%BEb'), listed.text);
  const wrong = await calls.complete(key, uploadId, [{ number: 1, etag: '"none"' }]);
  assertS3Error(wrong, 400, 'InvalidPart');
  const part = await calls.send(key, uploadId, { number: 1, body: 'body' });
  const completed = await calls.complete(key, uploadId, [part]);
  assert.equal(completed.status, 200, completed.text);
  assert.equal(textOf(completed.text, 'Key'), 'a\ufffd\ufffdb');
  assert.equal((await calls.get(key)).text, 'body');
});
