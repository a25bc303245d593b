/** Proves what each kind of row counts beside its bytes: nothing is free, nothing counts twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BucketId } from '../../ids.ts';
import { keyOf, sampleVersion } from '../../ports/metadata/contract/samples.ts';
import { footprintChange, partFootprint, uploadFootprint, versionFootprint } from './footprint.ts';

const BUCKET = 1 as BucketId;
const countedOf = (key: string, change: Parameters<typeof sampleVersion>[2] = {}) =>
  versionFootprint(sampleVersion(BUCKET, key, { sizeBytes: 0, ...change })).countedBytes;

test('a row counts 1,024, and of what describes it what exceeds them', () => {
  assert.equal(countedOf('k'), 1024);
  // With `text/plain` 1,024 octets are full.
  assert.equal(countedOf('k'.repeat(1014)), 1024);
  assert.equal(countedOf('k'.repeat(1015)), 1025);
  assert.equal(countedOf('ä'.repeat(507)), 1024);
  assert.equal(countedOf('ä'.repeat(508)), 1026);
  const text = 'x'.repeat(2000);
  const record = { n: text };
  const recordBytes = JSON.stringify(record).length;
  for (const field of ['headers', 'userMetadata', 'tags'] as const) {
    assert.equal(countedOf('k', { [field]: record }), 1 + 'text/plain'.length + recordBytes, field);
  }
  assert.equal(countedOf('k', { contentType: text }), 1 + 2000);
});

test('bytes come on top, of versions and parts; an open upload has none', () => {
  const version = sampleVersion(BUCKET, 'k', { sizeBytes: 5 * 1024 ** 4 });
  assert.deepEqual(versionFootprint(version), {
    storedBytes: 5 * 1024 ** 4,
    countedBytes: 5 * 1024 ** 4 + 1024,
  });
  assert.deepEqual(partFootprint({ sizeBytes: 7 }), { storedBytes: 7, countedBytes: 1031 });
  const upload = { key: keyOf('k'), description: version };
  assert.deepEqual(uploadFootprint(upload), { storedBytes: 0, countedBytes: 1024 });
});

const record = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }));
const versions = fc
  .record({
    sizeBytes: fc.nat({ max: 2 ** 50 }),
    contentType: fc.string(),
    headers: record,
    userMetadata: record,
    tags: record,
  })
  .map((change) => sampleVersion(BUCKET, 'k', change));

test('whatever describes a row, it counts, and counts no more than its columns hold', () => {
  fc.assert(
    fc.property(versions, versions, (version, other) => {
      const { storedBytes, countedBytes } = versionFootprint(version);
      assert.equal(storedBytes, version.sizeBytes);
      const { headers, userMetadata, tags, contentType } = version;
      const columns = Buffer.from(JSON.stringify({ headers, userMetadata, tags, contentType }));
      assert(countedBytes >= storedBytes + 1024);
      assert(countedBytes <= storedBytes + 1024 + columns.length);
      // A description that grows never counts less, and what comes and goes leaves nothing.
      const grown = { ...version, userMetadata: { ...userMetadata, 'grown-by': 'x' } };
      if ('grown-by' in userMetadata) return;
      assert(versionFootprint(grown).countedBytes >= countedBytes);
      const both = [version, other].map(versionFootprint);
      assert.deepEqual(
        footprintChange({ added: both, removed: [...both.toReversed(), undefined] }),
        {
          storedBytes: 0,
          countedBytes: 0,
        },
      );
    }),
  );
});
