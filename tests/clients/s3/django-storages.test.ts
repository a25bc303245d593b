/**
 * Proves that the links of django-storages are good with the settings that docs/compatibility/s3.md
 * names, and that without them they are the links of version 2 that it warns of.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'python', 'django_links.py');

type Link = { readonly isVersion4: boolean; readonly status: number; readonly text: string };
type Said = {
  readonly set: Link;
  readonly unset: Link;
  readonly size: number;
  readonly listed: readonly (readonly string[])[];
  readonly read: string;
};

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('django-storages stores, lists and reads, and links when it is told to', async (t) => {
    const python = findPython();
    if (python === undefined) return t.skip('the Python environment could not be made');
    await using world = await startS3World(form);
    const { text } = await runProgram(world, { argv: [python, PROGRAM] });
    const { set, unset, size, listed, read } = JSON.parse(text) as Said;
    assert.deepEqual(set, { isVersion4: true, status: 200, text: 'seen' });
    assert.deepEqual([size, read], [4, 'seen']);
    assert.deepEqual(listed, [[], ['a face + hat.txt']]);
    // By version 2, as boto3 signs links in the old regions unless it is told otherwise.
    assert.equal(unset.isVersion4, false);
    assert.equal(unset.status, 400);
    assert.match(unset.text, /Please use AWS4-HMAC-SHA256/);
  });
}
