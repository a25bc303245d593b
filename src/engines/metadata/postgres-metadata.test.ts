import { strict as assert } from 'node:assert';
import { after, test } from 'node:test';
import pg from 'pg';
import { countedOf, writeCountedRows } from '../../../tests/world/counted-rows.ts';
import { startPostgres } from '../../../tests/world/postgres.ts';
import { isServiceError } from '../../core/errors.ts';
import { alternate } from '../../core/ports/metadata/contract/alternation.ts';
import { inTransaction } from '../../core/ports/metadata/contract/in-transaction.ts';
import type { MetadataStore } from '../../core/ports/metadata/contract/metadata-engine.ts';
import {
  fitsBelow,
  insertAccount,
  NOW,
  sampleAccount,
  samplePublication,
  storedBytes,
} from '../../core/ports/metadata/contract/samples.ts';
import {
  sampleBeginning,
  sampleCompletion,
  samplePartOf,
  sampleUpload,
} from '../../core/ports/metadata/contract/upload-samples.ts';
import type { Metadata } from '../../core/ports/metadata/metadata.ts';
import { metadataContract } from '../../core/ports/metadata/metadata-contract.ts';
import { countedBytes } from './migrations/0007-counted-bytes.ts';
import { POSTGRES_TYPES } from './migrations/migration.ts';
import { MIGRATIONS } from './migrations/migrations.ts';
import { PostgresMetadata } from './postgres-metadata.ts';

const server = await startPostgres();

if (server === undefined) {
  test('postgres metadata', { skip: 'PostgreSQL is not installed' });
} else {
  after(() => server[Symbol.asyncDispose]());
  /** The address of each open store, and what was opened over it beside. */
  const opened = new WeakMap<
    MetadataStore,
    { readonly url: string; readonly beside: Metadata[] }
  >();
  metadataContract({
    name: 'postgres',
    async open() {
      const url = await server.freshDatabase();
      const metadata = await PostgresMetadata.open({ url, idBlockSize: 100 });
      const beside: Metadata[] = [];
      const store: MetadataStore = {
        metadata,
        async [Symbol.asyncDispose]() {
          for (const engine of [metadata, ...beside]) await engine[Symbol.asyncDispose]();
        },
      };
      opened.set(store, { url, beside });
      return store;
    },
    async reopen(store) {
      const own = opened.get(store);
      assert(own, 'the store is one of ours');
      const again = await PostgresMetadata.open({ url: own.url, idBlockSize: 100 });
      own.beside.push(again);
      return again;
    },
    async alternateElsewhere(store, alternation) {
      const own = opened.get(store);
      assert(own, 'the store is one of ours');
      await using rival = await PostgresMetadata.open({ url: own.url });
      await alternate(rival, alternation);
    },
  });
}

const unreachable = 'postgres://nobody@127.0.0.1:1/none';

test('a server that is out of reach is unavailable', async () => {
  await assert.rejects(PostgresMetadata.open({ url: unreachable }), (error) =>
    isServiceError(error, 'unavailable'),
  );
});

