/**
 * Proves the operator's way: `pinfold backup` beside a server that is written to, `pinfold restore`
 * elsewhere, and a server on what was restored that serves what the first one had acknowledged.
 */
import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { restore } from '../../src/compose/compose-upkeep.ts';
import { patternBytes } from '../../src/core/ports/blob-store-contract.ts';
import { BackupError } from '../../src/core/ports/store-backup.ts';
import { unsupportedBackup } from '../../src/engines/backup/unsupported-backup.ts';
import { runLine } from '../world/cli-line.ts';
import { runPinfold } from '../world/process-line.ts';
import { freshDirectory, openUser, openWalletUser, startChild } from '../world/server.ts';
import { UNWATCHED } from '../world/small-store.ts';
import { walletOf } from '../world/wallets.ts';

async function scratch(): Promise<string> {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** The calls of one account. */
function fileCalls(url: string, key: string) {
  const headers = { authorization: `ApiKey ${key}` };
  const address = (what: string, name: string) =>
    `${url}/${what}?file_name=${encodeURIComponent(name)}`;
  return {
    put: async (name: string, bytes: Buffer) => {
      const body = new Uint8Array(bytes);
      const answer = await fetch(address('upload', name), { method: 'POST', headers, body });
      assert.equal(answer.status, 202, await answer.text());
    },
    get: async (name: string) => {
      const answer = await fetch(address('download-stream', name), { headers });
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
    },
  };
}

test('a backup beside a busy server, restored elsewhere, serves what was acknowledged', async () => {
  const directory = await scratch();
  const elsewhere = await scratch();
  const server = await startChild({ directory });
  const key = await openUser(server.url, 'ann');
  await openWalletUser(server.url, walletOf('ann'));
  const files = fileCalls(server.url, key);
  const sizes = [0, 100, 4096, 200_000, 300_000, 1_200_000];
  const bytesOf = (index: number) => patternBytes(sizes[index % sizes.length] ?? 0, index);
  for (let index = 0; index < 24; index += 1) await files.put(`kept ${index}`, bytesOf(index));
  let isOver = false;
  const busy = (async () => {
    for (let index = 0; !isOver; index += 1) await files.put(`busy ${index % 5}`, bytesOf(index));
  })();
  const backup = (...more: readonly string[]) =>
    runPinfold({ directory, argv: ['backup', join('..', 'backup'), ...more] });
  const to = join(directory, '..', 'backup');
  after(() => rm(to, { recursive: true, force: true }));

  const first = await backup('--json');
  assert.equal(first.exitCode, 0, first.notes);
  const report = JSON.parse(first.result);
  assert.deepEqual([report.directory, report.number, report.losses], [to, 1, []]);
  assert.ok(report.blobs >= 24);
  const second = await backup();
  assert.equal(second.exitCode, 0, second.notes);
  assert.match(second.result, /^Backup 2 in .+ holds \d+ blobs/);
  assert.match(second.notes, /master keys are not in it/);
  isOver = true;
  await busy;
  server.kill('SIGTERM');
  assert.equal(await server.exited, 0);

  const restored = await runPinfold({
    directory: elsewhere,
    argv: [
      'restore',
      to,
      '--json',
      '--master-key-file',
      join(directory, 'data', 'keys', 'master.key'),
    ],
  });
  assert.equal(restored.exitCode, 0, restored.notes + restored.result);
  const document = JSON.parse(restored.result);
  assert.equal(document.number, 2);
  assert.equal(document.sessions_revoked, 1);
  assert.deepEqual(document.verified.findings, []);
  const verified = await runPinfold({ directory: elsewhere, argv: ['verify'] });
  assert.equal(verified.exitCode, 0, verified.result);

  await using copy = await startChild({ directory: elsewhere });
  // The secrets open under the restored key: the app key is the same.
  const again = fileCalls(copy.url, key);
  for (let index = 0; index < 24; index += 1) {
    const { status, bytes } = await again.get(`kept ${index}`);
    assert.equal(status, 200);
    assert.ok(bytes.equals(bytesOf(index)), `kept ${index}`);
  }
  await again.put('new', patternBytes(300_000, 1));
  assert.ok((await again.get('new')).bytes.equals(patternBytes(300_000, 1)));
});

test('what cannot be is refused with a code, a remedy and the exit code of its kind', async () => {
  const directory = await scratch();
  await using server = await startChild({ directory });
  const run = (...argv: readonly string[]) => runPinfold({ directory, argv: [...argv, '--json'] });
  const inside = await run('backup', 'data/backup');
  assert.equal(inside.exitCode, 6);
  assert.equal(JSON.parse(inside.result).error.code, 'backup_directory_unfit');
  const none = await run('restore', 'nowhere');
  assert.equal(none.exitCode, 3);
  assert.equal(JSON.parse(none.result).error.code, 'backup_missing');
  const foreign = join(directory, 'foreign');
  await mkdir(join(foreign, 'letters'), { recursive: true });
  assert.equal((await run('backup', foreign)).exitCode, 6);
  const to = join(directory, 'backup');
  assert.equal((await run('backup', to, '--with-keys')).exitCode, 0);
  assert.ok((await readdir(join(to, 'keys'))).includes('master.key'));
  const over = await run('restore', to);
  assert.equal(over.exitCode, 6);
  const { error } = JSON.parse(over.result);
  assert.equal(error.code, 'restore_not_empty');
  assert.match(error.hint, /PINFOLD_DATA_DIR/);
  server.kill('SIGTERM');
  assert.equal(await server.exited, 0);
});

test('metadata in PostgreSQL are backed up by its own means, and nothing is restored into it', async () => {
  const isUnsupported = (error: unknown) =>
    error instanceof BackupError &&
    error.fault === 'backup_unsupported' &&
    /pg_dump/.test(error.remedy);
  const request = { directory: '/nowhere', withKeys: false };
  await assert.rejects(unsupportedBackup('/blobs').write(request, UNWATCHED), isUnsupported);
  const { exitCode, notes } = await runLine({
    directory: await scratch(),
    argv: ['restore', 'backup'],
    variables: { PINFOLD_DATABASE_URL: 'postgres://nobody@localhost/nothing' },
    composition: { restore },
  });
  assert.equal(exitCode, 2);
  assert.match(notes, /PINFOLD_DATABASE_URL/);
});
