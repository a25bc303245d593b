/** Proves what S3 answers when there is no room: quota, capacity, a full disk, a frozen account. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { MIB, md5Header, objectCalls } from './object-calls.ts';
import { assertS3Error, startS3 } from './start-s3.ts';

const s3 = await startS3();

/** An account with room for so many bytes in so many objects, open uploads and parts. */
async function limited(name: string, { bytes, rows }: { bytes: number; rows: number }) {
  const holder = await s3.openHolder(name);
  await s3.admin.changeLimits(holder.account, { storage_bytes: bytes + rows * 1024 });
  return objectCalls(holder);
}

test('an object beyond the quota is refused, whatever its size, and nothing is stored', async () => {
  for (const [index, size] of [100, 300_000, 6 * MIB].entries()) {
    const calls = await limited(`quota-${index}`, { bytes: size, rows: 1 });
    assert.equal((await calls.ask('PUT', 'fits', { body: Buffer.alloc(size) })).status, 200);
    assertS3Error(await calls.ask('PUT', 'more', { body: Buffer.alloc(1) }), 403, 'QuotaExceeded');
    const over = await calls.ask('PUT', 'fits', { body: Buffer.alloc(size + 1) });
    assertS3Error(over, 403, 'QuotaExceeded');
    assert.equal((await calls.head('fits')).headers['content-length'], `${size}`);
    assert.equal((await calls.ask('PUT', 'fits', { body: Buffer.alloc(size) })).status, 200);
    assertS3Error(await calls.ask('PUT', 'empty'), 403, 'QuotaExceeded');
    await calls.done('DELETE', 'fits');
    assert.equal((await calls.ask('PUT', 'again', { body: Buffer.alloc(size) })).status, 200);
  }
});

test('what races past a quota or a condition leaves no bytes on the disk', async () => {
  const body = Buffer.alloc(600_000, 'x');
  const holder = await s3.openHolder('racing');
  const calls = objectCalls(holder);
  const before = await blobFiles();
  const once = Array.from({ length: 6 }, () =>
    calls.ask('PUT', 'once', { body, headers: { 'if-none-match': '*' } }),
  );
  const statuses = (await Promise.all(once)).map(({ status }) => status).toSorted();
  assert.deepEqual(statuses, [200, 412, 412, 412, 412, 412]);
  await s3.admin.changeLimits(holder.account, { storage_bytes: 3 * (body.length + 1024) });
  const many = Array.from({ length: 6 }, (_, at) => calls.ask('PUT', `many-${at}`, { body }));
  const kept = (await Promise.all(many)).filter(({ status }) => status === 200).length;
  assert.equal(kept, 2);
  assert.equal(await blobFiles(), before + 3);
});

/** Files of blobs that are too large for a segment. */
async function blobFiles(): Promise<number> {
  const names = await readdir(join(s3.directory, 'data', 'blobs'), { recursive: true });
  return names.filter((name) => /^..\/..\/[0-9a-f]{16}$/.test(name)).length;
}

test('deletes, tags and reads go on beyond the quota', async () => {
  const holder = await s3.openHolder('beyond');
  const calls = objectCalls(holder);
  await calls.put('a', Buffer.alloc(1000));
  await calls.put('b', Buffer.alloc(1000));
  await s3.admin.changeLimits(holder.account, { storage_bytes: 10 });
  assert.equal((await calls.get('a')).status, 200);
  const body = '<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>';
  await calls.done('PUT', 'a', { query: { tagging: '' }, body, headers: md5Header(body) });
  assert.equal(
    (await calls.ask('PUT', 'a', { body: Buffer.alloc(900) })).status,
    200,
    'it shrinks',
  );
  await calls.done('DELETE', 'b');
});

test('a Complete needs no more room than its parts had', async () => {
  const calls = await limited('exact', { bytes: 1000, rows: 2 });
  const uploadId = await calls.begin('whole');
  const part = await calls.send('whole', uploadId, { number: 1, body: Buffer.alloc(1000) });
  assert.equal((await calls.complete('whole', uploadId, [part])).status, 200);
});

test('parts that were not listed give their room back', async () => {
  const calls = await limited('unlisted', { bytes: 2000, rows: 3 });
  const uploadId = await calls.begin('whole');
  const part = await calls.send('whole', uploadId, { number: 1, body: Buffer.alloc(1000) });
  await calls.send('whole', uploadId, { number: 2, body: Buffer.alloc(1000) });
  assertS3Error(await calls.ask('PUT', 'more', { body: 'x' }), 403, 'QuotaExceeded');
  assert.equal((await calls.complete('whole', uploadId, [part])).status, 200);
  assert.equal((await calls.ask('PUT', 'more', { body: Buffer.alloc(1000) })).status, 200);
});

test('a part that is sent again takes the room of the first', async () => {
  const calls = await limited('resent', { bytes: 1000, rows: 2 });
  const uploadId = await calls.begin('whole');
  for (let time = 0; time < 3; time += 1) {
    await calls.send('whole', uploadId, { number: 1, body: Buffer.alloc(1000, time) });
  }
});

test('beyond the capacity and on a full disk it is 507, and deletes still work', async () => {
  const small = await startS3({ CAPACITY_BYTES: '1000' });
  const full = await startS3({ MIN_FREE_BYTES: '1000 TiB' });
  const inSmall = objectCalls(await small.openHolder('small'));
  const onFull = objectCalls(await full.openHolder('full'));
  for (const calls of [inSmall, onFull]) {
    assertS3Error(
      await calls.ask('PUT', 'key', { body: Buffer.alloc(2000) }),
      507,
      'InsufficientStorage',
    );
    assert.equal(await calls.isThere('key'), false);
    const uploadId = await calls.begin('parts');
    const part = await calls.ask('PUT', 'parts', {
      query: { partNumber: '1', uploadId },
      body: Buffer.alloc(2000),
    });
    assertS3Error(part, 507, 'InsufficientStorage');
    assert.equal((await calls.abort('parts', uploadId)).status, 204);
    assert.equal((await calls.ask('DELETE', 'key')).status, 204);
  }
});

test('a disabled account can do nothing, and its public objects are closed', async () => {
  const holder = await s3.openHolder('frozen');
  const calls = objectCalls(holder);
  await calls.put('key', 'bytes');
  await s3.callRest(holder, 'PATCH /api/s3/bucket', { public_read: true });
  await s3.admin.disableAccount(holder.account);
  for (const method of ['GET', 'PUT', 'DELETE']) {
    assertS3Error(await calls.ask(method, 'key'), 403, 'AccountProblem');
  }
  assertS3Error(await calls.ask('GET'), 403, 'AccountProblem');
  const open = await s3.call({ route: `GET /${holder.bucket}/key` });
  assertS3Error(open, 403, 'AccountProblem');
});
