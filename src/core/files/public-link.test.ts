/** Proves which texts name a link: those made today and those made before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../errors.ts';
import { parseLinkHash } from './public-link.ts';

test('a link is named by 32 hex digits, an older one by 22 characters of base64url', () => {
  for (const text of ['5e8d7c3a1f4b4a6e9c2d7b8a9f0e1d2c', '-k1vQ0x4c3R1dnd4eXoxM_']) {
    assert.equal(parseLinkHash(text), text);
  }
  for (const text of ['', 'x', 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(23), 'g'.repeat(32)]) {
    assert.throws(
      () => parseLinkHash(text),
      (error) => isServiceError(error, 'link_not_found'),
    );
  }
});
