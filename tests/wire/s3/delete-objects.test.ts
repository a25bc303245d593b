/** Proves DeleteObjects: many keys at once, each with an outcome of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checksumOf } from '../../../src/kit/checksums/open-checksum.ts';
import { ODD_KEYS } from '../../clients/s3/odd-keys.ts';
import { rawS3 } from '../../clients/s3/raw-s3.ts';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { MIB, md5Header, md5Of, objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, REGION, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('deleter');
const calls = objectCalls(holder);
const query = { delete: '' };

/** As references where markup or a parser would change it. */
const escaped = (text: string) =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
  text.replace(/[&<>"'\u0000-\u001f]/g, (one) => `&#${one.charCodeAt(0)};`);
const objectOf = (key: string, also = '') => `<Object><Key>${escaped(key)}</Key>${also}</Object>`;
const bodyOf = (objects: readonly string[], isQuiet = false) =>
  `<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${isQuiet ? '<Quiet>true</Quiet>' : ''}${objects.join('')}</Delete>`;
const send = (body: string, raw = calls) =>
  raw.ask('POST', undefined, { query, body, headers: md5Header(body) });

const deletedOf = (text: string) =>
  elementsOf(text, 'Deleted').flatMap((one) => textsOf(one, 'Key'));
const errorsOf = (text: string) =>
  elementsOf(text, 'Error').map((one) => [textOf(one, 'Key'), textOf(one, 'Code')]);

test('keys are deleted, those that are not there too', async () => {
  await calls.put('one');
  await calls.put('two');
  const { status, text } = await send(bodyOf(['one', 'two', 'never'].map((key) => objectOf(key))));
  assert.equal(status, 200);
  assert.match(text, /<DeleteResult xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/);
  assert.deepEqual(deletedOf(text), ['one', 'two', 'never']);
  assert.deepEqual(errorsOf(text), []);
  assert.equal(await calls.isThere('one'), false);
});

test('quiet, only errors are listed', async () => {
  await calls.put('quiet');
  const objects = [objectOf('quiet'), objectOf('other', '<VersionId>unknown</VersionId>')];
  const { text } = await send(bodyOf(objects, true));
  assert.deepEqual(deletedOf(text), []);
  assert.deepEqual(errorsOf(text), [['other', 'NoSuchVersion']]);
  assert.equal(await calls.isThere('quiet'), false);
});

test('odd keys are deleted as they are, blanks and line ends too', async () => {
  const keys = [...ODD_KEYS.map(({ key }) => key), ' both ', '\n', '007', '1e3', '0x1F', 'true'];
  await Promise.all(keys.map((key) => calls.put(key)));
  const { text } = await send(bodyOf(keys.map((key) => objectOf(key))));
  assert.deepEqual(deletedOf(text), keys);
  const left = await calls.list();
  assert.deepEqual(textsOf(left.text, 'Key'), []);
});

test('a key with a line end is not the key without', async () => {
  for (const key of ['end', 'end\r', 'end ', ' end']) await calls.put(key);
  await send(bodyOf(['<Object><Key>end&#13;</Key></Object>']));
  assert.equal(await calls.isThere('end\r'), false);
  for (const key of ['end', 'end ', ' end']) {
    assert.equal(await calls.isThere(key), true, JSON.stringify(key));
    await calls.done('DELETE', key);
  }
});

test('the version null is the object, another is not there', async () => {
  await calls.put('versioned');
  const unknown = objectOf('versioned', '<VersionId>abc</VersionId>');
  assert.deepEqual(errorsOf((await send(bodyOf([unknown]))).text), [
    ['versioned', 'NoSuchVersion'],
  ]);
  assert.equal(await calls.isThere('versioned'), true);
  const { text } = await send(bodyOf([objectOf('versioned', '<VersionId>null</VersionId>')]));
  assert.deepEqual(deletedOf(text), ['versioned']);
  assert.equal(await calls.isThere('versioned'), false);
});

test('an ETag is a condition of its own key', async () => {
  await calls.put('guarded', 'body');
  await calls.put('loose', 'body');
  const wrong = objectOf('guarded', '<ETag>"wrong"</ETag>');
  const first = await send(bodyOf([wrong, objectOf('loose')]));
  assert.deepEqual(errorsOf(first.text), [['guarded', 'PreconditionFailed']]);
  assert.deepEqual(deletedOf(first.text), ['loose']);
  const right = objectOf('guarded', `<ETag>&quot;${md5Of('body')}&quot;</ETag>`);
  assert.deepEqual(deletedOf((await send(bodyOf([right]))).text), ['guarded']);
});

test('a size and a time are conditions of their own key, and a missing key meets none', async () => {
  await calls.put('sized', 'four');
  const { headers } = await calls.head('sized');
  const modified = `<LastModifiedTime>${headers['last-modified']}</LastModifiedTime>`;
  const size = '<Size>4</Size>';
  for (const also of [
    '<Size>5</Size>',
    `${size}<LastModifiedTime>Thu, 01 Jan 1970 00:00:00 GMT</LastModifiedTime>`,
    `${modified}<ETag>"wrong"</ETag>`,
  ]) {
    const { text } = await send(bodyOf([objectOf('sized', also)]));
    assert.deepEqual(errorsOf(text), [['sized', 'PreconditionFailed']]);
  }
  assertS3Error(await send(bodyOf([objectOf('sized', '<Size/>')])), 400, 'InvalidArgument');
  const right = objectOf('sized', `${size}${modified}`);
  assert.deepEqual(deletedOf((await send(bodyOf([right]))).text), ['sized']);
  assert.deepEqual(errorsOf((await send(bodyOf([right]))).text), [['sized', 'NoSuchKey']]);
});

test('a thousand keys are deleted at once, one more is refused', async () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `many/${index}`);
  await Promise.all(keys.map((key) => calls.put(key)));
  const over = await send(bodyOf([...keys, 'many/1000'].map((key) => objectOf(key))));
  assertS3Error(over, 400, 'MalformedXML');
  assert.equal(await calls.isThere('many/0'), true);
  const { text } = await send(bodyOf(keys.map((key) => objectOf(key))));
  assert.deepEqual(deletedOf(text), keys);
  assert.deepEqual(textsOf((await calls.list({ prefix: 'many/' })).text, 'Key'), []);
});

