/** Proves how conditions decide, in the order of RFC 9110 section 13.2.2. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../../errors.ts';
import type { Etag, TimeMs } from '../../ids.ts';
import {
  checkReadConditions,
  checkWriteConditions,
  hasConditions,
  isRangeCurrent,
  parseEtagCondition,
  type ReadConditions,
} from './condition.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678) as TimeMs;
const SAME_SECOND = Date.UTC(2026, 0, 2, 3, 4, 5) as TimeMs;
const facts = { etag: 'abc' as Etag, createdAt: AT };

const later = (ms: number) => (SAME_SECOND + ms) as TimeMs;

function read(conditions: ReadConditions): string {
  try {
    return checkReadConditions(conditions, facts);
  } catch (error) {
    assert(isServiceError(error, 'precondition_failed'));
    return `failed ${error.details['condition']}`;
  }
}

test('each condition alone decides as its name says, dates by whole seconds', () => {
  assert.equal(read({}), 'send');
  assert.equal(read({ ifMatch: ['x', 'abc'] }), 'send');
  assert.equal(read({ ifMatch: '*' }), 'send');
  assert.equal(read({ ifMatch: ['x'] }), 'failed If-Match');
  assert.equal(read({ ifMatch: [] }), 'failed If-Match');
  assert.equal(read({ ifNoneMatch: ['abc'] }), 'fresh');
  assert.equal(read({ ifNoneMatch: '*' }), 'fresh');
  assert.equal(read({ ifNoneMatch: ['x'] }), 'send');
  assert.equal(read({ ifModifiedSince: SAME_SECOND }), 'fresh');
  assert.equal(read({ ifModifiedSince: later(-1000) }), 'send');
  assert.equal(read({ ifUnmodifiedSince: SAME_SECOND }), 'send');
  assert.equal(read({ ifUnmodifiedSince: later(-1) }), 'failed If-Unmodified-Since');
});

test('an ETag makes the date beside it irrelevant, and a failure goes before a fresh copy', () => {
  const past = later(-60_000);
  assert.equal(read({ ifMatch: ['abc'], ifUnmodifiedSince: past }), 'send');
  assert.equal(read({ ifNoneMatch: ['x'], ifModifiedSince: later(60_000) }), 'send');
  assert.equal(read({ ifNoneMatch: ['abc'], ifModifiedSince: past }), 'fresh');
  assert.equal(read({ ifMatch: ['x'], ifNoneMatch: ['abc'] }), 'failed If-Match');
  assert.equal(
    read({ ifUnmodifiedSince: past, ifNoneMatch: ['abc'] }),
    'failed If-Unmodified-Since',
  );
});

test('a write is held back by what stands, or by nothing standing', () => {
  const refused = (code: 'precondition_failed' | 'object_not_found') => (error: unknown) =>
    isServiceError(error, code);
  checkWriteConditions({}, undefined);
  checkWriteConditions({ ifNoneMatch: '*' }, undefined);
  checkWriteConditions({ ifMatch: ['abc'] }, facts);
  checkWriteConditions({ ifNoneMatch: ['x'] }, facts);
  for (const [conditions, current, code] of [
    [{ ifNoneMatch: '*' }, facts, 'precondition_failed'],
    [{ ifNoneMatch: ['x', 'abc'] }, facts, 'precondition_failed'],
    [{ ifMatch: ['x'] }, facts, 'precondition_failed'],
    [{ ifMatch: ['abc'] }, undefined, 'object_not_found'],
    [{ ifMatch: '*' }, undefined, 'object_not_found'],
  ] as const) {
    assert.throws(() => checkWriteConditions(conditions, current), refused(code));
  }
  assert.equal(hasConditions({}), false);
  assert.equal(hasConditions({ ifMatch: '*' }), true);
  assert.equal(hasConditions({ ifNoneMatch: [] }), true);
});

test('ETags are read with quotes or without, weak or strong, in lists', () => {
  for (const [text, condition] of [
    [undefined, undefined],
    ['', undefined],
    ['  ', undefined],
    ['*', '*'],
    [' * ', '*'],
    ['"abc"', ['abc']],
    ['abc', ['abc']],
    ['W/"abc"', ['abc']],
    ['"a", W/"b" ,c', ['a', 'b', 'c']],
    [',,', []],
  ] as const) {
    assert.deepEqual(parseEtagCondition(text), condition);
  }
});

test('a range means this version by the same strong ETag or exactly its date', () => {
  const date = new Date(SAME_SECOND).toUTCString();
  for (const [text, isCurrent] of [
    [undefined, true],
    ['"abc"', true],
    [' "abc" ', true],
    [date, true],
    ['abc', false],
    ['W/"abc"', false],
    ['"abc', false],
    ['*', false],
    ['', false],
    [new Date(later(1000)).toUTCString(), false],
  ] as const) {
    assert.equal(isRangeCurrent(text, facts), isCurrent, String(text));
  }
});
