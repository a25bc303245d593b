/** The committed OpenAPI documents are what the routes say, are valid, and leave nothing out. */
import { strict as assert } from 'node:assert';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { currentDocument, olderDocument } from '../../scripts/openapi-documents.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const committed = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(ROOT, 'openapi', name), 'utf8'));

type Operation = {
  readonly operationId?: string;
  readonly summary?: string;
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown }> };
  readonly responses: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { example?: unknown }> }
  >;
};

test('the committed documents are current (npm run openapi makes them anew)', async () => {
  const current = await currentDocument();
  assert.deepEqual(await committed('openapi.json'), current);
  assert.deepEqual(await committed('openapi-3.0.json'), olderDocument(current));
});

test('a public linter finds no error in either document', async () => {
  const linter = join(ROOT, 'node_modules', '@redocly', 'cli', 'bin', 'cli.js');
  for (const name of ['openapi.json', 'openapi-3.0.json']) {
    await promisify(execFile)(
      process.execPath,
      [linter, 'lint', join('openapi', name), '--extends=recommended', '--format=summary'],
      {
        cwd: ROOT,
        env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
      },
    );
  }
});

test('every operation has a name, words, an example and its errors', async () => {
  const { paths } = (await committed('openapi.json')) as {
    paths: Record<string, Record<string, Operation>>;
  };
  const ids = new Set<string>();
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const where = `${method} ${path}`;
      assert.ok(operation.operationId !== undefined && operation.summary !== undefined, where);
      assert.ok(!ids.has(operation.operationId), `${where} has an id of its own`);
      ids.add(operation.operationId);
      const statuses = Object.keys(operation.responses);
      assert.ok(statuses.includes('500'), `${where} says what a failure looks like`);
      for (const [status, response] of Object.entries(operation.responses)) {
        if (!status.startsWith('2')) continue;
        for (const [type, body] of Object.entries(response.content ?? {})) {
          assert.ok(body.example !== undefined, `${where} has an example of ${status} ${type}`);
        }
      }
      const body = operation.requestBody?.content['application/json'];
      if (body !== undefined)
        assert.ok(body.example !== undefined, `${where} has a body's example`);
    }
  }
  assert.ok(ids.size >= 25, `${ids.size} operations`);
});
