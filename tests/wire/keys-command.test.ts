/** Proves that `pinfold keys` works with a server and without one, and where the secret goes. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runPinfold, startPinfold } from '../world/process-line.ts';

const directory = mkdtempSync(join(tmpdir(), 'pinfold-keys-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const variables = { PINFOLD_S3_PUBLIC_URL: 'https://s3.example.org' };
const run = (...argv: readonly string[]) => runPinfold({ directory, argv, variables });

/** Makes keys in several formats, revokes one, lists them; `name` tells the rounds apart. */
async function assertKeysWork(name: string): Promise<void> {
  const env = await run('keys', 'create', '--account', 'ann', '--name', `${name}-env`);
  assert.equal(env.exitCode, 0, env.notes);
  const id = /^AWS_ACCESS_KEY_ID=([A-Z2-7]{20})$/m.exec(env.result)?.[1] ?? assert.fail(env.result);
  const secret = /^AWS_SECRET_ACCESS_KEY=([A-Za-z0-9]{40})$/m.exec(env.result)?.[1];
  assert(secret !== undefined, env.result);
  assert.match(env.result, /^AWS_ENDPOINT_URL=https:\/\/s3\.example\.org$/m);
  assert(!env.notes.includes(secret), 'the secret is a result and nothing else');
  assert.match(env.notes, new RegExp(`^The key ${id} is shown this once`));

  const agent = await run('keys', 'create', '--account', 'ann', '--format', 'agent');
  assert.match(agent.result, /^PIPE_API_BASE=http:\/\/localhost:\d+\nPIPE_AWS_ACCESS_KEY_ID=/);
  const options = ['--name', name, '--read-only', '--prefix', 'a/'];
  const json = await run('keys', 'create', '--account', 'ann', '--format', 'json', ...options);
  const limited = JSON.parse(json.result);
  assert.deepEqual(
    [limited.name, limited.read_only, limited.bucket, limited.prefix],
    [name, true, limited.default_bucket, 'a/'],
  );
  const revoked = await run('keys', 'revoke', id, '--json');
  assert.deepEqual(JSON.parse(revoked.result), { access_key_id: id, revoked: true });

  const listed = await run('keys', 'list', '--account', 'ann');
  assert.match(listed.result, new RegExp(`^${id} .*read-write .*revoked 2`, 'm'));
  assert.match(
    listed.result,
    new RegExp(`^${limited.access_key_id} .*read-only .*/a/ .*live$`, 'm'),
  );
  assert(!listed.result.includes(secret) && !listed.result.includes(limited.secret));
}

test('keys are made, listed and revoked with a server and without one', async () => {
  const server = await startPinfold(directory, variables);
  const created = await run('admin', 'accounts', 'create', 'ann');
  assert.equal(created.exitCode, 0, created.notes);
  await assertKeysWork('served');
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 0);
  await assertKeysWork('alone');
});

test('what is not there is said with its exit code, and the secret of nobody is printed', async () => {
  for (const [exitCode, ...argv] of [
    [3, 'keys', 'create', '--account', 'nobody'],
    [3, 'keys', 'create', '--account', 'ann', '--bucket', 'absent-bucket'],
    [3, 'keys', 'revoke', 'A'.repeat(20)],
    [2, 'keys', 'create', '--account', 'ann', '--name', ''],
  ] as const) {
    const outcome = await run(...argv);
    assert.equal(outcome.exitCode, exitCode, outcome.notes);
    assert.equal(outcome.result, '');
    assert.match(outcome.notes, /^pinfold: /);
  }
});
