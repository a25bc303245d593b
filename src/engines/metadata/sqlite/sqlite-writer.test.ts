/** What the writer does when its disk is full or fails, and that groups share a commit. */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';

import { isServiceError } from '../../../core/errors.ts';
import type { Account } from '../../../core/identity/account/account.ts';
import {
  insertAccount,
  sampleAccount,
  sampleDeletion,
  samplePublication,
} from '../../../core/ports/metadata/contract/samples.ts';
import { SqliteMetadata } from '../sqlite-metadata.ts';
import { AccountCache } from './account-cache.ts';
import { LookUpCache } from './look-up-cache.ts';
import { SqliteWriter } from './sqlite-writer.ts';

async function withWriter(
  run: (writer: SqliteWriter, connection: DatabaseSync, account: Account) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-writer-'));
  const file = join(folder, 'metadata.db');
  const metadata = await SqliteMetadata.open({ file });
  const account = await insertAccount(metadata, sampleAccount(1));
  await metadata[Symbol.asyncDispose]();
  const connection = new DatabaseSync(file);
  try {
    const writer = writerOf(connection);
    await run(writer, connection, account);
    await writer.close();
  } finally {
    connection.close();
    await rm(folder, { recursive: true });
  }
}

function writerOf(
  connection: DatabaseSync,
  {
    sync = async () => undefined,
    onFailure = () => undefined,
  }: { readonly sync?: () => Promise<void>; readonly onFailure?: (error: Error) => void } = {},
): SqliteWriter {
  return new SqliteWriter(connection, {
    durability: { sync },
    accounts: new AccountCache(),
    lookUps: new LookUpCache(),
    onFailure,
  });
}

test('a full disk refuses writes, and deletes still work', async () => {
  await withWriter(async (writer, connection, account) => {
    await writer.publishObject(samplePublication(account, { key: 'first', blobId: 1 }));
    const { page_count: pages } = connection.prepare('pragma page_count').get() ?? {};
    connection.exec(`pragma max_page_count = ${Number(pages) + 2}`);
    const big = { userMetadata: { text: 'x'.repeat(4000) } };
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) => {
        const sample = { key: `k${index}`, blobId: index + 2, version: big };
        return writer.publishObject(samplePublication(account, sample));
      }),
    );
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert(refused.length > 0);
    for (const outcome of refused) {
      assert(outcome.status === 'rejected' && isServiceError(outcome.reason, 'storage_full'));
    }
    const before = await writer.deleteObject(sampleDeletion(account, 'first'));
    assert.equal(before?.key, 'first');
    const written = connection.prepare('select count(*) count from objects').get();
    assert.equal(written?.['count'], 20 - refused.length);
  });
});

test('what is asked in one turn shares one commit', async () => {
  await withWriter(async (writer, connection, account) => {
    const statements: string[] = [];
    const exec = connection.exec.bind(connection);
    connection.exec = (sql) => {
      statements.push(sql);
      exec(sql);
    };
    const publish = (index: number) =>
      writer.publishObject(samplePublication(account, { key: `k${index}`, blobId: index }));
    await Promise.all(Array.from({ length: 100 }, (_, index) => publish(index + 1)));
    assert.deepEqual(statements, ['begin immediate', 'commit']);
  });
});

test('a commit that fails on the disk fails its group, and the engine is read-only after', async () => {
  await withWriter(async (writer, connection, account) => {
    const exec = connection.exec.bind(connection);
    const failure = Object.assign(new Error('disk I/O error'), { errcode: 1034 });
    connection.exec = (sql) => {
      if (sql === 'commit') throw failure;
      exec(sql);
    };
    const publish = (index: number) =>
      writer.publishObject(samplePublication(account, { key: `k${index}`, blobId: index }));
    for (const outcome of await Promise.allSettled([publish(1), publish(2)])) {
      assert(outcome.status === 'rejected' && isServiceError(outcome.reason, 'read_only'));
    }
    connection.exec = exec;
    await assert.rejects(publish(3), (error) => isServiceError(error, 'read_only'));
    assert.throws(
      () => writer.check(),
      (error) => isServiceError(error, 'read_only'),
    );
    const written = connection.prepare('select count(*) count from objects').get();
    assert.equal(written?.['count'], 0);
  });
});

test('nothing is answered before its sync, neither a group nor a transaction', async () => {
  await withWriter(async (_writer, connection, account) => {
    let finish: () => void = () => undefined;
    const syncs: string[] = [];
    const sync = () =>
      new Promise<void>((resolve) => {
        syncs.push('begun');
        finish = resolve;
      });
    const writer = writerOf(connection, { sync });
    const answered: string[] = [];
    const asks = [
      () => writer.publishObject(samplePublication(account, { key: 'a', blobId: 7 })),
      () => writer.deleteObject(sampleDeletion(account, 'a')),
      () => writer.transact(async () => undefined),
    ];
    for (const [index, ask] of asks.entries()) {
      const answer = ask().then(() => answered.push(`ask ${index}`));
      while (syncs.length <= index) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(answered.length, index);
      finish();
      await answer;
      assert.equal(answered.length, index + 1);
    }
  });
});

test('a failed sync is told to all who waited for it, and nothing is written after it', async () => {
  await withWriter(async (_writer, connection, account) => {
    const sync = () => Promise.reject(new Error('i/o error'));
    const failures: Error[] = [];
    const onFailure = (error: Error) => void failures.push(error);
    const writer = writerOf(connection, { sync, onFailure });
    for (const ask of [
      () => writer.publishObject(samplePublication(account, { key: 'a', blobId: 7 })),
      () => writer.publishObject(samplePublication(account, { key: 'b', blobId: 8 })),
      () => writer.transact(async () => undefined),
    ]) {
      await assert.rejects(ask(), (error) => isServiceError(error, 'read_only'));
    }
    assert.deepEqual(
      failures.map(({ message }) => message),
      ['i/o error'],
      'the process is told, once',
    );
  });
});
