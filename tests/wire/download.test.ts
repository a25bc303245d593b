/**
 * Proves the owner's downloads: headers, conditions, ranges, HEAD, base64, and what damage does.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { assertRefused, exchange, parseAnswer } from './http-client.ts';
import { openAccount, startServer } from './service.ts';

const server = await startServer();
const ann = await openAccount(server, 'ann');
const DIGITS = '0123456789';
const ROUTE = '/download-stream?file_name=digits.txt';
let etag = '';
let modified = '';

before(async () => {
  await ann.upload('digits.txt', DIGITS);
  await ann.upload('empty.txt', '');
  const { headers } = await ann.call(`HEAD ${ROUTE}`);
  etag = String(headers.etag);
  modified = String(headers['last-modified']);
});

test('a download has the headers of its file, HEAD has them without the bytes', async () => {
  const got = await ann.call(`GET ${ROUTE}`);
  const head = await ann.call(`HEAD ${ROUTE}`);
  assert.deepEqual([got.status, got.text], [200, DIGITS]);
  assert.deepEqual([head.status, head.text], [200, '']);
  for (const { headers } of [got, head]) {
    assert.equal(headers['content-type'], 'text/plain');
    assert.equal(headers['content-length'], '10');
    assert.match(String(headers.etag), /^"[0-9a-f]{32}"$/);
    assert(Math.abs(Date.parse(String(headers['last-modified'])) - Date.now()) < 60_000);
    assert.equal(headers['accept-ranges'], 'bytes');
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox");
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.match(String(headers['x-request-id']), /^[0-9A-F]{16}$/);
  }
});

test('only types that cannot run are shown in place; a name cannot break out of its header', async () => {
  for (const [type, shown] of [
    ['image/png', 'inline'],
    ['IMAGE/PNG; a=b', 'inline'],
    ['video/mp4', 'inline'],
    ['application/pdf', 'inline'],
    ['text/plain; charset=utf-8', 'inline'],
    ['image/svg+xml', 'attachment'],
    ['text/html', 'attachment'],
    ['text/html; x=image/png', 'attachment'],
    ['application/xhtml+xml', 'attachment'],
    ['garbage', 'attachment'],
  ] as const) {
    await ann.upload('a/shown', 'x', type);
    const { headers } = await ann.call('HEAD /download-stream?file_name=a/shown');
    assert.equal(
      headers['content-disposition'],
      `${shown}; filename="shown"; filename*=UTF-8''shown`,
      type,
    );
  }
  const name = 'dir/"quoted"\r\nx: y é🐈\\.txt';
  await ann.upload(name, 'x');
  const { headers } = await ann.call(`GET /download-stream?file_name=${encodeURIComponent(name)}`);
  assert.equal(
    headers['content-disposition'],
    `inline; filename="_quoted___x: y ____.txt"; filename*=UTF-8''_quoted___x%3A%20y%20%C3%A9%F0%9F%90%88_.txt`,
  );
  assert.equal(headers['x'], undefined);
});

test('a range answers 206 with its part, or 416 with the size, for GET and HEAD alike', async () => {
  for (const [range, part, said] of [
    ['bytes=0-0', '0', 'bytes 0-0/10'],
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=7-999999999999999999', '789', 'bytes 7-9/10'],
    ['bytes=-3', '789', 'bytes 7-9/10'],
    ['bytes=-99', DIGITS, 'bytes 0-9/10'],
  ] as const) {
    const got = await ann.call(`GET ${ROUTE}`, undefined, { range });
    assert.deepEqual([got.status, got.text, got.headers['content-range']], [206, part, said]);
    assert.equal(got.headers['content-length'], String(part.length));
    const head = await ann.call(`HEAD ${ROUTE}`, undefined, { range });
    assert.deepEqual([head.status, head.text, head.headers['content-range']], [206, '', said]);
    assert.equal(head.headers['content-length'], String(part.length));
  }
  for (const range of ['bytes=10-', 'bytes=99-100', 'bytes=-0']) {
    const got = await ann.call(`GET ${ROUTE}`, undefined, { range });
    assertRefused(got, 416, 'range_not_satisfiable');
    assert.equal(got.headers['content-range'], 'bytes */10');
    const head = await ann.call(`HEAD ${ROUTE}`, undefined, { range });
    assert.deepEqual(
      [head.status, head.text, head.headers['content-range']],
      [416, '', 'bytes */10'],
    );
  }
  for (const range of ['bytes=4-2', 'bytes=0-1,3-4', 'lines=1-2', 'bytes=', 'bytes=-', 'x', '']) {
    const got = await ann.call(`GET ${ROUTE}`, undefined, { range });
    assert.deepEqual([got.status, got.text], [200, DIGITS], range);
  }
  const empty = await ann.call('GET /download-stream?file_name=empty.txt', undefined, {
    range: 'bytes=0-',
  });
  assertRefused(empty, 416, 'range_not_satisfiable');
});

