/** Proves what text is hashed for a password, and up to what length. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD_BYTES_MAX } from '../../limits.ts';
import { foldPassword } from './password.ts';

test('a password of up to 1024 bytes is tried, and a longer or broken one is none', () => {
  for (const text of ['', 'x'.repeat(PASSWORD_BYTES_MAX), 'ä'.repeat(PASSWORD_BYTES_MAX / 2)]) {
    assert.equal(foldPassword(text), text);
  }
  for (const text of [
    'x'.repeat(PASSWORD_BYTES_MAX + 1),
    'ä'.repeat(PASSWORD_BYTES_MAX / 2 + 1),
    // Shorter once it is folded, and yet it costs nothing to fold.
    'u\u0308\u0304'.repeat(PASSWORD_BYTES_MAX / 3 + 1),
    'u\u0308\u0304'.repeat(100_000),
    '\ud800',
  ]) {
    assert.equal(foldPassword(text), undefined);
  }
});

test('letters are composed before they are counted', () => {
  assert.equal(foldPassword('u\u0308\u0304'), '\u01d6');
});
