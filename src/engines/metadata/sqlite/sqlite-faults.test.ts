/**
 * What the engine makes of a damaged file, of checkpoints that fail, of a thread that dies and of a
 * log that readers keep: writing ends on damage and on a failed disk alone, and all of it is told.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { isServiceError, ServiceError } from '../../../core/errors.ts';
import type { Account } from '../../../core/identity/account/account.ts';
import {
  insertAccount,
  keyOf,
  sampleAccount,
  samplePublication,
} from '../../../core/ports/metadata/contract/samples.ts';
import {
  type OpenSqliteMetadata,
  SqliteMetadata,
  type SqliteMetadataOptions,
} from '../sqlite-metadata.ts';
import { type CheckpointReport, openCheckpointThread } from './checkpoints.ts';
import { type SqliteFault, sqliteFault, translateSqliteError } from './sqlite-errors.ts';

const PAGE_BYTES = 4096;
const WAIT_MS_MAX = 20_000;

class World implements AsyncDisposable {
  readonly #folder: string;
  readonly troubles: string[] = [];
  readonly failures: string[] = [];
  readonly damages: string[] = [];
  readonly account: Account;
  metadata: OpenSqliteMetadata;

  static async open(options: Partial<SqliteMetadataOptions> = {}): Promise<World> {
    const folder = await mkdtemp(join(tmpdir(), 'pinfold-faults-'));
    const file = join(folder, 'metadata.db');
    const metadata = await SqliteMetadata.open({ file });
    const account = await insertAccount(metadata, sampleAccount(1));
    for (let index = 1; index <= 3; index += 1) {
      await metadata.publishObject(samplePublication(account, { key: `k${index}`, blobId: index }));
    }
    const world = new World(folder, account, metadata);
    await world.reopen(options);
    return world;
  }

  private constructor(folder: string, account: Account, metadata: OpenSqliteMetadata) {
    this.#folder = folder;
    this.account = account;
    this.metadata = metadata;
  }

  get file(): string {
    return join(this.#folder, 'metadata.db');
  }

  async reopen(options: Partial<SqliteMetadataOptions> = {}): Promise<void> {
    await this.metadata[Symbol.asyncDispose]();
    this.metadata = await SqliteMetadata.open({
      file: this.file,
      onTrouble: (_facts, sentence) => this.troubles.push(sentence),
      onSyncFailure: ({ message }) => this.failures.push(message),
      onDamage: ({ message }) => this.damages.push(message),
      ...options,
    });
  }

  publish(key: string, blobId: number) {
    return this.metadata.publishObject(samplePublication(this.account, { key, blobId }));
  }

  /** Makes the first page of a table one of no kind. */
  async damage(table: string): Promise<void> {
    await this.metadata[Symbol.asyncDispose]();
    const connection = new DatabaseSync(this.file);
    const schema = connection.prepare('select rootpage from sqlite_schema where name = ?');
    const page = Number(schema.get(table)?.['rootpage']);
    connection.close();
    const file = await open(this.file, 'r+');
    await file.write(Buffer.from([0xff]), 0, 1, (page - 1) * PAGE_BYTES);
    await file.close();
    await this.reopen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.metadata[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

async function until(isSo: () => boolean): Promise<void> {
  const startedMs = performance.now();
  while (!isSo()) {
    assert.ok(performance.now() - startedMs < WAIT_MS_MAX, 'it comes to pass');
    await pause(10);
  }
}

test('each result code is a fault of its kind, also once it was translated', () => {
  const kinds: Readonly<Record<SqliteFault, readonly number[]>> = {
    disk: [10, 266, 522, 778, 1034, 1290, 1546, 1802],
    damage: [11, 267, 523, 779, 26, 8202, 8458],
    full: [13, 4874],
    readonly: [8, 264, 1032],
    passing: [5, 261, 517, 6, 262, 7, 14, 526, 2826, 3082, 3850, 4618, 5130, 5386],
    other: [1, 19, 2067],
  };
  for (const [kind, codes] of Object.entries(kinds)) {
    for (const errcode of codes) {
      const error = Object.assign(new Error('of SQLite'), { errcode });
      assert.equal(sqliteFault(error), kind, `${errcode}`);
      assert.equal(sqliteFault(translateSqliteError(error)), kind, `${errcode} translated`);
    }
  }
  assert.equal(sqliteFault(new ServiceError('corrupt', 'A blob.')), 'other');
});

test('a write that meets damage is the last that is tried; reads go on', async () => {
  await using world = await World.open();
  await world.damage('objects');
  const outcomes = await Promise.allSettled([world.publish('a', 11), world.publish('b', 12)]);
  for (const outcome of outcomes) {
    assert.ok(outcome.status === 'rejected' && isServiceError(outcome.reason));
    assert.match(outcome.reason.code, /^(corrupt|read_only)$/);
  }
  await assertClosed(world);
});

test('a read that meets damage ends writing too', async () => {
  await using world = await World.open();
  await world.damage('objects');
  const { defaultBucketId } = world.account;
  const read = world.metadata.findObject(defaultBucketId, keyOf('k1'));
  await assert.rejects(read, (error) => isServiceError(error, 'corrupt'));
  await assertClosed(world);
});

test('a transaction that meets damage ends writing too', async () => {
  await using world = await World.open();
  await world.damage('accounts');
  await assert.rejects(insertAccount(world.metadata, sampleAccount(2)), (error) =>
    isServiceError(error, 'corrupt'),
  );
  assert.equal(world.metadata.statistics().isWritable, false);
  await assert.rejects(world.publish('a', 9), (error) => isServiceError(error, 'read_only'));
});

async function assertClosed({ metadata, account, damages, failures }: World): Promise<void> {
  const isReadOnly = (error: unknown) => isServiceError(error, 'read_only');
  await assert.rejects(insertAccount(metadata, sampleAccount(2)), isReadOnly);
  await assert.rejects(metadata.reserveBlobIds(1_000_000), isReadOnly);
  await assert.rejects(metadata.check(), isReadOnly);
  assert.equal((await metadata.findAccount(account.accountId))?.slug, account.slug);
  assert.deepEqual(damages, ['database disk image is malformed'], 'it is told once');
  assert.deepEqual(failures, [], 'no sync has failed');
  assert.equal(metadata.statistics().isWritable, false);
}

/** A thread that reports what it is told to, once for each commit. */
function reporting(report: object): NonNullable<SqliteMetadataOptions['openThread']> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    let seen = 0;
    const timer = setInterval(() => {
      const now = Atomics.load(workerData.commits, 0);
      if (now === seen) return;
      seen = now;
      parentPort.postMessage(workerData.report);
    }, 5);
    parentPort.once('message', () => { clearInterval(timer); parentPort.close(); });`;
  return (workerData) => new Worker(code, { eval: true, workerData: { ...workerData, report } });
}

const failed = (fault: SqliteFault): CheckpointReport => ({
  kind: 'failed',
  fault,
  error: new Error(`of ${fault}`),
});

for (const fault of ['full', 'passing', 'other'] as const) {
  test(`a checkpoint that fails (${fault}) is told and counted, and writes go on`, async () => {
    await using world = await World.open({ openThread: reporting(failed(fault)) });
    await world.publish('a', 11);
    await until(() => world.troubles.length > 0);
    assert.deepEqual(new Set(world.troubles), new Set(['a checkpoint of the metadata failed']));
    assert.ok(world.metadata.statistics().checkpointFailures > 0);
    await world.publish('b', 12);
    assert.deepEqual(world.failures, []);
  });
}

test('a checkpoint that meets a failed disk or damage ends writing', async () => {
  for (const fault of ['disk', 'damage'] as const) {
    await using world = await World.open({ openThread: reporting(failed(fault)) });
    await world.publish('a', 11);
    await until(() => !world.metadata.statistics().isWritable);
    await assert.rejects(world.publish('b', 12), (error) => isServiceError(error, 'read_only'));
    assert.deepEqual(world.failures, fault === 'disk' ? ['of disk'] : []);
    assert.deepEqual(world.damages, fault === 'damage' ? ['of damage'] : []);
  }
});

test('a checkpoint thread that ends is begun anew and goes on', async () => {
  const threads: Worker[] = [];
  const openThread = (workerData: object) => {
    const thread = openCheckpointThread(workerData);
    threads.push(thread);
    return thread;
  };
  await using world = await World.open({ openThread });
  for (let death = 1; death <= 2; death += 1) {
    await world.publish(`of-${death}`, 10 + death);
    await until(() => world.metadata.statistics().logFrames > 0);
    await threads.at(-1)?.terminate();
    await until(() => threads.length > death);
    assert.equal(world.metadata.statistics().threadsLost, death);
  }
  await world.publish('last', 20);
  const { logFrames } = world.metadata.statistics();
  await until(() => {
    const { logFrames: now, pendingFrames } = world.metadata.statistics();
    return now !== logFrames && pendingFrames === 0;
  });
  assert.deepEqual(world.troubles, Array(2).fill('the checkpoint thread ended; it is begun anew'));
});

test('a thread that cannot be started stops nothing', async () => {
  const openThread = () => {
    throw new Error('ERR_WORKER_INIT_FAILED');
  };
  await using world = await World.open({ openThread });
  await world.publish('a', 11);
  assert.ok(world.metadata.statistics().threadsLost > 0);
  assert.equal(world.troubles[0], 'the checkpoint thread ended; it is begun anew');
});

test('a log that readers keep is told once it is long', async () => {
  const report = { kind: 'done', logFrames: 100_000, doneFrames: 0 };
  await using world = await World.open({ openThread: reporting(report) });
  const reader = new DatabaseSync(world.file, { readOnly: true });
  reader.exec('begin');
  reader.prepare('select count(*) from objects').get();
  await world.publish('a', 11);
  await until(() => world.troubles.length > 0);
  assert.equal(world.troubles[0], 'the log of the metadata grows: readers keep it');
  assert.equal(world.metadata.statistics().pendingFrames, 100_000);
  reader.close();
});