test('a thousand of the longest keys fit, every byte of them a reference', async () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `${'&'.repeat(1020)}${1000 + index}`);
  const { status, text } = await send(bodyOf(keys.map((key) => objectOf(key))));
  assert.equal(status, 200);
  assert.equal(deletedOf(text).length, 1000);
});

test('documents that are none are malformed, and delete nothing', async () => {
  await calls.put('standing');
  for (const body of [
    bodyOf([]),
    '<Delete>',
    'text',
    `<Other>${objectOf('standing')}</Other>`,
    '<Delete><Object></Object></Delete>',
    '<Delete><Object><Key></Key></Object></Delete>',
    `<!DOCTYPE a [<!ENTITY k "standing">]><Delete><Object><Key>&k;</Key></Object></Delete>`,
    `${bodyOf([objectOf('standing')])}<more/>`,
  ]) {
    assertS3Error(await send(body), 400, 'MalformedXML');
  }
  assert.equal(await calls.isThere('standing'), true);
});

test('a body that is too long is refused, whatever is in it', async () => {
  const long = bodyOf([objectOf('k')]).replace('<Object>', `${' '.repeat(9 * MIB)}<Object>`);
  assertS3Error(await send(long), 400, 'MaxMessageLengthExceeded');
});

test('the body needs a digest, which must be its own', async () => {
  const body = bodyOf([objectOf('digested')]);
  await calls.put('digested');
  const without = await calls.ask('POST', undefined, { query, body });
  assertS3Error(without, 400, 'InvalidRequest');
  assert.equal(
    textOf(without.text, 'Message'),
    'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
  );
  for (const headers of [md5Header('x'), { 'x-amz-checksum-crc32': 'AAAAAA==' }]) {
    assertS3Error(await calls.ask('POST', undefined, { query, body, headers }), 400, 'BadDigest');
  }
  assert.equal(await calls.isThere('digested'), true);
  for (const algorithm of ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const) {
    const value = Buffer.from(checksumOf(algorithm, Buffer.from(body))).toString('base64');
    const headers = { [`x-amz-checksum-${algorithm.toLowerCase()}`]: value };
    const answer = await calls.ask('POST', undefined, { query, body, headers });
    assert.equal(answer.status, 200, answer.text);
  }
  assert.equal(await calls.isThere('digested'), false);
});

test('a key too long, or with nothing that a key may be, fails alone', async () => {
  await calls.put('short');
  const { text } = await send(bodyOf([objectOf('k'.repeat(1025)), objectOf('short')]));
  assert.deepEqual(errorsOf(text), [['k'.repeat(1025), 'KeyTooLongError']]);
  assert.deepEqual(deletedOf(text), ['short']);
});

test('what a key may not delete is denied key by key', async () => {
  await calls.put('in/a');
  await calls.put('out/a');
  const limited = await s3.admin.createS3Key(holder.account, {
    bucket: holder.bucket,
    prefix: 'in/',
  });
  using raw = rawS3({
    endpoint: s3.endpoint,
    accessKeyId: limited.access_key_id,
    secretAccessKey: limited.secret,
    region: REGION,
    ca: undefined,
  });
  const own = objectCalls({ raw, bucket: holder.bucket });
  const { status, text } = await send(bodyOf([objectOf('in/a'), objectOf('out/a')]), own);
  assert.equal(status, 200, text);
  assert.deepEqual(deletedOf(text), ['in/a']);
  assert.deepEqual(errorsOf(text), [['out/a', 'AccessDenied']]);
  assert.equal(await calls.isThere('out/a'), true);
});

test("nothing of another's bucket is deleted", async () => {
  const stranger = await s3.openHolder('delete-stranger');
  await calls.put('mine');
  const theirs = objectCalls({ raw: stranger.raw, bucket: holder.bucket });
  const answer = await send(bodyOf([objectOf('mine')]), theirs);
  assertS3Error(answer, 403, 'AccessDenied');
  assert.equal(await calls.isThere('mine'), true);
  const nowhere = objectCalls({ raw: holder.raw, bucket: 'no-such-bucket-here' });
  assertS3Error(await send(bodyOf([objectOf('a')]), nowhere), 404, 'NoSuchBucket');
});
