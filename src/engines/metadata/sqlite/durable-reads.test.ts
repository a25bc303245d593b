/**
 * Proves that a commit is seen by nobody before its log is synced: reads of what it changed are
 * answered as before it, others are answered at once, and whoever has been told of it finds it.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isServiceError } from '../../../core/errors.ts';
import type { Account } from '../../../core/identity/account/account.ts';
import type { LinkHash } from '../../../core/ids.ts';
import { inTransaction } from '../../../core/ports/metadata/contract/in-transaction.ts';
import {
  insertAccount,
  keyOf,
  NOW,
  sampleAccount,
  sampleDeletion,
  samplePublication,
  timeAt,
} from '../../../core/ports/metadata/contract/samples.ts';
import { type OpenSqliteMetadata, SqliteMetadata } from '../sqlite-metadata.ts';
import { openLogFile } from './wal.ts';

/** A log whose syncs can be held, and then let go or failed. */
class HeldLog {
  #held: PromiseWithResolvers<void> | undefined;
  #asked: PromiseWithResolvers<void> | undefined;

  readonly open = async (path: string) => {
    const log = await openLogFile(path);
    return {
      datasync: async () => {
        this.#asked?.resolve();
        await this.#held?.promise;
        await log.datasync();
      },
      close: () => log.close(),
    };
  };

  /** Answers when the next commit waits for its sync. */
  hold(): Promise<void> {
    this.#held = Promise.withResolvers();
    this.#held.promise.catch(() => undefined);
    this.#asked = Promise.withResolvers();
    return this.#asked.promise;
  }

  letGo(): void {
    this.#held?.resolve();
  }

  fail(): void {
    this.#held?.reject(new Error('EIO: i/o error, fdatasync'));
  }
}

type World = {
  readonly metadata: OpenSqliteMetadata;
  readonly log: HeldLog;
  readonly account: Account;
};

async function withWorld(run: (world: World) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-durable-'));
  const log = new HeldLog();
  try {
    const file = join(folder, 'metadata.db');
    await using metadata = await SqliteMetadata.open({ file, openLog: log.open });
    const account = await insertAccount(metadata, sampleAccount(1));
    await metadata.publishObject(samplePublication(account, { key: 'old', blobId: 1 }));
    await metadata.publishObject(samplePublication(account, { key: 'other', blobId: 2 }));
    try {
      await run({ metadata, log, account });
    } finally {
      // The engine waits for its syncs, also where the test has failed.
      log.letGo();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What readers see of the account's bucket. */
async function seen({ metadata, account }: World) {
  const bucketId = account.defaultBucketId;
  const page = await metadata.listObjects({
    bucketId,
    prefix: '',
    delimiter: '',
    after: undefined,
    limit: 10,
  });
  const fresh = await metadata.findObject(bucketId, keyOf('fresh'));
  return {
    listed: page.entries.map((entry) => JSON.stringify(entry)),
    isFreshThere: fresh !== undefined,
    old: (await metadata.findObject(bucketId, keyOf('old')))?.content[0]?.blob.blobId,
    other: (await metadata.findObject(bucketId, keyOf('other')))?.content[0]?.blob.blobId,
    storedBytes: (await metadata.findAccount(account.accountId))?.storedBytes,
    isDisabled: (await metadata.findAccount(account.accountId))?.disabledAt !== undefined,
    links: (await metadata.listLinks({ accountId: account.accountId, after: undefined, limit: 9 }))
      .length,
  };
}

const CHANGES: Readonly<Record<string, (world: World) => Promise<unknown>>> = {
  'a new object': ({ metadata, account }) =>
    metadata.publishObject(samplePublication(account, { key: 'fresh', blobId: 3 })),
  'a replaced object': ({ metadata, account }) =>
    metadata.publishObject(samplePublication(account, { key: 'old', blobId: 4 })),
  'a deleted object': ({ metadata, account }) =>
    metadata.deleteObject(sampleDeletion(account, 'old')),
  'a transaction': ({ metadata, account }) =>
    inTransaction(metadata, async (tx) => {
      await tx.updateAccount(account.accountId, { disabledAt: NOW });
      await tx.insertLink({
        hash: 'link' as LinkHash,
        accountId: account.accountId,
        bucketId: account.defaultBucketId,
        key: keyOf('old'),
        title: undefined,
        description: undefined,
        expiresAt: undefined,
        passwordHash: undefined,
        createdAt: timeAt(1),
      });
    }),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`${what} is seen once it is durable, and no read waits for that`, async () => {
    await withWorld(async (world) => {
      const before = await seen(world);
      const isCommitted = world.log.hold();
      let isAnswered = false;
      const changing = change(world).then(() => {
        isAnswered = true;
      });
      await isCommitted;
      for (let time = 0; time < 3; time += 1) assert.deepEqual(await seen(world), before);
      assert.equal(isAnswered, false);
      world.log.letGo();
      await changing;
      const after = await seen(world);
      assert.notDeepEqual(after, before, 'whoever was told of it finds it');
      assert.equal(after.other, before.other);
    });
  });
}

test('a snapshot, and a copy of the file, hold nothing that is not durable', async () => {
  await withWorld(async ({ metadata, log, account }) => {
    const isCommitted = log.hold();
    const publishing = metadata.publishObject(samplePublication(account, { key: 'a', blobId: 7 }));
    await isCommitted;
    let isTaken = false;
    const snapshot = metadata.snapshot(async () => {
      isTaken = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(isTaken, false);
    log.letGo();
    await Promise.all([publishing, snapshot]);
    assert.equal(isTaken, true);
  });
});

test('after a sync that failed, reads stay before its commit', async () => {
  await withWorld(async (world) => {
    const before = await seen(world);
    const isCommitted = world.log.hold();
    const { metadata, account, log } = world;
    const changing = metadata.publishObject(
      samplePublication(account, { key: 'fresh', blobId: 3 }),
    );
    const isRefused = assert.rejects(changing, (error) => isServiceError(error, 'read_only'));
    await isCommitted;
    const snapshot = assert.rejects(
      metadata.snapshot(async () => undefined),
      (error) => isServiceError(error, 'read_only'),
    );
    log.fail();
    await Promise.all([isRefused, snapshot]);
    assert.deepEqual(await seen(world), before);
    await assert.rejects(
      metadata.snapshot(async () => undefined),
      (error) => isServiceError(error, 'read_only'),
    );
  });
});
