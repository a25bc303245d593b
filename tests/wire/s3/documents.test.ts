/**
 * Proves that documents hold up nobody: the largest is read in turns, whatever it consists of, and
 * none is taken from whom the operation would be refused anyhow.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawS3 } from '../../clients/s3/raw-s3.ts';
import { exchange, parseAnswer } from '../http-client.ts';
import { md5Header, objectCalls } from './object-calls.ts';
import { assertS3Error, REGION, type S3Holder, startS3 } from './start-s3.ts';
import { headOf, signed, withHeaders } from './wire-request.ts';

const s3 = await startS3();
const holder = await s3.openHolder('documents');
const calls = objectCalls(holder);
await calls.put('small', 'small');

const DELETE = { query: { delete: '' } };
const SIZE_BYTES = 7 * 1024 * 1024;

for (const piece of ['&#1;', '&amp;', '<![CDATA[&#1;]]>']) {
  test(`others are answered while a document of ${piece} is read`, async () => {
    const key = piece.repeat(SIZE_BYTES / piece.length);
    const body = `<Delete><Object><Key>${key}</Key></Object></Delete>`;
    let isReading = true;
    const reading = calls
      .ask('POST', undefined, { ...DELETE, body, headers: md5Header(body) })
      .finally(() => {
        isReading = false;
      });
    let answered = 0;
    using other = rawS3({
      ...{ endpoint: s3.endpoint, accessKeyId: holder.accessKeyId, region: REGION },
      ...{ secretAccessKey: holder.secret, ca: undefined },
    });
    while (isReading) {
      await other.expectDone({ method: 'GET', bucket: calls.bucket, key: 'small' });
      answered += 1;
    }
    const { status, text } = await reading;
    assert.equal(status, 200, text.slice(0, 500));
    assert.match(text, /<Code>KeyTooLongError<\/Code>/);
    assert.ok(text.length < 20_000, 'the key is not said in full');
    assert.ok(answered >= 40, `${answered} others`);
  });
}

test('what a document says twice in one place is refused, and nothing is changed', async () => {
  const [first, second] = ['twice-1', 'twice-2'];
  for (const key of [first, second]) await calls.put(key, 'kept');
  const uploadId = await calls.begin('twice');
  const { etag } = await calls.send('twice', uploadId, { number: 1, body: 'part' });
  const listed = (more: string) =>
    `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag>${more}</Part></CompleteMultipartUpload>`;
  const sum = '<ChecksumCRC32>AAAAAA==</ChecksumCRC32>';
  const key = `<Key>${first}</Key>`;
  const complete = { query: { uploadId }, key: 'twice' };
  const tagging = { query: { tagging: '' }, key: first };
  for (const [method, address, body, code = 'MalformedXML'] of [
    ['POST', DELETE, `<Delete><Object>${key}<Key>${second}</Key></Object></Delete>`],
    ['POST', DELETE, `<Delete><Object>${key}<Size>4</Size><Size>9</Size></Object></Delete>`],
    [
      'POST',
      DELETE,
      `<Delete><Quiet>true</Quiet><Quiet>false</Quiet><Object>${key}</Object></Delete>`,
    ],
    ['POST', complete, listed('<ETag>"none"</ETag>')],
    ['POST', complete, listed('<PartNumber>2</PartNumber>')],
    ['POST', complete, listed(sum + sum), 'InvalidArgument'],
    ['PUT', tagging, '<Tagging><TagSet/><TagSet/></Tagging>'],
    [
      'PUT',
      tagging,
      '<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value><Value>2</Value></Tag></TagSet></Tagging>',
    ],
  ] as const) {
    const at = 'key' in address ? address.key : undefined;
    const { query } = address;
    const answer = await calls.ask(method, at, { query, body, headers: md5Header(body) });
    assertS3Error(answer, 400, code);
  }
  for (const each of [first, second]) assert.equal((await calls.get(each)).text, 'kept');
  assert.equal((await calls.complete('twice', uploadId, [{ number: 1, etag }])).status, 200);
});

async function keyWith(limits: object): Promise<Pick<S3Holder, 'accessKeyId' | 'secret'>> {
  const { access_key_id: accessKeyId, secret } = await s3.admin.createS3Key(holder.account, limits);
  return { accessKeyId, secret };
}

test('whoever may not do it is refused before the body is asked for', async () => {
  const reader = await keyWith({ read_only: true });
  const scoped = await keyWith({ bucket: calls.bucket, prefix: 'in/' });
  const stranger = await s3.openHolder('documents-stranger');
  const { bucket } = calls;
  for (const [who, route] of [
    [reader, `POST /${bucket}?delete`],
    [stranger, `POST /${bucket}?delete`],
    [reader, `PUT /${bucket}?cors`],
    [scoped, `PUT /${bucket}?tagging`],
    [reader, `PUT /${bucket}/small?tagging`],
    [scoped, `PUT /${bucket}/small?acl`],
    [reader, `POST /${bucket}/small?uploadId=a`],
    [scoped, 'PUT /documents-of-a-scope'],
    [reader, 'PUT /documents-of-a-reader'],
  ] as const) {
    const message = withHeaders(signed(who, { route, body: 'x'.repeat(1024) }), {
      expect: '100-continue',
    });
    const answer = parseAnswer(await exchange(s3.endpoint, headOf(message).toString('latin1')));
    assertS3Error(answer, 403, 'AccessDenied');
  }
});

test('a key that may delete some keys only has its document read', async () => {
  const { accessKeyId, secret: secretAccessKey } = await keyWith({ prefix: 'in/' });
  using raw = rawS3({
    ...{ endpoint: s3.endpoint, accessKeyId, secretAccessKey },
    ...{ region: REGION, ca: undefined },
  });
  await calls.put('in/one');
  const body = '<Delete><Object><Key>in/one</Key></Object></Delete>';
  const own = objectCalls({ raw, bucket: calls.bucket });
  await own.done('POST', undefined, { ...DELETE, body, headers: md5Header(body) });
  assert.equal(await calls.isThere('in/one'), false);
});
