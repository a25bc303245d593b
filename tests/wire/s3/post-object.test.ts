/** Proves the contract's section "POST policy uploads": what a signed form may do, and what not. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { encodePath } from '../../../src/kit/sigv4/percent.ts';
import { deriveSigningKey, type SigningKey } from '../../../src/kit/sigv4/signing-key.ts';
import { exchange, parseAnswer, provoke } from '../http-client.ts';
import {
  BOUNDARY,
  type Fields,
  FORM_TYPE,
  fileOf,
  formBody,
  type Part,
  partBytes,
  partsOf,
  post,
  sign,
  signedFields,
} from './post-form.ts';
import { assertS3Error, REGION, type S3Holder, startS3 } from './start-s3.ts';

const s3 = await startS3();
const ann = await s3.openHolder('ann');

const md5 = (bytes: string | Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** Sends the fields and then the file. */
const send = (fields: Fields, file: Part, holder: S3Holder = ann) =>
  post(s3, holder, formBody([...partsOf(fields), file]));

async function keysOf({ raw, bucket }: S3Holder = ann): Promise<readonly string[]> {
  const { text } = await raw.expectDone({ method: 'GET', bucket });
  return [...text.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
}

async function assertNothingStored(key: string): Promise<void> {
  const answer = await ann.raw.send({ method: 'HEAD', bucket: ann.bucket, key });
  assert.equal(answer.status, 404, key);
}

test('a form stores its file with what its fields say, and is answered 204', async () => {
  const fields = {
    key: 'posted/ä b.txt',
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'max-age=5',
    'Content-Disposition': 'attachment',
    'Content-Encoding': 'identity',
    Expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
    acl: 'private',
    'x-amz-meta-Plain': 'two  words',
    'x-amz-meta-umlaut': 'grüße',
    'x-amz-storage-class': 'STANDARD_IA',
    tagging: '<Tagging><TagSet><Tag><Key>a</Key><Value>b c</Value></Tag></TagSet></Tagging>',
  };
  const bytes = 'hello\r\n--not the boundary\r\n';
  const answer = await send(signedFields(ann, fields), fileOf(bytes));
  assert.equal(answer.status, 204, answer.text);
  assert.equal(answer.text, '');
  const etag = `"${md5(bytes)}"`;
  assert.equal(answer.headers.etag, etag);
  const location = `${s3.endpoint}/${ann.bucket}/${encodePath(fields.key)}`;
  assert.equal(answer.headers.location, location);
  const target = { bucket: ann.bucket, key: fields.key };
  const got = await ann.raw.expectDone({ method: 'GET', ...target });
  assert.equal(got.text, bytes);
  assert.equal(got.headers.etag, etag);
  assert.equal(got.headers['content-type'], fields['Content-Type']);
  assert.equal(got.headers['cache-control'], 'max-age=5');
  assert.equal(got.headers['content-disposition'], 'attachment');
  assert.equal(got.headers['content-encoding'], 'identity');
  assert.equal(got.headers.expires, fields.Expires);
  assert.equal(got.headers['x-amz-meta-plain'], 'two  words');
  assert.equal(got.headers['x-amz-meta-umlaut'], Buffer.from('grüße').toString('latin1'));
  assert.equal(got.headers['x-amz-storage-class'], 'STANDARD_IA');
  assert.equal(got.headers['x-amz-tagging-count'], '1');
  const tags = await ann.raw.expectDone({ method: 'GET', ...target, query: [['tagging', '']] });
  assert.match(tags.text, /<Key>a<\/Key><Value>b c<\/Value>/);
});

test('the file may be empty or large, come with no length, and be followed by fields', async () => {
  const large = Buffer.alloc(3_000_000, '\r\n-');
  for (const bytes of [Buffer.alloc(0), Buffer.from('\r\n'), large]) {
    const fields = signedFields(ann, { key: 'sizes' });
    const body = formBody([...partsOf(fields), fileOf(bytes), { name: 'submit', value: 'Send' }]);
    for (const headers of [{}, { 'transfer-encoding': 'chunked' }] as readonly Fields[]) {
      const answer = await post(s3, ann, body, headers);
      assert.equal(answer.status, 204, answer.text);
      assert.equal(answer.headers.etag, `"${md5(bytes)}"`);
    }
    const got = await ann.raw.expectDone({ method: 'GET', bucket: ann.bucket, key: 'sizes' });
    assert(got.bytes.equals(bytes));
  }
});

test('a type that is not said is the default one, whatever the part says of itself', async () => {
  const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"\r\n`;
  const body = Buffer.concat([
    ...partsOf(signedFields(ann, { key: 'type' })).map(partBytes),
    Buffer.from(`${head}Content-Type: image/png\r\n\r\nx\r\n--${BOUNDARY}--`),
  ]);
  assert.equal((await post(s3, ann, body)).status, 204);
  const got = await ann.raw.expectDone({ method: 'GET', bucket: ann.bucket, key: 'type' });
  assert.equal(got.headers['content-type'], 'binary/octet-stream');
});

test('success is said by the status that the form asks for, or by going elsewhere', async () => {
  const bytes = 'hello';
  const etag = `"${md5(bytes)}"`;
  const key = 'a&b ü';
  const location = `${s3.endpoint}/${ann.bucket}/${encodePath(key)}`;
  for (const [status, expected] of Object.entries({
    200: 200,
    201: 201,
    204: 204,
    404: 204,
    x: 204,
  })) {
    const fields = signedFields(ann, { key, success_action_status: status });
    const answer = await send(fields, fileOf(bytes));
    assert.equal(answer.status, expected, answer.text);
    assert.equal(answer.headers.location, location);
    const text =
      expected === 201
        ? '<?xml version="1.0" encoding="UTF-8"?>\n' +
          '<PostResponse xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
          `<Location>${location}</Location><Bucket>${ann.bucket}</Bucket><Key>a&amp;b ü</Key>` +
          `<ETag>${etag}</ETag></PostResponse>`
        : '';
    assert.equal(answer.text, text);
  }
  const said = `bucket=${ann.bucket}&key=a%26b%20%C3%BC&etag=%22${md5(bytes)}%22`;
  const targets = {
    'https://example.org/done': `https://example.org/done?${said}`,
    'https://example.org/done?a=b#c': `https://example.org/done?a=b&${said}#c`,
  };
  for (const [target, expected] of Object.entries(targets)) {
    const fields = { key, success_action_redirect: target, success_action_status: '201' };
    const answer = await send(signedFields(ann, fields), fileOf(bytes));
    assert.equal(answer.status, 303, answer.text);
    assert.equal(answer.headers.location, expected);
  }
  for (const target of ['javascript:alert(1)', 'nowhere', '']) {
    const fields = { key, success_action_redirect: target };
    assert.equal((await send(signedFields(ann, fields), fileOf(bytes))).status, 204);
  }
});

test('the key takes the name of the file without its folders', async () => {
  const names = {
    'a b.txt': 'a b.txt',
    'C:\\folder\\b.txt': 'b.txt',
    'some/folder/c.txt': 'c.txt',
    '$&.txt': '$&.txt',
    'ü.txt': 'ü.txt',
  };
  for (const [fileName, last] of Object.entries(names)) {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholder of S3
    const fields = { key: 'up/${filename}', success_action_status: '201' };
    const conditions = [
      { bucket: ann.bucket },
      ['starts-with', '$key', `up/${last.slice(0, 1)}`],
      ['eq', '$success_action_status', '201'],
    ];
    const signed = { ...fields, ...sign(ann, { conditions }) };
    const answer = await send(signed, fileOf('x', fileName));
    assert.equal(answer.status, 201, answer.text);
    const location = `${s3.endpoint}/${ann.bucket}/${encodePath(`up/${last}`)}`;
    assert.equal(answer.headers.location, location);
    const refused = await send(signed, fileOf('x', `z${last}`));
    assertS3Error(refused, 403, 'AccessDenied');
  }
});

test('a key that XML cannot say is echoed with its replacement', async () => {
  const fields = signedFields(ann, { key: 'a\u0001b', success_action_status: '201' });
  const answer = await send(fields, fileOf('x'));
  assert.equal(answer.status, 201, answer.text);
  assert.match(answer.text, /<Key>a\ufffdb<\/Key>/);
});

test('names of fields and conditions are read in any case, x-ignore- ones not at all', async () => {
  const conditions = [{ BUCKET: ann.bucket }, ['Starts-With', '$KEY', 'fo'], { aCL: 'private' }];
  const { policy, ...rest } = sign(ann, { conditions });
  const fields = { kEy: 'foo', pOLICy: policy, ACL: 'private', 'X-Ignore-this': 'x' };
  const upper = Object.entries(rest).map(([name, value]) => [name.toUpperCase(), value]);
  const answer = await send({ ...fields, ...Object.fromEntries(upper) }, fileOf('x'));
  assert.equal(answer.status, 204, answer.text);
});

test('checksums in fields are held against the file, and kept', async () => {
  const crc = { key: 'sum', 'x-amz-checksum-crc32': 'NhCmhg==' };
  const answer = await send(signedFields(ann, crc), fileOf('hello'));
  assert.equal(answer.status, 204, answer.text);
  assert.equal(answer.headers['x-amz-checksum-crc32'], 'NhCmhg==');
  const head = await ann.raw.send({
    method: 'HEAD',
    bucket: ann.bucket,
    key: 'sum',
    headers: { 'x-amz-checksum-mode': 'ENABLED' },
  });
  assert.equal(head.headers['x-amz-checksum-crc32'], 'NhCmhg==');
  const wrong: readonly (readonly [code: string, fields: Fields])[] = [
    ['BadDigest', { 'x-amz-checksum-crc32': 'AAAAAA==' }],
    ['BadDigest', { 'Content-MD5': Buffer.alloc(16).toString('base64') }],
    ['InvalidDigest', { 'Content-MD5': 'zz' }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'zz' }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-crc32c': 'mnG7TA==' }],
  ];
  for (const [code, fields] of wrong) {
    const bad = await send(signedFields(ann, { key: 'bad-sum', ...fields }), fileOf('hello'));
    assertS3Error(bad, 400, code);
  }
  await assertNothingStored('bad-sum');
});

test('the length of the file stays within the range of the policy', async () => {
  const ranged = (min: unknown, max: unknown, key = 'ranged') =>
    signedFields(ann, { key }, [['content-length-range', min, max]]);
  for (const [min, max] of [
    [0, 5],
    [5, 5],
    ['5', '5'],
    [5, 100],
  ]) {
    assert.equal((await send(ranged(min, max), fileOf('hello'))).status, 204);
  }
  const large = await send(ranged(0, 4, 'out-of-range'), fileOf('hello'));
  assertS3Error(large, 400, 'EntityTooLarge');
  assert.match(large.text, /<ProposedSize>5<\/ProposedSize><MaxSizeAllowed>4<\/MaxSizeAllowed>/);
  const small = await send(ranged(6, 9, 'out-of-range'), fileOf('hello'));
  assertS3Error(small, 400, 'EntityTooSmall');
  assert.match(small.text, /<ProposedSize>5<\/ProposedSize><MinSizeAllowed>6<\/MinSizeAllowed>/);
  const twice = signedFields(ann, { key: 'out-of-range' }, [
    ['content-length-range', 0, 10],
    ['content-length-range', 0, 4],
  ]);
  assertS3Error(await send(twice, fileOf('hello')), 400, 'EntityTooLarge');
  for (const wrong of [[0], [], [-1, 0], [0, 'x'], [0, 1.5], [0, 1, 2], [null, 4]]) {
    const fields = signedFields(ann, { key: 'out-of-range' }, [['content-length-range', ...wrong]]);
    assertS3Error(await send(fields, fileOf('x')), 400, 'InvalidPolicyDocument');
  }
  await assertNothingStored('out-of-range');
});

test('a file that is too large is refused as soon as it is, not when it has come', async () => {
  const fields = signedFields(ann, { key: 'endless' }, [['content-length-range', 0, 1000]]);
  const body = Buffer.concat([...partsOf(fields), fileOf('x'.repeat(2000))].map(partBytes));
  const head = `POST /${ann.bucket} HTTP/1.1\r\nHost: a\r\nContent-Type: ${FORM_TYPE}\r\n`;
  // A gigabyte is announced, and little of it comes before the answer.
  const text = `${head}Content-Length: 1000000000\r\n\r\n${body.toString('latin1')}`;
  assertS3Error(parseAnswer(await provoke(s3.endpoint, text)), 400, 'EntityTooLarge');
  await assertNothingStored('endless');
});

test('what does not meet the policy is denied, and nothing is stored', async () => {
  const key = 'denied';
  const bucket = { bucket: ann.bucket };
  const denied: readonly (readonly [fields: Fields, conditions: readonly unknown[]])[] = [
    [{ key }, [bucket, { key: 'other' }]],
    [{ key }, [bucket, ['eq', '$key', 'Denied']]],
    [{ key }, [bucket, ['starts-with', '$key', 'x']]],
    [{ key }, [bucket]],
    [{ key }, [{ key }]],
    [{ key }, [{ bucket: 'other-bucket' }, { key }]],
    [{ key, bucket: 'other-bucket' }, [{ bucket: 'other-bucket' }, { key }]],
    [{ key, acl: 'private' }, [bucket, { key }]],
    [{ key, 'x-amz-meta-a': '1' }, [bucket, { key }]],
    [{ key }, [bucket, { key }, ['starts-with', '$x-amz-meta-foo', 'bar']]],
    [
      { key, 'Content-Type': 'image/png, text/html' },
      [bucket, { key }, ['starts-with', '$Content-Type', 'image/']],
    ],
  ];
  for (const [fields, conditions] of denied) {
    const answer = await send({ ...fields, ...sign(ann, { conditions }) }, fileOf('x'));
    assertS3Error(answer, 403, 'AccessDenied');
    assert.match(answer.text, /Invalid according to Policy: /);
  }
  const expired = sign(ann, { conditions: [bucket, { key }], expiresAtMs: Date.now() - 1 });
  const late = await send({ key, ...expired }, fileOf('x'));
  assertS3Error(late, 403, 'AccessDenied');
  assert.match(late.text, /Invalid according to Policy: Policy expired\./);
  await assertNothingStored(key);
});

test('conditions are as tolerant as clients need', async () => {
  const key = 'tolerated';
  const bucket = { bucket: ann.bucket };
  const allowed: readonly (readonly [fields: Fields, conditions: readonly unknown[]])[] = [
    [{ key }, [{ bucket: ann.bucket, key }]],
    [{ key }, [bucket, ['starts-with', '$key', '']]],
    [{ key }, [bucket, { key }, ['starts-with', '$Content-Type', '']]],
    [{ key, bucket: ann.bucket }, [bucket, { key }]],
    [
      { key, 'Content-Type': 'image/png, image/gif' },
      [bucket, { key }, ['starts-with', '$Content-Type', 'image/']],
    ],
    [{ key: '\\$foo.txt' }, [bucket, ['starts-with', '$key', '\\$foo']]],
  ];
  for (const [fields, conditions] of allowed) {
    const answer = await send({ ...fields, ...sign(ann, { conditions }) }, fileOf('x'));
    assert.equal(answer.status, 204, `${JSON.stringify(conditions)} ${answer.text}`);
  }
});

/** Signs any text as the policy. */
function signText(document: string, encoded = Buffer.from(document).toString('base64')): Fields {
  const { policy: _, 'x-amz-signature': __, ...rest } = sign(ann, { conditions: [] });
  const date = rest['x-amz-date'].slice(0, 8);
  const scope = { accessKeyId: ann.accessKeyId, date, region: REGION, service: 's3' };
  const key: SigningKey = deriveSigningKey(scope, ann.secret);
  return { ...rest, policy: encoded, 'x-amz-signature': key.sign(encoded) };
}

test('a policy that cannot be read is refused, though it is signed', async () => {
  const expiration = new Date(Date.now() + 60_000).toISOString();
  const own = ['x-amz-algorithm', 'x-amz-credential', 'x-amz-date'].map((name) => [
    'starts-with',
    `$${name}`,
    '',
  ]);
  const conditions = [{ bucket: ann.bucket }, ['starts-with', '$key', ''], ...own];
  const good = JSON.stringify({ expiration, conditions });
  const lined = Buffer.from(good).toString('base64').replaceAll(/.{76}/g, '$&\r\n');
  for (const fields of [
    signText(good),
    signText(good, lined),
    signText(good.replace('$key', '\\$key')),
  ]) {
    const answer = await send({ key: 'policies', ...fields }, fileOf('x'));
    assert.equal(answer.status, 204, answer.text);
  }
  const bad = [
    '',
    '[]',
    'null',
    '{',
    JSON.stringify({ conditions }),
    JSON.stringify({ EXPIRATION: expiration, conditions }),
    JSON.stringify({ expiration }),
    JSON.stringify({ expiration, CONDITIONS: conditions }),
    JSON.stringify({ expiration, conditions: {} }),
    JSON.stringify({ expiration: expiration.replace('T', ' '), conditions }),
    JSON.stringify({ expiration: '2026-13-01T00:00:00Z', conditions }),
    JSON.stringify({ expiration: Date.now() + 60_000, conditions }),
    ...[
      {},
      [],
      'key',
      null,
      ['eq', '$key'],
      ['eq', 'key', ''],
      ['like', '$key', ''],
      { acl: 1 },
      ['eq', '$key', 'a', 'b'],
    ].map((wrong) => JSON.stringify({ expiration, conditions: [...conditions, wrong] })),
  ];
  for (const document of bad) {
    const answer = await send({ key: 'bad-policy', ...signText(document) }, fileOf('x'));
    assertS3Error(answer, 400, 'InvalidPolicyDocument');
  }
  for (const encoded of ['%%%', 'e30', '/w==']) {
    const answer = await send({ key: 'bad-policy', ...signText('', encoded) }, fileOf('x'));
    assertS3Error(answer, 400, 'InvalidPolicyDocument');
  }
  await assertNothingStored('bad-policy');
});

test('a form without a good signature is refused', async () => {
  const key = 'unsigned';
  const signed = signedFields(ann, { key });
  assertS3Error(await send({ key }, fileOf('x')), 403, 'AccessDenied');
  const without = (name: string) =>
    Object.fromEntries(Object.entries(signed).filter(([field]) => field !== name));
  for (const name of [
    'x-amz-algorithm',
    'x-amz-credential',
    'x-amz-date',
    'x-amz-signature',
    'key',
  ]) {
    assertS3Error(await send(without(name), fileOf('x')), 400, 'InvalidArgument');
  }
  const credential = String(signed['x-amz-credential']);
  const wrong: readonly (readonly [status: number, code: string, fields: Fields])[] = [
    [400, 'InvalidArgument', { 'x-amz-algorithm': 'AWS4-HMAC-SHA1' }],
    [400, 'InvalidArgument', { 'x-amz-credential': 'nonsense' }],
    [400, 'InvalidArgument', { 'x-amz-credential': credential.replace('/s3/', '/ec2/') }],
    [400, 'InvalidArgument', { 'x-amz-date': '20200101T000000Z' }],
    [400, 'InvalidArgument', { 'x-amz-date': 'today' }],
    [
      403,
      'InvalidAccessKeyId',
      { 'x-amz-credential': credential.replace(ann.accessKeyId, 'A'.repeat(20)) },
    ],
    [403, 'SignatureDoesNotMatch', { 'x-amz-signature': '0'.repeat(64) }],
    [403, 'SignatureDoesNotMatch', { 'x-amz-signature': '' }],
    [403, 'SignatureDoesNotMatch', { policy: `${signed['policy']} ` }],
    [
      403,
      'SignatureDoesNotMatch',
      { 'x-amz-credential': credential.replace(`/${REGION}/`, '/moon/') },
    ],
    [400, 'InvalidToken', { 'x-amz-security-token': 't' }],
    [400, 'InvalidRequest', { AWSAccessKeyId: ann.accessKeyId }],
  ];
  for (const [status, code, fields] of wrong) {
    assertS3Error(await send({ ...signed, ...fields }, fileOf('x')), status, code);
  }
  await assertNothingStored(key);
});

test('a key does over forms what it may do, and no more', async () => {
  const bob = await s3.openHolder('bob');
  const stolen = { ...bob, bucket: ann.bucket };
  assertS3Error(
    await send(signedFields(stolen, { key: 'k' }), fileOf('x'), ann),
    403,
    'AccessDenied',
  );
  const nowhere = { ...ann, bucket: 'no-such-bucket' };
  assertS3Error(
    await send(signedFields(nowhere, { key: 'k' }), fileOf('x'), nowhere),
    404,
    'NoSuchBucket',
  );
  const limited = async (limits: Parameters<typeof s3.admin.createS3Key>[1]) => {
    const made = await s3.admin.createS3Key(bob.account, limits);
    return { ...bob, accessKeyId: made.access_key_id, secret: made.secret };
  };
  const reader = await limited({ read_only: true });
  assertS3Error(
    await send(signedFields(reader, { key: 'k' }), fileOf('x'), bob),
    403,
    'AccessDenied',
  );
  const scoped = await limited({ prefix: 'in/' });
  assertS3Error(
    await send(signedFields(scoped, { key: 'out' }), fileOf('x'), bob),
    403,
    'AccessDenied',
  );
  assert.equal((await send(signedFields(scoped, { key: 'in/k' }), fileOf('x'), bob)).status, 204);
  await s3.admin.revokeS3Key(scoped.accessKeyId);
  const revoked = await send(signedFields(scoped, { key: 'in/l' }), fileOf('x'), bob);
  assertS3Error(revoked, 403, 'InvalidAccessKeyId');
  assert.deepEqual(await keysOf(bob), ['in/k']);
  await s3.admin.disableAccount(bob.account);
  assertS3Error(
    await send(signedFields(bob, { key: 'k' }), fileOf('x'), bob),
    403,
    'AccountProblem',
  );
});

test('a form counts as a use of its key', async () => {
  const eve = await s3.openHolder('eve');
  assert.equal((await send(signedFields(eve, { key: 'k' }), fileOf('x'), eve)).status, 204);
  const { keys } = await s3.admin.listS3Keys(eve.account);
  assert.notEqual(keys[0]?.last_used_at, null);
});

test('where the region is strict, a form is signed for it', async () => {
  const strict = await startS3({ S3_STRICT_REGION: 'yes', REGION: 'eu-home-1' });
  const kim = await strict.openHolder('kim');
  const body = formBody([...partsOf(signedFields(kim, { key: 'k' })), fileOf('x')]);
  const answer = await post(strict, kim, body);
  assertS3Error(answer, 400, 'AuthorizationHeaderMalformed');
  assert.match(answer.text, /<Region>eu-home-1<\/Region>/);
});

test('what an object cannot have is refused before the file is taken', async () => {
  const refused: readonly (readonly [code: string, fields: Fields, status?: number])[] = [
    ['InvalidArgument', { key: '' }],
    ['InvalidArgument', { key: 'a\0' }],
    ['KeyTooLongError', { key: 'k'.repeat(1025) }],
    ['AccessControlListNotSupported', { acl: 'public-read' }],
    ['InvalidArgument', { acl: 'whatever' }],
    ['MetadataTooLarge', { 'x-amz-meta-long': 'x'.repeat(2048) }],
    ['InvalidArgument', { 'x-amz-meta-lines': 'a\r\nSet-Cookie: b' }],
    ['InvalidArgument', { 'x-amz-meta-ü': 'a' }],
    ['InvalidArgument', { 'Content-Type': 'text/plain\n' }],
    ['InvalidStorageClass', { 'x-amz-storage-class': 'TIN' }],
    ['MalformedXML', { tagging: '<Tagging>' }],
    [
      'InvalidTag',
      { tagging: '<Tagging><TagSet><Tag><Key></Key><Value/></Tag></TagSet></Tagging>' },
    ],
    ['NotImplemented', { 'x-amz-server-side-encryption': 'aws:kms' }, 501],
  ];
  const before = await keysOf();
  for (const [code, fields, status = 400] of refused) {
    const answer = await send(signedFields(ann, { key: 'unfit', ...fields }), fileOf('x'));
    assertS3Error(answer, status, code);
  }
  assert.deepEqual(await keysOf(), before);
});

test('a page that may post reads the answer', async () => {
  const rule =
    '<CORSConfiguration><CORSRule><AllowedOrigin>https://a.example</AllowedOrigin>' +
    '<AllowedMethod>POST</AllowedMethod></CORSRule></CORSConfiguration>';
  const query = [['cors', '']] as const;
  await ann.raw.expectDone({ method: 'PUT', bucket: ann.bucket, query, body: rule });
  const body = formBody([...partsOf(signedFields(ann, { key: 'page' })), fileOf('x')]);
  const answer = await post(s3, ann, body, { origin: 'https://a.example' });
  assert.equal(answer.status, 204, answer.text);
  assert.equal(answer.headers['access-control-allow-origin'], 'https://a.example');
  const refused = await post(s3, ann, formBody([]), { origin: 'https://a.example' });
  assert.equal(refused.headers['access-control-allow-origin'], 'https://a.example');
});

test('a sender that waits to be told is told, and not before its type is known', async () => {
  const body = formBody([...partsOf(signedFields(ann, { key: 'waited' })), fileOf('x')]);
  const head = `POST /${ann.bucket} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\nConnection: close\r\n`;
  const text = `${head}Content-Type: ${FORM_TYPE}\r\n\r\n`;
  const told = await exchange(s3.endpoint, text, body.toString('latin1'));
  assert.match(told, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 204 /);
  const refused = await exchange(s3.endpoint, `${head}Content-Type: text/plain\r\n\r\n`);
  assert.match(refused, /^HTTP\/1\.1 412 /);
});
