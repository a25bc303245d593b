/** Proves that the origins of a bucket and its CORS document are two views of one thing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../../errors.ts';
import { corsDocumentOf, corsOriginsOf, corsRulesOf, simpleCorsRules } from './cors-rules.ts';

test('origins come back from the document that they make', () => {
  const origins = ['https://a.example', 'http://localhost:3000', 'https://*.b.example', '*'];
  const rules = simpleCorsRules([...origins, 'https://a.example'], 'origins');
  const document = corsDocumentOf(rules);
  assert(document !== null);
  assert.deepEqual(corsRulesOf(document), rules);
  assert.deepEqual(corsOriginsOf(corsRulesOf(document)), origins);
});

test('no origins are no rules, and no document', () => {
  assert.equal(corsDocumentOf(simpleCorsRules([], 'origins')), null);
  assert.deepEqual(corsRulesOf(undefined), []);
});

test('the origins of several rules are named once each', () => {
  const rule = { allowedMethods: ['GET'], allowedHeaders: [], exposeHeaders: [] };
  const rules = [
    { ...rule, allowedOrigins: ['https://a.example', 'https://b.example'] },
    { ...rule, allowedOrigins: ['https://b.example', 'https://c.example'], maxAgeSeconds: 5 },
  ];
  assert.deepEqual(corsOriginsOf(rules), [
    'https://a.example',
    'https://b.example',
    'https://c.example',
  ]);
});

test('a hundred origins are rules, and so is one of 512 letters', () => {
  const many = Array.from({ length: 100 }, (_, index) => `https://o${index}.example`);
  assert.deepEqual(corsOriginsOf(simpleCorsRules(many, 'origins')), many);
  const long = `https://${'a'.repeat(504)}`;
  assert.deepEqual(corsOriginsOf(simpleCorsRules([long], 'origins')), [long]);
  assert.throws(() => simpleCorsRules([`${long}a`], 'origins'), { code: 'invalid_field' });
});

test('what no browser sends as its origin is refused by field', () => {
  const many = Array.from({ length: 101 }, (_, index) => `https://o${index}.example`);
  for (const origins of [
    ['a.example'],
    ['https://a.example/path'],
    ['https://a.example?x'],
    ['https://me@a.example'],
    ['https://*.*.example'],
    ['https://a b'],
    ['https://a\n'],
    [''],
    ['null'],
    [`https://${'a'.repeat(600)}`],
    many,
  ]) {
    assert.throws(
      () => simpleCorsRules(origins, 'cors_allowed_origins'),
      (error) =>
        isServiceError(error, 'invalid_field') && error.details['field'] === 'cors_allowed_origins',
      String(origins).slice(0, 40),
    );
  }
});
