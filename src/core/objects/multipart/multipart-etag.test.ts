/** Proves that ETags of multipart objects are those that S3 makes, for every number of parts. */
import { strict as assert } from 'node:assert';
import { hash } from 'node:crypto';
import { test } from 'node:test';

import { etagOf } from '../../ids.ts';
import { PARTS_MAX } from '../../limits.ts';
import { multipartEtag } from './multipart-etag.ts';

/** Part n holds the digits of n. */
const PARTS = Array.from({ length: PARTS_MAX }, (_, index) => ({
  etag: etagOf(hash('md5', String(index + 1), 'hex')),
}));

/** Made by Python's hashlib. */
const GOLDEN = [
  [1, '46d1741e8075da4ac72c71d8130fcb71-1'],
  [2, '62be021ce84139205cdaf464abcd82ff-2'],
  [3, '78a31f6c0a4aef8ab2b9713cb9bd6c64-3'],
  [99, 'fd496d7ed208dbb0ebfc6dcf40a32803-99'],
  [1000, 'c4a977b814d0a84a44456c1d0a86b7b7-1000'],
  [9999, 'f88427ebbfdb296e4f8199008c4fd823-9999'],
  [10_000, '21b252c78af9ee82ae11b0a01a98ed6c-10000'],
] as const;

/** SHA-256 of the ETags of 1 to 10,000 parts, a line each; by the same. */
const GOLDEN_OF_ALL = 'ae2d24e359bccfc485a48af1cc780783de7e2de32c70c65ae60821b2a516cd37';

test('ETags are the MD5 of MD5s with the number of parts', () => {
  for (const [count, etag] of GOLDEN) assert.equal(multipartEtag(PARTS.slice(0, count)), etag);
});

test('all ETags of 1 to 10,000 parts are those of another implementation', () => {
  const etags = PARTS.map((_, index) => multipartEtag(PARTS.slice(0, index + 1)));
  assert.equal(hash('sha256', etags.join('\n'), 'hex'), GOLDEN_OF_ALL);
});
