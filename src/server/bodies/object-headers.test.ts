/** Proves what an object's headers say, what they never let a browser do, and names in them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BucketId, TimeMs } from '../../core/ids.ts';
import type { ObjectVersion } from '../../core/objects/object.ts';
import { sampleVersion } from '../../core/ports/metadata/contract/samples.ts';
import { contentRange, fileNameField, objectHeaders } from './object-headers.ts';

const NOW = 1_800_000_000_000 as TimeMs;

function headersOf(change: Partial<ObjectVersion>) {
  const object = { ...sampleVersion(1 as BucketId, 'dir/a.txt', change), content: [] };
  return objectHeaders(object, { caching: { kind: 'owner' }, now: NOW, fileName: object.key });
}

test('stored headers are given back, and those that guard the reader cannot be stored away', () => {
  const headers = headersOf({
    createdAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678) as TimeMs,
    headers: {
      'content-encoding': 'gzip',
      'content-language': 'de',
      'cache-control': 'max-age=5',
      expires: 'never',
      'x-content-type-options': 'sniff',
      'content-security-policy': 'default-src *',
      etag: 'mine',
    },
  });
  assert.deepEqual(headers, {
    'content-encoding': 'gzip',
    'content-language': 'de',
    'cache-control': 'private, max-age=5',
    expires: 'never',
    'content-type': 'text/plain',
    etag: '"d41d8cd98f00b204e9800998ecf8427e"',
    'last-modified': 'Fri, 02 Jan 2026 03:04:05 GMT',
    'accept-ranges': 'bytes',
    'content-disposition': `inline; filename="a.txt"; filename*=UTF-8''a.txt`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox",
  });
});

test('a stored disposition is kept unless it shows in place what could run there', () => {
  const dispositionOf = (contentType: string, stored: string) =>
    headersOf({ contentType, headers: { 'content-disposition': stored } })['content-disposition'];
  const mine = 'attachment; filename="mine"';
  assert.equal(dispositionOf('text/html', mine), mine);
  assert.equal(dispositionOf('image/png', 'inline; filename="x"'), 'inline; filename="x"');
  for (const stored of ['inline', 'INLINE; filename="x.html"', 'x', 'attachments', '', ' inline']) {
    assert.match(String(dispositionOf('text/html', stored)), /^attachment; filename="a.txt"/);
  }
});

test('a file name in a header is one plain word for old readers and the whole name for new ones', () => {
  for (const [name, field] of [
    ['a.txt', `filename="a.txt"; filename*=UTF-8''a.txt`],
    ['dir/b c.txt', `filename="b c.txt"; filename*=UTF-8''b%20c.txt`],
    ['dir/', `filename="dir"; filename*=UTF-8''dir`],
    ['//', `filename="file"; filename*=UTF-8''file`],
    ['a"b\\c', `filename="a_b_c"; filename*=UTF-8''a_b_c`],
    ['a\r\nb\x7f', `filename="a__b_"; filename*=UTF-8''a__b_`],
    ["é'(*)", `filename="_'(*)"; filename*=UTF-8''%C3%A9%27%28%2A%29`],
    ['🐈', `filename="__"; filename*=UTF-8''%F0%9F%90%88`],
  ] as const) {
    assert.equal(fileNameField(name), field);
  }
});

test('a content range names first, last and size', () => {
  assert.equal(contentRange({ start: 2, end: 5 }, 10), 'bytes 2-4/10');
});
