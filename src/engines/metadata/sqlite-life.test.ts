/** The life of a SQLite file: settings, migrations, backups, kills. */
import { strict as assert } from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { countedOf, writeCountedRows } from '../../../tests/world/counted-rows.ts';
import { isServiceError } from '../../core/errors.ts';
import {
  insertAccount,
  keyOf,
  sampleAccount,
  samplePublication,
} from '../../core/ports/metadata/contract/samples.ts';
import { TRANSACTION_TRIES_MAX } from './metadata-limits.ts';
import { countedBytes } from './migrations/0007-counted-bytes.ts';
import { type Migration, SQLITE_TYPES } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { SqliteMetadata } from './sqlite-metadata.ts';

const WRITER = fileURLToPath(new URL('../../../tests/world/metadata-writer.ts', import.meta.url));

const next: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'next',
  statements: ({ text, plain }) => [`create table later (word ${text} not null) ${plain}`],
};
const broken: Migration = {
  version: MIGRATIONS.length + 1,
  name: 'broken',
  statements: ({ text, plain }) => [
    `create table later (word ${text} not null) ${plain}`,
    'create table later (again text)',
  ],
};

async function inFolder(run: (file: string, folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-life-'));
  try {
    await run(join(folder, 'metadata.db'), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('a file is in WAL mode, and a new one makes no backup', async () => {
  await inFolder(async (file, folder) => {
    const metadata = await SqliteMetadata.open({ file });
    const again = new DatabaseSync(file);
    assert.equal(again.prepare('pragma journal_mode').get()?.['journal_mode'], 'wal');
    again.close();
    await metadata[Symbol.asyncDispose]();
    assert.deepEqual(await readdir(folder), ['metadata.db']);
  });
});

test('the time of each try of a transaction is told by its name', async () => {
  await inFolder(async (file) => {
    const told: [string, boolean][] = [];
    await using metadata = await SqliteMetadata.open({
      file,
      onTransaction: (name, seconds) => told.push([name, seconds >= 0 && seconds < 60]),
    });
    await insertAccount(metadata, sampleAccount(1));
    const slug = sampleAccount(1).slug;
    await assert.rejects(insertAccount(metadata, sampleAccount(2, { slug })));
    assert.deepEqual(told, Array(1 + TRANSACTION_TRIES_MAX).fill(['test', true]));
  });
});

test('a migration copies the file first and keeps what it holds', async () => {
  await inFolder(async (file) => {
    const old = await SqliteMetadata.open({ file });
    const account = await insertAccount(old, sampleAccount(1));
    await old[Symbol.asyncDispose]();
    const migrations = [...MIGRATIONS, next];
    for (let times = 0; times < 2; times += 1) {
      const metadata = await SqliteMetadata.open({ file, migrations });
      assert.deepEqual(await metadata.findAccount(account.accountId), account);
      await metadata[Symbol.asyncDispose]();
    }
    const copy = await SqliteMetadata.open({ file: `${file}.before-v${next.version}` });
    assert.deepEqual(await copy.findAccount(account.accountId), account);
    await copy[Symbol.asyncDispose]();
    await assert.rejects(SqliteMetadata.open({ file }), /schema \d+, this program knows up to \d+/);
  });
});

test('a migration that fails leaves the file as it was', async () => {
  await inFolder(async (file) => {
    await (await SqliteMetadata.open({ file }))[Symbol.asyncDispose]();
    await assert.rejects(SqliteMetadata.open({ file, migrations: [...MIGRATIONS, broken] }));
    await (await SqliteMetadata.open({ file }))[Symbol.asyncDispose]();
  });
});

test('what stands when counted bytes come is counted as the engine counts', async () => {
  await inFolder(async (file) => {
    const old = await SqliteMetadata.open({ file });
    const counted = await writeCountedRows(old);
    await old[Symbol.asyncDispose]();
    const connection = new DatabaseSync(file);
    connection.exec('drop index multipart_uploads_by_account');
    connection.exec('alter table accounts drop column counted_bytes');
    for (const statement of countedBytes.statements(SQLITE_TYPES)) connection.exec(statement);
    connection.close();
    await using metadata = await SqliteMetadata.open({ file });
    assert.deepEqual(await countedOf(metadata), counted);
    assert.equal(new Set(counted).size, 3);
  });
});

test('a file that is no database is damaged, a folder that is missing is out of reach', async () => {
  await inFolder(async (_file, folder) => {
    const text = fileURLToPath(import.meta.url);
    await assert.rejects(SqliteMetadata.open({ file: text }), (error) =>
      isServiceError(error, 'corrupt'),
    );
    await assert.rejects(SqliteMetadata.open({ file: join(folder, 'no', 'file') }), (error) =>
      isServiceError(error, 'unavailable'),
    );
  });
});

test('a backup holds what was acknowledged when it began', async () => {
  await inFolder(async (file, folder) => {
    const metadata = await SqliteMetadata.open({ file });
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'k', blobId: 1 }));
    const target = join(folder, 'copy.db');
    await metadata.backup(target);
    const copy = await SqliteMetadata.open({ file: target });
    const found = await copy.findObject(account.defaultBucketId, keyOf('k'));
    assert.equal(found?.key, 'k');
    await copy[Symbol.asyncDispose]();
    await metadata[Symbol.asyncDispose]();
  });
});

test('a killed process leaves all that it acknowledged, and its blob numbers are not given again', async () => {
  await inFolder(async (file) => {
    let last = 0;
    for (let times = 0; times < 3; times += 1) {
      const acknowledged = await killedAfter(file, 20);
      assert(Math.min(...acknowledged) > last, 'a number was given twice');
      const metadata = await SqliteMetadata.open({ file, idBlockSize: 7 });
      const account = await metadata.findAccount(sampleAccount(1).accountId);
      assert(account);
      for (const blobId of acknowledged) {
        const found = await metadata.findObject(account.defaultBucketId, keyOf(`k${blobId}`));
        assert.equal(found?.content[0]?.blob.blobId, blobId);
      }
      last = await metadata.reserveBlobIds(1);
      assert(last > Math.max(...acknowledged));
      await metadata[Symbol.asyncDispose]();
    }
  });
});

/**
 * Runs the writer until it has acknowledged `count` objects, then kills it; answers their blobs.
 */
async function killedAfter(file: string, count: number): Promise<readonly number[]> {
  const child = spawn(process.execPath, [WRITER, file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const acknowledged: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(Number(line));
    if (acknowledged.length === count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return acknowledged;
}
