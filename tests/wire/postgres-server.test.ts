/**
 * The whole server stands on PostgreSQL as it stands on SQLite: a file outlives a restart, and
 * blobs are never taken for another database's.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { composeAdministration, composeServer } from '../../src/compose/compose-server.ts';
import { loadConfig } from '../../src/config/config.ts';
import { environmentOf } from '../../src/config/env.ts';
import { isServiceError } from '../../src/core/errors.ts';
import { startPostgres } from '../world/postgres.ts';

const BODIES = [Buffer.from('kept in PostgreSQL and on the disk'), Buffer.alloc(700_000, 7)];

function configOf(directory: string, databaseUrl?: string) {
  return loadConfig({
    environment: environmentOf({
      PINFOLD_DATA_DIR: directory,
      PINFOLD_API_PORT: '0',
      PINFOLD_S3_PORT: '0',
      PINFOLD_METRICS_PORT: '0',
      PINFOLD_LOG_LEVEL: 'silent',
      ...(databaseUrl === undefined ? {} : { PINFOLD_DATABASE_URL: databaseUrl }),
    }),
    workingDirectory: directory,
  });
}

/** Runs `work` against a server of its own, and stops it. */
async function withServer<T>(
  directory: string,
  databaseUrl: string,
  work: (url: string) => Promise<T>,
): Promise<T> {
  const server = await composeServer({ config: configOf(directory, databaseUrl) });
  try {
    return await work(server.addresses.api);
  } finally {
    await server.close({ graceMs: 1000 });
  }
}

async function downloadAll(url: string, key: string): Promise<void> {
  for (const [index, body] of BODIES.entries()) {
    const answer = await fetch(`${url}/download-stream?file_name=file-${index}`, {
      headers: { authorization: `ApiKey ${key}` },
    });
    assert.equal(answer.status, 200);
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), body);
  }
}

test('a server on PostgreSQL', async (context) => {
  await using postgres = await startPostgres();
  if (postgres === undefined) return context.skip('PostgreSQL is not installed');
  const databaseUrl = await postgres.freshDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'pinfold-postgres-server-'));
  try {
    const key = await withServer(directory, databaseUrl, async (url) => {
      const made = await fetch(`${url}/users`, { method: 'POST', body: '{"username":"ann"}' });
      const { user_app_key: appKey } = (await made.json()) as { user_app_key: string };
      for (const [index, body] of BODIES.entries()) {
        const sent = await fetch(`${url}/upload?file_name=file-${index}`, {
          method: 'POST',
          headers: { authorization: `ApiKey ${appKey}` },
          body,
        });
        assert.equal(sent.status, 202);
      }
      assert.equal((await fetch(`${url}/ready`)).status, 200);
      await downloadAll(url, appKey);
      return appKey;
    });

    // The same directory with another database: refused by whatever would open it.
    const another = await postgres.freshDatabase();
    for (const config of [configOf(directory), configOf(directory, another)]) {
      const isRefused = (error: unknown) => isServiceError(error, 'unavailable');
      await assert.rejects(composeServer({ config }), isRefused);
      await assert.rejects(composeAdministration({ config }), isRefused);
    }

    await withServer(directory, databaseUrl, (url) => downloadAll(url, key));
    await using administration = await composeAdministration({
      config: configOf(directory, databaseUrl),
    });
    const { accounts } = await administration.listAccounts({ after: undefined, limit: 10 });
    assert.deepEqual(
      accounts.map(({ username }) => username),
      ['ann'],
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