if (server !== undefined) {
  test('a connection that breaks is unavailable, and the next call finds another', async () => {
    const url = await server.freshDatabase();
    await using metadata = await PostgresMetadata.open({ url });
    const account = await insertAccount(metadata, sampleAccount(1));
    await assert.rejects(
      inTransaction(metadata, async (tx) => {
        await tx.findAccount(account.accountId);
        await endConnections(url);
        await tx.findAccount(account.accountId);
      }),
      (error) => isServiceError(error, 'unavailable'),
    );
    assert.deepEqual(await metadata.findAccount(account.accountId), account);
    await metadata.check();
  });

  test('processes that start at once migrate once, and a newer schema refuses', async () => {
    const url = await server.freshDatabase();
    const engines = await Promise.all([1, 2, 3, 4].map(() => PostgresMetadata.open({ url })));
    for (const engine of engines) await engine[Symbol.asyncDispose]();
    const later = {
      version: MIGRATIONS.length + 1,
      name: 'later',
      statements: () => ['create table later (a text)'],
    };
    const migrations = [...MIGRATIONS, later];
    await (await PostgresMetadata.open({ url, migrations }))[Symbol.asyncDispose]();
    await assert.rejects(
      PostgresMetadata.open({ url }),
      /schema \d+, this program knows up to \d+/,
    );
  });

  test('what stands when counted bytes come is counted as the engine counts', async () => {
    const url = await server.freshDatabase();
    await using metadata = await PostgresMetadata.open({ url });
    const counted = await writeCountedRows(metadata);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('drop index multipart_uploads_by_account');
    await client.query('alter table accounts drop column counted_bytes');
    for (const statement of countedBytes.statements(POSTGRES_TYPES)) await client.query(statement);
    await client.end();
    assert.deepEqual(await countedOf(metadata), counted);
    assert.equal(new Set(counted).size, 3);
  });

  test('several processes never overshoot a quota or give a blob number twice', async () => {
    const url = await server.freshDatabase();
    await using first = await PostgresMetadata.open({ url, idBlockSize: 3 });
    await using second = await PostgresMetadata.open({ url, idBlockSize: 3 });
    const account = await insertAccount(first, sampleAccount(1));
    const numbers = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 ? first : second).reserveBlobIds(1)),
    );
    assert.equal(new Set(numbers).size, 40);
    const demands = [fitsBelow(10 * 1034, 1034)];
    const outcomes = await Promise.allSettled(
      numbers.map((blobId, index) =>
        (index % 2 ? first : second).publishObject(
          samplePublication(account, { key: `k${index}`, blobId }, { demands }),
        ),
      ),
    );
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 10);
    assert.equal(await storedBytes(first, account), 100n);
  });

  test('several processes end an upload once, whatever they do to it at once', async () => {
    const url = await server.freshDatabase();
    await using first = await PostgresMetadata.open({ url });
    await using second = await PostgresMetadata.open({ url });
    const account = await insertAccount(first, sampleAccount(1));
    const { defaultBucketId: bucketId } = account;
    const at = NOW;
    let objects = 0;
    for (let number = 1; number <= 15; number += 1) {
      const upload = sampleUpload(account, { key: `k${number}`, number });
      await first.insertUpload(sampleBeginning(upload));
      const part = (blobId: number) => samplePartOf(upload, { number: 1, blobId });
      await first.savePart(part(number * 10));
      const [one, other, late, abort] = await Promise.allSettled([
        first.completeUpload(sampleCompletion(upload, [1], { listHash: 'one' })),
        second.completeUpload(sampleCompletion(upload, [1], { listHash: 'other' })),
        second.savePart(part(number * 10 + 1)),
        number % 2 === 0
          ? first.abortUpload({ address: upload, at })
          : inTransaction(second, (tx) => tx.abortUploadsOf({ bucketId, at, limit: 10 })),
      ]);
      const found = await first.findUpload(upload.uploadId);
      for (const each of [one, other, late, abort]) {
        const isFine =
          each.status === 'fulfilled' || isServiceError(each.reason, 'upload_not_found');
        assert(isFine, String(each.status === 'rejected' && each.reason));
      }
      assert.equal(one.status, other.status);
      assert.equal(found !== undefined, one.status === 'fulfilled');
      if (one.status === 'rejected' || other.status === 'rejected') continue;
      assert.deepEqual(one.value, other.value);
      objects += 1;
    }
    assert.equal(await storedBytes(first, account), BigInt(objects * 10));
    const live = await first.listBlobs({ after: undefined, limit: 1000 });
    assert.deepEqual([live.length, live.every(({ owners }) => owners === 1)], [objects, true]);
  });
}

/** Ends every other connection to the database, as an operator may. */
async function endConnections(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);
  await client.end();
}
