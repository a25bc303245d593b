/** Proves that Rust's object_store family works: prefixes with spaces, writes on condition. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'python', 'object_store.py');
const PREFIX = 'a table with spaces/_delta log';

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('obstore lists a prefix with spaces, and writes on condition', async (t) => {
    const python = findPython();
    if (python === undefined) return t.skip('the Python environment could not be made');
    await using world = await startS3World(form);
    const { text } = await runProgram(world, { argv: [python, PROGRAM] });
    const names = (...last: readonly string[]) => last.map((name) => `${PREFIX}/${name}`);
    assert.deepEqual(JSON.parse(text), {
      again: 'refused',
      stale: 'refused',
      isSwapped: true,
      listed: names('0 + 1.json', '1.json', '2 copied.json'),
      after: names('2 copied.json'),
      prefixes: [PREFIX],
      copied: 'swapped',
      range: 'eco',
    });
  });
}
