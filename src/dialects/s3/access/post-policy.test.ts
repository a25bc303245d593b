/** Proves what policies of forms say, which of them are refused, and which forms they allow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { S3Code } from '../wire/s3-codes.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { parsePostPolicy } from './parse-post-policy.ts';
import { checkPostPolicy } from './post-policy.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const LATER = '2026-01-01T00:00:00.001Z';
const encode = (text: string) => Buffer.from(text).toString('base64');
const parse = (document: unknown) => parsePostPolicy(encode(JSON.stringify(document)));
const refusedAs = (code: S3Code) => (error: unknown) =>
  error instanceof S3Refusal && error.code === code;

function check(conditions: readonly unknown[], fields: Readonly<Record<string, string>>): void {
  const policy = parse({ expiration: LATER, conditions });
  checkPostPolicy(policy, { fields: new Map(Object.entries(fields)), now: NOW });
}

test('a policy is its time, its conditions in order, and the narrowest of its ranges', () => {
  const conditions = [
    { acl: 'private', Key: 'a' },
    ['STARTS-WITH', '$Content-Type', ''],
    ['content-length-range', '1', 10],
    ['eq', '$x-amz-meta-A', 'b'],
    ['content-length-range', 2, 20],
  ];
  assert.deepEqual(parse({ expiration: LATER, conditions, more: 1 }), {
    expiresAtMs: NOW + 1,
    conditions: [
      { kind: 'eq', field: 'acl', value: 'private' },
      { kind: 'eq', field: 'key', value: 'a' },
      { kind: 'starts-with', field: 'content-type', value: '' },
      { kind: 'eq', field: 'x-amz-meta-a', value: 'b' },
    ],
    sizeBytesMin: 2,
    sizeBytesMax: 10,
  });
});

test('dollars and vertical tabs may be escaped, and nothing else that JSON has not', () => {
  const policyOf = (value: string) =>
    parsePostPolicy(encode(`{"expiration":"${LATER}","conditions":[["eq","\\$key","${value}"]]}`))
      .conditions;
  assert.deepEqual(policyOf('\\$a\\v\\\\$'), [{ kind: 'eq', field: 'key', value: '$a\v\\$' }]);
  assert.throws(() => policyOf('\\x'), refusedAs('InvalidPolicyDocument'));
});

test('no text makes the parser fail otherwise than by its refusal', () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json().map(encode),
    fc.json().map((json) => encode(`{"expiration":"${LATER}","conditions":[${json}]}`)),
    fc.json().map((json) => encode(`{"expiration":${json},"conditions":[]}`)),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        parsePostPolicy(text);
      } catch (error) {
        assert(refusedAs('InvalidPolicyDocument')(error), String(error));
      }
    }),
    { numRuns: 1000 },
  );
  assert.throws(
    () => parsePostPolicy(encode('['.repeat(40_000))),
    refusedAs('InvalidPolicyDocument'),
  );
});

test('a form is allowed while the policy lasts, if it meets and names everything', () => {
  const conditions = [{ key: 'a' }, ['starts-with', '$content-type', 'image/']];
  check(conditions, { key: 'a', 'content-type': 'image/png' });
  check(conditions, { key: 'a', 'content-type': 'image/png, image/gif', 'x-ignore-b': 'c' });
  check(conditions, { key: 'a', 'content-type': 'image/', policy: 'p', 'x-amz-signature': 's' });
  const denied = refusedAs('AccessDenied');
  assert.throws(() => check(conditions, { key: 'A', 'content-type': 'image/png' }), denied);
  assert.throws(() => check(conditions, { key: 'a' }), denied);
  // In the words of S3, which tools look for.
  assert.throws(() => check(conditions, { key: 'A', 'content-type': 'image/png' }), {
    message: 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "a"]',
  });
  assert.throws(() => check(conditions, { key: 'a', 'content-type': 'image/a,text/b' }), denied);
  assert.throws(() => check(conditions, { key: 'a', 'content-type': 'image/', acl: 'x' }), denied);
  const policy = parse({ expiration: LATER, conditions: [] });
  const fields = new Map<string, string>();
  checkPostPolicy(policy, { fields, now: NOW });
  assert.throws(() => checkPostPolicy(policy, { fields, now: NOW + 1 }), denied);
});
