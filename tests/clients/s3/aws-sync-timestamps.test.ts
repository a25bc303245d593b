/** Proves that `aws s3 sync --exact-timestamps` finds everything as it left it. */
import assert from 'node:assert/strict';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { findPython } from '../../world/python.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('a second sync by exact timestamps downloads nothing', async (t) => {
    const python = findPython();
    if (python === undefined) return t.skip('the Python environment could not be made');
    await using world = await startS3World(form);
    const { bucket, directory, raw } = world;
    const keys = ['sync/a', 'sync/b c', 'sync/d/e'];
    for (const key of keys) await raw.expectDone({ method: 'PUT', bucket, key, body: key });
    const folder = join(directory, 'synced');
    await mkdir(folder);
    const sync = async () => {
      const aws = [join(dirname(python), 'aws'), 's3', 'sync', '--exact-timestamps'];
      const argv = [...aws, '--no-progress', `s3://${bucket}/sync/`, folder];
      return (await runProgram(world, { argv })).text.trim();
    };
    assert.equal((await sync()).split('\n').length, keys.length);
    const listed = await raw.expectDone({ method: 'HEAD', bucket, key: 'sync/a' });
    const { mtimeMs } = await stat(join(folder, 'a'));
    assert.equal(Math.floor(mtimeMs), Date.parse(String(listed.headers['last-modified'])));
    assert.equal(await sync(), '');
  });
}