test('a range holds only for the version that If-Range names', async () => {
  const get = (ifRange: string) =>
    ann.call(`GET ${ROUTE}`, undefined, { range: 'bytes=2-4', 'if-range': ifRange });
  for (const good of [etag, modified]) {
    const got = await get(good);
    assert.deepEqual([got.status, got.text], [206, '234'], good);
  }
  for (const other of ['"other"', `W/${etag}`, 'Thu, 01 Jan 1970 00:00:00 GMT', 'x']) {
    const got = await get(other);
    assert.deepEqual([got.status, got.text], [200, DIGITS], other);
  }
});

test('conditions answer 304 without a body, or 412', async () => {
  const past = 'Thu, 01 Jan 1970 00:00:00 GMT';
  for (const [headers, status] of [
    [{ 'if-none-match': etag }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': `"x", W/${etag}` }, 304],
    [{ 'if-none-match': '"x"' }, 200],
    [{ 'if-modified-since': modified }, 304],
    [{ 'if-modified-since': past }, 200],
    [{ 'if-modified-since': 'never' }, 200],
    [{ 'if-none-match': '"x"', 'if-modified-since': modified }, 200],
    [{ 'if-match': etag }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': '"x"' }, 412],
    [{ 'if-unmodified-since': past }, 412],
    [{ 'if-unmodified-since': modified }, 200],
    [{ 'if-match': etag, 'if-unmodified-since': past }, 200],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const got = await ann.call(`${method} ${ROUTE}`, undefined, headers);
      assert.equal(got.status, status, `${method} ${JSON.stringify(headers)}`);
      if (status === 304) {
        assert.equal(got.text, '');
        assert.equal(got.headers.etag, etag);
        assert.equal(got.headers['last-modified'], modified);
        assert.equal(got.headers['cache-control'], 'private, no-cache');
      }
      if (status === 412 && method === 'GET') assertRefused(got, 412, 'precondition_failed');
    }
  }
});

test('the base64 text of a download decodes to the bytes, whatever their number', async () => {
  for (const size of [0, 1, 2, 3, 4, 65_535, 65_536, 65_537, 1_500_001]) {
    const bytes = randomBytes(size);
    await ann.upload('b.bin', bytes);
    const got = await ann.call('GET /download?file_name=b.bin');
    assert.equal(got.status, 200);
    assert.equal(got.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(got.headers['content-length'], String(got.bytes.length));
    assert.match(got.text, /^[A-Za-z0-9+/]*={0,2}$/);
    assert(Buffer.from(got.text, 'base64').equals(bytes));
    const head = await ann.call('HEAD /download?file_name=b.bin');
    assert.deepEqual([head.status, head.text], [200, '']);
    assert.equal(head.headers['content-length'], String(got.bytes.length));
  }
  const { etag: tag = '' } = (await ann.call('HEAD /download?file_name=b.bin')).headers;
  const fresh = await ann.call('GET /download?file_name=b.bin', undefined, {
    'if-none-match': tag,
  });
  assert.equal(fresh.status, 304);
  assertRefused(await ann.call('GET /download?file_name=absent'), 404, 'not_found');
});

test('a name that is none or has no file is refused, and HEAD of it has no body', async () => {
  for (const route of ['/download-stream', '/download']) {
    assertRefused(await ann.call(`GET ${route}?file_name=absent`), 404, 'not_found');
    assertRefused(await ann.call(`GET ${route}?file_name=a%00b`), 400, 'invalid_file_name');
    assertRefused(await ann.call(`GET ${route}?file_name=`), 400, 'invalid_file_name');
    const query = 'file_name=digits.txt&file_name=digits.txt';
    assertRefused(await ann.call(`GET ${route}?${query}`), 400, 'invalid_field', {
      field: 'file_name',
    });
    assertRefused(await ann.call(`GET ${route}`), 400, 'invalid_field', { field: 'file_name' });
    const head = await ann.call(`HEAD ${route}?file_name=absent`);
    assert.deepEqual([head.status, head.text], [404, '']);
  }
});

test('a HEAD leaves the connection where the next answer begins', async () => {
  const head = `host: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
  const text = await exchange(
    server.url,
    `HEAD ${ROUTE} HTTP/1.1\r\n${head}\r\n`,
    `HEAD /download-stream?file_name=absent HTTP/1.1\r\n${head}\r\n`,
    `HEAD /nowhere HTTP/1.1\r\n${head}\r\n`,
    `HEAD /download?file_name=digits.txt HTTP/1.1\r\n${head}\r\n`,
    `HEAD /files HTTP/1.1\r\n${head}\r\n`,
    `GET ${ROUTE} HTTP/1.1\r\n${head}connection: close\r\n\r\n`,
  );
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
  assert.deepEqual(statuses, ['200', '404', '404', '200', '200', '200']);
  assert(text.endsWith(`\r\n\r\n${DIGITS}`));
  assert.equal(text.split(DIGITS).length, 2);
  assert.equal(text.includes('{'), false);
});

test('pipelined requests are answered in their order', async () => {
  const head = `host: x\r\nauthorization: ${ann.headers.authorization}\r\n`;
  const requests = Array.from(DIGITS, (_, index) => {
    const last = index === 9 ? 'connection: close\r\n' : '';
    return `GET ${ROUTE} HTTP/1.1\r\n${head}range: bytes=${index}-${index}\r\n${last}\r\n`;
  });
  const text = await exchange(server.url, requests.join(''));
  const bodies = text.split(/HTTP\/1\.1 206[\s\S]*?\r\n\r\n/).slice(1);
  assert.deepEqual(bodies, [...DIGITS]);
});

test('a damaged small file is a 500 without its bytes, a damaged large one a cut connection', async () => {
  const small = randomBytes(20_000);
  const large = randomBytes(3_000_000);
  await ann.upload('small.bin', small);
  await ann.upload('large.bin', large);
  await damage(small);
  await damage(large.subarray(2_000_000, 2_000_100));
  for (const route of ['/download-stream', '/download']) {
    const answer = await ann.call(`GET ${route}?file_name=small.bin`);
    assertRefused(answer, 500, 'internal');
    assert.equal(answer.headers['cache-control'], 'no-store');
    await assert.rejects(ann.call(`GET ${route}?file_name=large.bin`), /aborted|socket hang up/);
  }
  const head = `host: x\r\nauthorization: ${ann.headers.authorization}\r\nconnection: close\r\n`;
  const text = await exchange(
    server.url,
    `GET /download-stream?file_name=large.bin HTTP/1.1\r\n${head}\r\n`,
  );
  const cut = parseAnswer(text);
  assert.equal(cut.status, 200);
  assert(cut.bytes.length <= 2_000_000);
  assert(cut.bytes.equals(large.subarray(0, cut.bytes.length)), 'what came was good');
  const good = await ann.call('GET /download-stream?file_name=large.bin', undefined, {
    range: 'bytes=0-999999',
  });
  assert(good.bytes.equals(large.subarray(0, 1_000_000)));
  assert(server.lines.some((line) => line.includes('a download was cut')));
});

/** Changes one byte on the disk in the middle of where `bytes` are kept. */
async function damage(bytes: Buffer): Promise<void> {
  const directory = server.config.blobs.directory;
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path);
    const at = content.indexOf(bytes);
    if (at < 0) continue;
    const middle = at + Math.floor(bytes.length / 2);
    content[middle] = (content[middle] ?? 0) ^ 1;
    await writeFile(path, content);
    return;
  }
  assert.fail('the bytes are nowhere on the disk');
}
