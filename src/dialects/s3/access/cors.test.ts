/** Proves which CORS rule answers a page, and what the answer then says. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CorsRule } from '../../../core/objects/buckets/cors-rules.ts';
import { CHECKSUM_ALGORITHMS } from '../../../kit/checksums/checksum-algorithms.ts';
import { allowingHeaders, findCorsRule } from './cors.ts';

const rule = (change: Partial<CorsRule>): CorsRule => ({
  allowedOrigins: ['*'],
  allowedMethods: ['GET'],
  allowedHeaders: [],
  exposeHeaders: [],
  ...change,
});
const asked = { origin: 'https://a.example', method: 'GET', headers: [] };

function isAllowed(change: Partial<CorsRule>, request: Partial<typeof asked>): boolean {
  return findCorsRule([rule(change)], { ...asked, ...request }) !== undefined;
}

test('an origin fits as it stands, or with anything in place of the one star', () => {
  const origins: readonly (readonly [pattern: string, origin: string, fits: boolean])[] = [
    ['https://a.example', 'https://a.example', true],
    ['https://a.example', 'https://A.example', false],
    ['https://a.example', 'https://a.example.org', false],
    ['*', 'null', true],
    ['https://*.example', 'https://b.a.example', true],
    ['https://*.example', 'https://.example', true],
    ['https://*.example', 'http://a.example', false],
    ['https://a.*', 'https://a.', true],
    ['*suffix', 'suffix', true],
    ['*suffix', 'suffix.get', false],
    ['start*end', 'startend', true],
    ['star*tend', 'startend', true],
    ['start*tend', 'startend', false],
    ['a.b', 'axb', false],
  ];
  for (const [pattern, origin, fits] of origins) {
    assert.equal(isAllowed({ allowedOrigins: ['x', pattern] }, { origin }), fits, pattern + origin);
  }
});

test('methods fit by letter, headers in any case and all of them', () => {
  assert.equal(isAllowed({ allowedMethods: ['GET', 'PUT'] }, { method: 'PUT' }), true);
  assert.equal(isAllowed({}, { method: 'get' }), false);
  assert.equal(isAllowed({}, { method: 'HEAD' }), false);
  const allowedHeaders = ['X-Amz-*', 'content-type'];
  const fits = (...headers: readonly string[]) =>
    findCorsRule([rule({ allowedHeaders })], { ...asked, headers }) !== undefined;
  assert.equal(fits(), true);
  assert.equal(fits('x-amz-date', 'Content-Type'), true);
  assert.equal(fits('x-amz-date', 'authorization'), false);
  assert.equal(findCorsRule([rule({})], { ...asked, headers: ['x-a'] }), undefined);
});

test('the first rule that fits answers, and rules are never put together', () => {
  const first = rule({ id: 'first', allowedMethods: ['PUT'] });
  const second = rule({ id: 'second', allowedOrigins: [asked.origin] });
  const third = rule({ id: 'third' });
  assert.equal(findCorsRule([first, second, third], asked)?.id, 'second');
  const apart = [rule({ allowedOrigins: ['x'] }), rule({ allowedMethods: ['PUT'] })];
  assert.equal(findCorsRule(apart, asked), undefined);
  assert.equal(findCorsRule([], asked), undefined);
});

test('the answer names the origin, or a star where every origin is allowed', () => {
  const named = rule({ allowedOrigins: ['https://*'], exposeHeaders: ['ETag', 'X-Own'] });
  assert.deepEqual(allowingHeaders(named, asked), {
    'access-control-allow-origin': asked.origin,
    'access-control-allow-methods': 'GET',
    'access-control-expose-headers': 'ETag, X-Own',
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  });
  const anyone = rule({ allowedMethods: ['GET', 'PUT'], maxAgeSeconds: 0, exposeHeaders: ['A'] });
  assert.deepEqual(allowingHeaders(anyone, { ...asked, headers: ['a', 'B'] }), {
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'a, B',
    'access-control-expose-headers': 'A',
    'access-control-max-age': '0',
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  });
});

test('patterns of exposed headers are written out, each name once', () => {
  const exposed = (...exposeHeaders: readonly string[]) =>
    allowingHeaders(rule({ exposeHeaders }), asked)['access-control-expose-headers'];
  const checksums = CHECKSUM_ALGORITHMS.map((name) => name.toLowerCase());
  const names = checksums.map((name) => `x-amz-checksum-${name}`).join(', ');
  assert.equal(exposed('X-Amz-Checksum-*'), `${names}, x-amz-checksum-type`);
  assert.equal(exposed('ETag', 'et*'), 'ETag');
  assert.match(
    String(exposed()),
    /^ETag, x-amz-.*, Content-Length, Accept-Ranges, Content-Disposition, /,
  );
});
