/** Proves that HTTP's three forms of a date are read, and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHttpDate } from './http-date.ts';

const AT = Date.UTC(1994, 10, 6, 8, 49, 37);

test('the three forms of a date are read to the second', () => {
  for (const text of [
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    ' Sun, 06 Nov 1994 08:49:37 GMT ',
  ]) {
    assert.equal(parseHttpDate(text), AT, text);
  }
  assert.equal(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1));
  const now = Math.floor(Date.now() / 1000) * 1000;
  assert.equal(parseHttpDate(new Date(now).toUTCString()), now);
});

test('what is no date of HTTP is none, though Date.parse reads it', () => {
  for (const text of [
    ...['', '0', '5', 'garbage 5', '2026-01-01', '2026-01-01T00:00:00Z', '1 Jan 2026'],
    ...['Sun, 06 Nov 1994 08:49:37 UTC', 'Sun, 06 Nov 1994 08:49:37 +0000'],
    ...['Sun, 6 Nov 1994 08:49:37 GMT', 'Sun, 06 nov 1994 08:49:37 GMT'],
    ...['Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT'],
    ...['Sun, 06 Nov 1994 24:00:00 GMT', 'Sun, 06 Nov 1994 08:60:00 GMT'],
    ...['Sun, 06 Nov 1994 08:49:61 GMT', 'Sun, 00 Nov 1994 08:49:37 GMT'],
  ]) {
    assert.equal(parseHttpDate(text), undefined, text);
  }
});
