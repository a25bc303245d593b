/** Proves that the page on S3 says what the table of operations does, and requests are read so. */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { compatibilityPage } from '../../../../scripts/compatibility-page.ts';
import { parseObjectKey } from '../../../core/ids.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { detectOperation } from './detect-operation.ts';
import { OPERATIONS, type Operation, SUBRESOURCES } from './operation-table.ts';
import { UNSERVED_OPERATIONS } from './unserved-operations.ts';

const PAGE = new URL('../../../../docs/compatibility/s3.md', import.meta.url);
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'COPY'];

const addressOn = (on: Operation['on']) => {
  if (on === 'service') return { kind: 'service' } as const;
  if (on === 'bucket') return { kind: 'bucket', bucket: 'bucket' } as const;
  return { kind: 'object', bucket: 'bucket', key: parseObjectKey('key') } as const;
};

/** The request that a row of the table describes. */
function requestOf({ method, on, parameter }: Operation) {
  const [name = '', header = ''] = parameter.split('(');
  const values: Readonly<Record<string, string>> = { 'list-type': '2' };
  const query = new Map<string, string>();
  const trimmed = name.trim();
  if (trimmed !== '') query.set(trimmed, values[trimmed] ?? '');
  if (trimmed === 'partNumber') query.set('uploadId', 'id');
  const headers: Record<string, string> = {};
  if (header.startsWith('x-amz-copy-source')) headers['x-amz-copy-source'] = 'bucket/source';
  return { method, address: addressOn(on), query, headers };
}

test('the committed page is the one that is made', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), compatibilityPage());
});

test('each row of the table is what its request is taken for', () => {
  for (const [name, operation] of Object.entries(OPERATIONS)) {
    assert.equal(detectOperation(requestOf(operation)), name);
  }
});

test('what is not served is refused as not implemented, and has no row in the table', () => {
  for (const { name, method, on, parameter } of UNSERVED_OPERATIONS) {
    const query = new Map([[parameter, '']]);
    const detect = () => detectOperation({ method, address: addressOn(on), query, headers: {} });
    assert.throws(detect, (error) => error instanceof S3Refusal && error.code === 'NotImplemented');
    assert.ok(!(name in OPERATIONS), name);
  }
});

test('a sub-resource is never taken for the plain operation of its method', () => {
  for (const on of ['bucket', 'object'] as const) {
    for (const name of SUBRESOURCES) {
      for (const method of METHODS) {
        const asked = { method, address: addressOn(on), query: new Map([[name, '']]), headers: {} };
        const plain = Object.entries<Operation>(OPERATIONS)
          .filter(([, row]) => row.parameter === '')
          .map(([plainName]) => plainName);
        let found: string | undefined;
        try {
          found = detectOperation(asked);
        } catch (error) {
          assert.ok(error instanceof S3Refusal, `${method} ?${name} of ${on}`);
        }
        assert.ok(found === undefined || !plain.includes(found), `${method} ?${name} of ${on}`);
      }
    }
  }
});
