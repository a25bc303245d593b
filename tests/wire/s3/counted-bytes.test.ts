/**
 * Proves that what has no bytes is counted: who writes empty objects, open uploads or links in a
 * loop is stopped at its quota, over either door, while others go on; and that who has no room left
 * may still read, delete, abort and shrink.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { assertRefused } from '../http-client.ts';
import { openAccount } from '../service.ts';
import { md5Header, objectCalls } from './object-calls.ts';
import { startS3Alone } from './s3-alone.ts';
import { assertS3Error, startS3 } from './start-s3.ts';
import { deliver, factOf, signed } from './wire-request.ts';

/** So many rows fit into the quota; a loop beyond twice as many was not stopped. */
const ROWS = 30;
const s3 = await startS3({ FREE_STORAGE_BYTES: `${ROWS * 1024}` });
const bystander = objectCalls(await s3.openHolder('bystander'));

/** How often `write` succeeds before the quota refuses it; another account may write then. */
async function stoppedAfter(
  write: (index: number) => Promise<{ readonly status: number; readonly text: string }>,
): Promise<number> {
  for (let count = 0; count <= 2 * ROWS; count += 1) {
    const { status, text } = await write(count);
    if (status < 300) continue;
    assert.match(`${status} ${text}`, /^(?:403 .*<Code>QuotaExceeded<|402 .*"quota_exceeded")/s);
    await bystander.put('meanwhile', 'bytes');
    return count;
  }
  return assert.fail('nothing stopped it');
}

test('empty objects end at the quota, over both doors', async () => {
  const holder = await s3.openHolder('empty');
  const calls = objectCalls(holder);
  assert.equal(await stoppedAfter((index) => calls.ask('PUT', `${index}`)), ROWS);
  const upload = () => s3.callRest(holder, 'POST /upload?file_name=more', {});
  assert.equal((await upload()).status, 402);
  // The same key again makes nothing larger, and a delete makes room for one.
  await calls.put('0');
  await calls.done('DELETE', '1');
  await calls.put('more');
  assertS3Error(await calls.ask('PUT', 'other'), 403, 'QuotaExceeded');
  assert.equal((await calls.get('0')).status, 200);
});

test('open uploads with 2 KB of metadata end at the quota, and count what they say', async () => {
  const calls = objectCalls(await s3.openHolder('uploads'));
  const headers = { 'x-amz-meta-note': 'x'.repeat(1900) };
  const ids: string[] = [];
  const count = await stoppedAfter(async () => {
    const answer = await calls.ask('POST', 'k', { query: { uploads: '' }, headers });
    const [, id] = /<UploadId>([^<]+)/.exec(answer.text) ?? [];
    if (id !== undefined) ids.push(id);
    return answer;
  });
  const described = 'k'.length + 'binary/octet-stream'.length + 1900 + '{"note":""}'.length;
  assert.equal(count, Math.floor((ROWS * 1024) / described));
  const [first = '', ...rest] = ids;
  const part = { query: { partNumber: '1', uploadId: first } };
  const parts = await stoppedAfter((index) =>
    calls.ask('PUT', 'k', { query: { ...part.query, partNumber: `${index + 1}` } }),
  );
  assert.ok(parts <= 1, 'what is left is less than a row');
  for (const id of rest) assert.equal((await calls.abort('k', id)).status, 204);
  const sent = await calls.send('k', first, { number: 1, body: 'bytes' });
  assert.equal((await calls.complete('k', first, [sent])).status, 200);
});

test('copies and descriptions that grow are judged too', async () => {
  const holder = await s3.openHolder('grows');
  const calls = objectCalls(holder);
  await calls.put('source');
  const copy = (index: number) =>
    calls.ask('PUT', `copy-${index}`, {
      headers: { 'x-amz-copy-source': `${calls.bucket}/source` },
    });
  assert.equal(await stoppedAfter(copy), ROWS - 1);
  const tag = (length: number) => {
    const tags = [1, 2, 3, 4, 5].map((key) => [key, 'v'.repeat(length)]);
    const rows = tags.map(([key, text]) => `<Tag><Key>${key}</Key><Value>${text}</Value></Tag>`);
    const body = `<Tagging><TagSet>${rows.join('')}</TagSet></Tagging>`;
    return calls.ask('PUT', 'source', { query: { tagging: '' }, body, headers: md5Header(body) });
  };
  assert.equal((await tag(10)).status, 200, 'within what the row counts anyway');
  assertS3Error(await tag(250), 403, 'QuotaExceeded');
  const rename = (name: string) =>
    s3.callRest(holder, 'POST /renameFile', { file_name: 'source', new_file_name: name });
  assertRefused(await rename('n'.repeat(1024)), 402, 'quota_exceeded');
  assert.equal((await rename('n'.repeat(500))).status, 200);
  assert.equal((await s3.admin.getAccount(holder.account)).stored_bytes, 0);
  assert.equal((await s3.admin.getAccount(holder.account)).counted_bytes, ROWS * 1024);
});

test('an account has ten thousand links and open uploads, and then makes room first', async () => {
  const { endpoint, holder, ann, api } = await startS3Alone({});
  await ann.upload('file', 'bytes');
  const rows = new DatabaseSync(join(api.config.dataDirectory, 'metadata.db'));
  const numbers = 'with recursive n (n) as (select 1 union all select n + 1 from n where n < 9999)';
  rows.exec(`insert into public_links (hash, account_id, bucket_id, key, created_at)
    ${numbers} select printf('%032x', n), account_id, default_bucket_id, cast('file' as blob), 0
    from accounts, n`);
  rows.exec(`insert into multipart_uploads (upload_id, account_id, bucket_id, key, content_type,
      storage_class, tier, origin, created_at, changed_at)
    ${numbers} select printf('%044d', n), account_id, default_bucket_id, cast('k' as blob), 't',
      'STANDARD', 'normal', 's3', 0, 0 from accounts, n`);
  rows.close();
  const makeLink = () => ann.call('POST /createPublicLink', { file_name: 'file' });
  assert.equal((await makeLink()).status, 200);
  assertRefused(await makeLink(), 409, 'too_many_links', { allowed: 10_000 });
  const deletion = { link_hash: '1'.padStart(32, '0') };
  assert.equal((await ann.call('POST /deletePublicLink', deletion)).status, 200);
  assert.equal((await makeLink()).status, 200);

  const route = `/${holder.bucket}/k`;
  const begin = () => deliver(endpoint, signed(holder, { route: `POST ${route}?uploads=` }));
  const begun = await begin();
  assert.equal(begun.status, 200);
  assertS3Error(await begin(), 400, 'InvalidRequest');
  const uploadId = factOf(begun, 'UploadId') ?? '';
  await deliver(endpoint, signed(holder, { route: `DELETE ${route}?uploadId=${uploadId}` }));
  assert.equal((await begin()).status, 200);
  const bob = await openAccount(api, 'bob');
  await bob.upload('other', 'bytes');
});
