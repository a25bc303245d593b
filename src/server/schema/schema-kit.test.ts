/**
 * Proves how requests are checked: bodies as they are, queries as texts, and refusals that name the
 * field.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TSchema, Type } from 'typebox';
import { isServiceError } from '../../core/errors.ts';
import { parseQuery } from './raw-query.ts';
import { compileSchema } from './schema-kit.ts';

type Part = 'body' | 'querystring';

/** The value that passed, or the field that did not. */
function check(schema: TSchema, httpPart: Part, value: unknown): unknown {
  const validate = compileSchema({ schema, httpPart, method: 'GET', url: '/' });
  let result: unknown;
  try {
    result = validate(value);
  } catch (error) {
    result = { error };
  }
  assert(typeof result === 'object' && result !== null);
  if (!('error' in result)) return 'value' in result ? result.value : undefined;
  const { error } = result;
  assert(isServiceError(error, 'invalid_field'), String(error));
  return `refused ${error.details['field']}`;
}

const Body = Type.Object({
  name: Type.String(),
  count: Type.Optional(Type.Integer({ minimum: 1 })),
  inner: Type.Optional(Type.Object({ flag: Type.Boolean() })),
});

test('a body is taken as it is, with unknown fields, and a wrong type is refused by name', () => {
  for (const [value, outcome] of [
    [{ name: 'a' }, { name: 'a' }],
    [
      { name: 'a', more: [1] },
      { name: 'a', more: [1] },
    ],
    [undefined, 'refused name'],
    [null, 'refused name'],
    [{}, 'refused name'],
    [{ name: 7 }, 'refused name'],
    [{ name: 'a', count: '1' }, 'refused count'],
    [{ name: 'a', count: 0 }, 'refused count'],
    [{ name: 'a', count: 1.5 }, 'refused count'],
    [{ name: 'a', inner: {} }, 'refused inner.flag'],
    [{ name: 'a', inner: { flag: 'true' } }, 'refused inner.flag'],
    [[], 'refused the body'],
    ['text', 'refused the body'],
  ] as const) {
    assert.deepEqual(check(Body, 'body', value), outcome, JSON.stringify(value));
  }
});

test('a value that is none of those allowed is told which are', () => {
  const schema = Type.Object({
    tier: Type.Optional(Type.Enum(['normal', 'ultra'])),
    urls: Type.Optional(Type.Union([Type.Literal('files'), Type.Literal('off')])),
    only: Type.Optional(Type.Literal('base64')),
  });
  const validate = compileSchema({ schema, httpPart: 'body', method: 'POST', url: '/' });
  const words = (value: unknown) => {
    const result = validate(value);
    assert(typeof result === 'object' && result !== null && 'error' in result);
    return result.error instanceof Error ? result.error.message : undefined;
  };
  assert.equal(words({ tier: 'x' }), 'tier must be one of: normal, ultra.');
  assert.equal(words({ urls: 'x' }), 'urls must be one of: files, off.');
  assert.equal(words({ only: 'x' }), 'only must be one of: base64.');
});

const Query = Type.Object({
  text: Type.Optional(Type.String()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10 })),
  flag: Type.Optional(Type.Boolean()),
});

test('numbers and booleans are read out of a query strictly, texts stay texts', () => {
  for (const [query, outcome] of [
    ['', {}],
    ['text=7&other=x', { text: '7', other: 'x' }],
    ['limit=10', { limit: 10 }],
    ['limit=007', { limit: 7 }],
    ['limit=11', 'refused limit'],
    ['limit=1.5', 'refused limit'],
    ['limit=1e0', 'refused limit'],
    ['limit=0x5', 'refused limit'],
    ['limit=+5', 'refused limit'],
    ['limit=%205', 'refused limit'],
    ['limit=', 'refused limit'],
    ['flag=true', { flag: true }],
    ['flag=1', { flag: true }],
    ['flag=false', { flag: false }],
    ['flag=0', { flag: false }],
    ['flag=TRUE', 'refused flag'],
    ['flag=', 'refused flag'],
    ['text=a&text=a', 'refused text'],
    ['text=%ff', 'refused text'],
    ['%ff=1', 'refused query'],
  ] as const) {
    assert.deepEqual(check(Query, 'querystring', parseQuery(query)), outcome, query);
  }
});
