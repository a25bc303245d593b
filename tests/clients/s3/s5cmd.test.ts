/** Proves that s5cmd copies keys with spaces, which it writes as a plus in the copy's source. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

/** It comes as a Python package that holds the program. */
const findS5cmd = () => {
  const program = join(dirname(findPython() ?? ''), 's5cmd');
  return existsSync(program) ? program : undefined;
};

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('s5cmd stores, copies and lists keys with spaces and pluses', async (t) => {
    const program = findS5cmd();
    if (program === undefined) return t.skip('s5cmd could not be installed');
    await using world = await startS3World(form);
    const { bucket, directory, endpoint } = world;
    const run = async (...args: readonly string[]) => {
      const argv = [program, '--endpoint-url', endpoint, '--retry-count', '0', ...args];
      return (await runProgram(world, { argv })).text;
    };
    const file = join(directory, 'sent.txt');
    await writeFile(file, 'sent by s5cmd');
    const names = ['a key with spaces.txt', 'a copy + plus.txt', 'a copy of it.txt'];
    const [first = '', second = '', third = ''] = names.map((name) => `s3://${bucket}/s5/${name}`);
    await run('cp', file, first);
    await run('cp', first, second);
    await run('cp', second, third);
    assert.equal(await run('cat', third), 'sent by s5cmd');
    const listed = await run('ls', `s3://${bucket}/s5/`);
    for (const name of names) assert.ok(listed.includes(name), listed);
  });
}
