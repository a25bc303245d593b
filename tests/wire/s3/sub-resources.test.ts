/**
 * Proves that what the contract does not have yet is answered as it says: read-only probes, rows
 * marked "depth", and every sub-resource with every method, none of which stores or deletes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SUBRESOURCES } from '../../../src/dialects/s3/operations/operation-table.ts';
import { codeOf, md5Header, objectCalls } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();
const holder = await s3.openHolder('probing');
const calls = objectCalls(holder);

const PROBES = [
  ['object-lock', 'ObjectLockConfigurationNotFoundError'],
  ['encryption', 'ServerSideEncryptionConfigurationNotFoundError'],
  ['publicAccessBlock', 'NoSuchPublicAccessBlockConfiguration'],
  ['ownershipControls', 'OwnershipControlsNotFoundError'],
  ['website', 'NoSuchWebsiteConfiguration'],
  ['replication', 'ReplicationConfigurationNotFoundError'],
  ['policyStatus', 'NoSuchBucketPolicy'],
  ['policy', 'NoSuchBucketPolicy'],
  ['lifecycle', 'NoSuchLifecycleConfiguration'],
  ['tagging', 'NoSuchTagSet'],
  ['cors', 'NoSuchCORSConfiguration'],
] as const;

for (const [name, code] of PROBES) {
  test(`a bucket has no ${name} to read, and its missing is 404 ${code}`, async () => {
    assertS3Error(await calls.ask('GET', undefined, { query: { [name]: '' } }), 404, code);
  });
}

const EMPTY = [
  ['logging', /<BucketLoggingStatus xmlns="[^"]+"(\/>|><\/BucketLoggingStatus>)/],
  ['notification', /<NotificationConfiguration xmlns="[^"]+"(\/>|><\/NotificationConfiguration>)/],
  [
    'requestPayment',
    /<RequestPaymentConfiguration xmlns="[^"]+"><Payer>BucketOwner<\/Payer><\/Request/,
  ],
] as const;

for (const [name, document] of EMPTY) {
  test(`the ${name} of a bucket is an empty configuration`, async () => {
    const answer = await calls.ask('GET', undefined, { query: { [name]: '' } });
    assert.equal(answer.status, 200, answer.text);
    assert.match(answer.text, document);
  });
}

for (const name of ['policy', 'lifecycle']) {
  test(`the ${name} of a bucket can be deleted but not put`, async () => {
    const body = name === 'policy' ? '{"Version":"2012-10-17"}' : '<LifecycleConfiguration/>';
    const query = { [name]: '' };
    const headers = md5Header(body);
    assertS3Error(
      await calls.ask('PUT', undefined, { query, body, headers }),
      501,
      'NotImplemented',
    );
    const deleted = await calls.ask('DELETE', undefined, { query });
    assert.equal(deleted.status, 204, deleted.text);
    assert.equal(deleted.text, '');
  });
}

test('what no bucket can be told is not implemented', async () => {
  const names = [
    ...['replication', 'encryption', 'logging', 'notification', 'accelerate', 'requestPayment'],
    ...['analytics', 'inventory', 'metrics', 'intelligent-tiering', 'publicAccessBlock'],
    ...['ownershipControls', 'metadataTable', 'object-lock', 'website', 'versioning'],
  ];
  for (const name of names) {
    const answer = await calls.ask('PUT', undefined, { query: { [name]: '' }, body: '<a/>' });
    assertS3Error(answer, 501, 'NotImplemented');
  }
});

test('Select, restore and torrent are not implemented', async () => {
  await calls.put('told', 'a');
  for (const [method, name] of [
    ['POST', 'select'],
    ['POST', 'restore'],
    ['GET', 'torrent'],
    ['PUT', 'renameObject'],
    ['PUT', 'legal-hold'],
    ['PUT', 'retention'],
    ['PUT', 'annotation'],
    ['PUT', 'encryption'],
  ] as const) {
    assertS3Error(
      await calls.ask(method, 'told', { query: { [name]: '' } }),
      501,
      'NotImplemented',
    );
  }
});

test('legal hold and retention cannot be read of an object without a lock', async () => {
  await calls.put('unlocked', 'a');
  for (const name of ['legal-hold', 'retention']) {
    const answer = await calls.ask('GET', 'unlocked', { query: { [name]: '' } });
    assertS3Error(answer, 400, 'InvalidRequest');
  }
});

test('GET of the uploads or versions of a key is an invalid request', async () => {
  await calls.put('versioned', 'a');
  for (const name of ['uploads', 'versions']) {
    const answer = await calls.ask('GET', 'versioned', { query: { [name]: '' } });
    assertS3Error(answer, 400, 'InvalidRequest');
  }
});

test('no sub-resource of a key ever stores or deletes the object', async () => {
  await calls.put('standing', 'as it was');
  for (const name of SUBRESOURCES) {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      for (const key of ['standing', 'missing']) {
        const answer = await calls.ask(method, key, { query: { [name]: '' }, body: 'stored?' });
        const what = `${method} ${key}?${name}: ${answer.status} ${answer.text}`;
        assert.ok(answer.status !== 500, what);
        if (answer.status >= 300) assert.notEqual(codeOf(answer), undefined, what);
        assert.equal((await calls.get('standing')).text, 'as it was', what);
        assert.equal((await calls.get('missing')).status, 404, what);
      }
    }
  }
});

test('no sub-resource of a bucket ever makes or deletes the bucket', async () => {
  await s3.admin.changeLimits(holder.account, { buckets: 10 });
  const free = objectCalls({ raw: holder.raw, bucket: 'never-to-be-made' });
  const standing = objectCalls({ raw: holder.raw, bucket: 'never-to-be-gone' });
  await standing.done('PUT');
  for (const name of SUBRESOURCES) {
    for (const method of ['PUT', 'POST', 'DELETE']) {
      for (const bucket of [free, standing]) {
        const { status } = await bucket.ask(method, undefined, { query: { [name]: '' } });
        assert.ok(status !== 500, `${method} ?${name}: ${status}`);
        assert.equal((await free.ask('HEAD')).status, 404, `${method} ?${name}`);
        assert.equal((await standing.ask('HEAD')).status, 200, `${method} ?${name}`);
      }
    }
  }
});

test('parameters that mean nothing here are ignored', async () => {
  await calls.put('plain', 'plain');
  for (const name of ['x-id', 'metadata', 'allow-unordered', 'anything']) {
    const answer = await calls.ask('GET', 'plain', { query: { [name]: 'GetObject' } });
    assert.equal(answer.text, 'plain', name);
  }
});

test('a source to copy goes with PUT only', async () => {
  const headers = { 'x-amz-copy-source': `${holder.bucket}/plain` };
  for (const method of ['GET', 'DELETE', 'POST']) {
    assertS3Error(await calls.ask(method, 'target', { headers }), 400, 'InvalidArgument');
  }
});

test('half the address of a part is an invalid argument, and stores nothing', async () => {
  for (const query of [{ partNumber: '1' }, { uploadId: 'none' }]) {
    const answer = await calls.ask('PUT', 'half', { query: { ...query }, body: 'part' });
    assertS3Error(answer, 400, 'InvalidArgument');
  }
  assert.equal(await calls.isThere('half'), false);
});
