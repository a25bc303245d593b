/** Proves who may keep an answer with bytes, and for how long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TimeMs } from '../../core/ids.ts';
import { type Caching, cachingHeaders } from './caching.ts';

const NOW = 1_800_000_000_000 as TimeMs;
const DATE = 'Fri, 15 Jan 2027 09:00:00 GMT';
const OWNER: Caching = { kind: 'owner' };
const LINK: Caching = { kind: 'link', hasPassword: false, expiresAt: undefined };
const endingIn = (ms: number): Caching => ({
  kind: 'link',
  hasPassword: false,
  expiresAt: (NOW + ms) as TimeMs,
});

const wordsOf = (caching: Caching, stored?: string) =>
  cachingHeaders(caching, stored === undefined ? {} : { 'cache-control': stored }, NOW)[
    'cache-control'
  ];

test('one reader keeps what was stored for all, without what speaks to shared caches', () => {
  for (const caching of [OWNER, LINK]) {
    for (const [stored, words] of [
      [undefined, 'private, no-cache'],
      ['', 'private, no-cache'],
      ['public', 'private, no-cache'],
      ['max-age=60', 'private, max-age=60'],
      ['public, max-age=60, s-maxage=600', 'private, max-age=60'],
      ['PUBLIC, Max-Age="60" , IMMUTABLE', 'private, max-age=60, immutable'],
      ['no-store', 'private, no-store'],
      ['no-cache="set-cookie"', 'private, no-cache'],
      [
        'max-age=60, must-revalidate, no-transform',
        'private, max-age=60, must-revalidate, no-transform',
      ],
      ['max-age=60, stale-while-revalidate=86400', 'private, max-age=60'],
      ['max-age=-1', 'private, no-cache'],
      ['max-age=1e9', 'private, no-cache'],
      ['max-age', 'private, no-cache'],
      ['a b, =, "', 'private, no-cache'],
    ] as const) {
      assert.equal(wordsOf(caching, stored), words, String(stored));
    }
  }
});

test('no copy outlives its link', () => {
  for (const [ms, stored, words] of [
    [30_999, 'public, max-age=60', 'private, max-age=30, must-revalidate'],
    [999, 'max-age=60, immutable', 'private, max-age=0, immutable, must-revalidate'],
    [-5, 'max-age=60', 'private, max-age=0, must-revalidate'],
    [90_000, 'max-age=60, must-revalidate', 'private, max-age=60, must-revalidate'],
    [90_000, undefined, 'private, no-cache, must-revalidate'],
  ] as const) {
    assert.equal(wordsOf(endingIn(ms), stored), words);
  }
});

test('what a password guards is kept by nobody', () => {
  const caching = { kind: 'link', hasPassword: true, expiresAt: undefined } as const;
  assert.equal(wordsOf(caching, 'public, max-age=60'), 'private, no-store');
});

test('a stored date holds for one reader, unless the link may end before it', () => {
  const stored = { expires: DATE };
  for (const caching of [OWNER, LINK]) {
    const headers = { 'cache-control': 'private', expires: DATE };
    assert.deepEqual(cachingHeaders(caching, stored, NOW), headers);
  }
  assert.deepEqual(cachingHeaders(endingIn(1000), stored, NOW), {
    'cache-control': 'private, no-cache, must-revalidate',
  });
});

test('a deterministic URL is public for five minutes, whatever was stored', () => {
  const stored = { 'cache-control': 'private, no-store', expires: DATE };
  assert.deepEqual(cachingHeaders({ kind: 'url' }, stored, NOW), {
    'cache-control': 'public, max-age=300',
  });
});
