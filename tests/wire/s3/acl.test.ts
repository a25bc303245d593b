/** Proves ACLs of buckets and objects: private ones are as they are, others are not to be had. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elementsOf, textsOf } from '../../clients/s3/xml-texts.ts';
import { objectCalls, textOf } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('acl');
const calls = objectCalls(holder);
await calls.put('object', 'body');

const query = { acl: '' };
const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';

for (const [what, key] of [
  ['a bucket', undefined],
  ['an object', 'object'],
] as const) {
  test(`the ACL of ${what} grants its owner everything`, async () => {
    const { status, text } = await calls.ask('GET', key, { query });
    assert.equal(status, 200);
    assert.match(
      text,
      /<AccessControlPolicy xmlns="http:\/\/s3.amazonaws.com\/doc\/2006-03-01\/">/,
    );
    const [owner, grantee] = textsOf(text, 'ID');
    assert.match(owner ?? '', /^[0-9a-f]{64}$/);
    assert.equal(grantee, owner);
    assert.equal(textOf(text, 'Permission'), 'FULL_CONTROL');
    assert.match(text, /<Grantee xmlns:xsi="[^"]+" xsi:type="CanonicalUser">/);
  });

  test(`a private ACL of ${what} is accepted, another is not supported`, async () => {
    for (const acl of ['private', 'bucket-owner-full-control', 'bucket-owner-read']) {
      const answer = await calls.ask('PUT', key, { query, headers: { 'x-amz-acl': acl } });
      assert.equal(answer.status, 200, answer.text);
    }
    for (const acl of ['public-read', 'public-read-write', 'authenticated-read']) {
      const answer = await calls.ask('PUT', key, { query, headers: { 'x-amz-acl': acl } });
      assertS3Error(answer, 400, 'AccessControlListNotSupported');
    }
    const granted = await calls.ask('PUT', key, {
      query,
      headers: { 'x-amz-grant-read': `uri="${ALL_USERS}"` },
    });
    assertS3Error(granted, 400, 'AccessControlListNotSupported');
  });

  test(`the ACL document of ${what} may be given back, but not with another in it`, async () => {
    const { text } = await calls.ask('GET', key, { query });
    const back = await calls.ask('PUT', key, { query, body: text });
    assert.equal(back.status, 200, back.text);
    const open = text.replace(
      '</AccessControlList>',
      `<Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group"><URI>${ALL_USERS}</URI></Grantee><Permission>READ</Permission></Grant></AccessControlList>`,
    );
    assertS3Error(
      await calls.ask('PUT', key, { query, body: open }),
      400,
      'AccessControlListNotSupported',
    );
    assertS3Error(await calls.ask('PUT', key, { query, body: '<a/>' }), 400, 'MalformedXML');
  });

  test(`an ACL of ${what} that says nothing misses its header`, async () => {
    assertS3Error(await calls.ask('PUT', key, { query }), 400, 'MissingSecurityHeader');
  });
}

test('an object keeps its bytes when it is told its ACL', async () => {
  await calls.done('PUT', 'object', { query, headers: { 'x-amz-acl': 'private' }, body: '' });
  assert.equal((await calls.get('object')).text, 'body');
});

test('an object that is not there has no ACL', async () => {
  assertS3Error(await calls.ask('GET', 'missing', { query }), 404, 'NoSuchKey');
  const headers = { 'x-amz-acl': 'private' };
  assertS3Error(await calls.ask('PUT', 'missing', { query, headers }), 404, 'NoSuchKey');
});

test('a version that is not there has no ACL', async () => {
  const headers = { 'x-amz-acl': 'private' };
  for (const [versionId, status, code] of [
    ['null', 200, undefined],
    ['3HL4kqtJlcpXroDTDmJ', 404, 'NoSuchVersion'],
    ['', 400, 'InvalidArgument'],
  ] as const) {
    const asked = { query: { acl: '', versionId } };
    for (const answer of [
      await calls.ask('GET', 'object', asked),
      await calls.ask('PUT', 'object', { ...asked, headers }),
    ]) {
      if (code === undefined) assert.equal(answer.status, status, answer.text);
      else assertS3Error(answer, status, code);
    }
  }
});

test("an ACL document that cuts the owner's rights is not supported", async () => {
  const { text } = await calls.ask('GET', 'object', { query });
  for (const body of [
    text.replace('FULL_CONTROL', 'READ'),
    text.replace(/<Grant>.*<\/Grant>/, ''),
    text.replace(/(<Owner><ID>)[0-9a-f]{64}/, `$1${'0'.repeat(64)}`),
  ]) {
    assert.notEqual(body, text);
    const refused = await calls.ask('PUT', 'object', { query, body });
    assertS3Error(refused, 400, 'AccessControlListNotSupported');
  }
});

test('a bucket that everybody reads says so', async () => {
  await s3.callRest(holder, 'PATCH /api/s3/bucket', { public_read: true });
  const { text } = await calls.ask('GET', 'object', { query });
  assert.deepEqual(textsOf(text, 'Permission'), ['FULL_CONTROL', 'READ']);
  assert.equal(textOf(text, 'URI'), ALL_USERS);
  assert.equal(elementsOf(text, 'Grant').length, 2);
  await calls.done('PUT', 'object', { query, body: text });
  const ofBucket = await calls.ask('GET', undefined, { query });
  assert.deepEqual(textsOf(ofBucket.text, 'Permission'), ['FULL_CONTROL'], 'listing is shut');
});

test('a canned public-read is accepted where it says what is so', async () => {
  const headers = { 'x-amz-acl': 'public-read' };
  await calls.put('open', 'body', headers);
  await calls.done('PUT', 'open', { query, headers });
  const uploadId = await calls.begin('open-parts', headers);
  await calls.abort('open-parts', uploadId);
  await calls.put('open-copy', '', { ...headers, 'x-amz-copy-source': `${calls.bucket}/open` });
  const code = 'AccessControlListNotSupported';
  assertS3Error(await calls.ask('PUT', undefined, { query, headers }), 400, code);
  const wider = { 'x-amz-acl': 'public-read-write' };
  assertS3Error(await calls.ask('PUT', 'open', { headers: wider, body: 'b' }), 400, code);
});
