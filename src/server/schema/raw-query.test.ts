/** Proves how a query is read: percent-escapes once, a plus as a space, nothing guessed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../../core/errors.ts';
import { assertWellFormedQuery, parseQuery } from './raw-query.ts';

test('fields are decoded once, in any order, with or without a value', () => {
  const rows: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['', {}],
    ['a=1&b=2', { a: '1', b: '2' }],
    ['a=b=c', { a: 'b=c' }],
    ['a', { a: '' }],
    ['&&a=1&', { a: '1' }],
    ['=x', { '': 'x' }],
    ['a%20b+c=%2B%2520', { 'a b c': '+%20' }],
    ['a=%F0%9F%90%88', { a: '🐈' }],
    ['constructor=1&toString=2', { constructor: '1', toString: '2' }],
  ];
  for (const [text, fields] of rows) {
    const query = parseQuery(text);
    assertWellFormedQuery(query);
    assert.deepEqual({ ...query }, fields);
  }
  const query = parseQuery('__proto__=x');
  assert.equal(Object.getPrototypeOf(query), null);
  assert.deepEqual(Object.entries(query), [['__proto__', 'x']]);
});

test('what is malformed or said twice is refused when it is used, and named', () => {
  for (const [text, field] of [
    ['a=%', 'a'],
    ['a=%f', 'a'],
    ['a=%ff', 'a'],
    ['a=%c3', 'a'],
    ['a=%ed%a0%80', 'a'],
    ['%ff=a', 'query'],
    ['a=1&a=1', 'a'],
    ['a&b=1&a', 'a'],
    ['a=1&%61=2', 'a'],
  ] as const) {
    const query = parseQuery(text);
    assert.throws(
      () => assertWellFormedQuery(query),
      (error) => isServiceError(error, 'invalid_field') && error.details['field'] === field,
      text,
    );
  }
});
