/**
 * Proves that look-ups kept in memory are those of the file at every moment, whatever is changed
 * and however reads and changes meet, and that who changes much makes nobody else's be read again.
 */
import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { runsOf } from '../../../../tests/world/effort.ts';
import type { Account } from '../../../core/identity/account/account.ts';
import type { S3Key } from '../../../core/identity/s3-keys/s3-key.ts';
import type { AccessKeyId, AccountId, BucketName, LinkHash } from '../../../core/ids.ts';
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
import type { MetadataTx } from '../../../core/ports/metadata/metadata.ts';
import { type OpenSqliteMetadata, SqliteMetadata } from '../sqlite-metadata.ts';
import { AccountCache } from './account-cache.ts';
import { LookUpCache } from './look-up-cache.ts';

const RUNS = runsOf({ short: 40, long: 500 });
const ACCOUNTS = 3;
const LINKS = 300;

const accountIdOf = (number: number) => sampleAccount(number).accountId;
const keyIdOf = (number: number) => `AAAABBBBCCCCDDDDEEE${number + 1}` as AccessKeyId;
const bucketNameOf = (number: number) => `bucket-${number}` as BucketName;

function sampleKey(number: number): S3Key {
  return {
    accessKeyId: keyIdOf(number),
    accountId: accountIdOf(number),
    name: undefined,
    secretCiphertext: `v1.kid.nonce.${number}`,
    isReadOnly: false,
    bucketId: undefined,
    prefix: undefined,
    createdAt: timeAt(number),
    lastUsedAt: undefined,
    revokedAt: undefined,
    tokenId: undefined,
    expiresAt: undefined,
  };
}

async function withMetadata(run: (metadata: OpenSqliteMetadata) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-look-ups-'));
  try {
    await using metadata = await SqliteMetadata.open({ file: join(folder, 'metadata.db') });
    for (let number = 0; number < ACCOUNTS; number += 1) {
      await insertAccount(metadata, sampleAccount(number));
    }
    await run(metadata);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What requests look up, of all names, also such that stand no longer. */
async function lookUp(from: MetadataTx | OpenSqliteMetadata, hashes: ReadonlySet<string>) {
  const numbers = Array.from({ length: ACCOUNTS }, (_, number) => number);
  return {
    accounts: await Promise.all(numbers.map((number) => from.findAccount(accountIdOf(number)))),
    byAppKey: await Promise.all([...hashes].map((hash) => from.findAccountByAppKey(hash))),
    keys: await Promise.all(numbers.map((number) => from.findS3Key(keyIdOf(number)))),
    buckets: await Promise.all(numbers.map((number) => from.findBucket(bucketNameOf(number)))),
  };
}

const number = fc.nat({ max: ACCOUNTS - 1 });
const change = fc.oneof(
  fc.record({ kind: fc.constant('disable' as const), number, on: fc.boolean() }),
  fc.record({ kind: fc.constant('rotate' as const), number, hash: fc.constantFrom('x', 'y', 'z') }),
  fc.record({ kind: fc.constant('insertKey' as const), number }),
  fc.record({ kind: fc.constant('revokeKey' as const), number, at: fc.nat(9) }),
  fc.record({ kind: fc.constant('touchKey' as const), number, at: fc.nat(9) }),
  fc.record({ kind: fc.constant('deleteKeys' as const) }),
  fc.record({ kind: fc.constant('insertBucket' as const), number }),
  fc.record({ kind: fc.constant('deleteBucket' as const), number }),
  fc.record({ kind: fc.constant('publicRead' as const), number, on: fc.boolean() }),
  fc.record({ kind: fc.constant('publish' as const), number, isInTransaction: fc.boolean() }),
  fc.record({ kind: fc.constant('delete' as const), number, isInTransaction: fc.boolean() }),
);
type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
const step = fc.record({
  change,
  isRolledBack: fc.boolean(),
  /** Turns of the loop between the change's beginning and the reads beside it. */
  turns: fc.nat(4),
});

class World {
  readonly metadata: OpenSqliteMetadata;
  readonly hashes = new Set(Array.from({ length: ACCOUNTS }, (_, each) => `app-key-hash-${each}`));
  readonly #nextBlobId: () => number;

  constructor(metadata: OpenSqliteMetadata, nextBlobId: () => number) {
    this.metadata = metadata;
    this.#nextBlobId = nextBlobId;
  }

  /** One change, which may be refused by what stands. */
  async apply(asked: Change): Promise<void> {
    const { metadata } = this;
    if (asked.kind === 'publish' || asked.kind === 'delete') {
      const account = await metadata.findAccount(accountIdOf(asked.number));
      assert.ok(account !== undefined);
      const run = this.#objectChange(asked.kind, account);
      await (asked.isInTransaction ? inTransaction(metadata, run) : run(metadata));
      return;
    }
    await inTransaction(metadata, (tx) => this.write(tx, asked));
  }

  #objectChange(kind: 'publish' | 'delete', account: Account) {
    if (kind === 'delete') {
      const deletion = sampleDeletion(account, 'key');
      return async (to: Pick<MetadataTx, 'deleteObject'>) => void (await to.deleteObject(deletion));
    }
    const publication = samplePublication(account, { key: 'key', blobId: this.#nextBlobId() });
    return async (to: Pick<MetadataTx, 'publishObject'>) =>
      void (await to.publishObject(publication));
  }

  async write(tx: MetadataTx, asked: Change): Promise<void> {
    switch (asked.kind) {
      case 'disable':
        return await tx.updateAccount(accountIdOf(asked.number), {
          disabledAt: asked.on ? NOW : null,
        });
      case 'rotate': {
        const appKeyHash = `${asked.hash}-${asked.number}`;
        this.hashes.add(appKeyHash);
        return await tx.updateAccount(accountIdOf(asked.number), { appKeyHash });
      }
      case 'insertKey':
        if ((await tx.findS3Key(keyIdOf(asked.number))) !== undefined) return;
        return await tx.insertS3Key(sampleKey(asked.number));
      case 'revokeKey':
        return void (await tx.revokeS3Key(
          accountIdOf(asked.number),
          keyIdOf(asked.number),
          timeAt(asked.at),
        ));
      case 'touchKey':
        return await tx.touchS3Key(keyIdOf(asked.number), timeAt(asked.at));
      case 'deleteKeys':
        return void (await tx.deleteS3Keys(timeAt(5), 2));
      case 'insertBucket':
      case 'deleteBucket':
      case 'publicRead':
        return await writeBucket(tx, asked);
      case 'publish':
      case 'delete':
        return;
    }
  }
}

async function writeBucket(
  tx: MetadataTx,
  asked: Extract<Change, { kind: 'insertBucket' | 'deleteBucket' | 'publicRead' }>,
): Promise<void> {
  const name = bucketNameOf(asked.number);
  const standing = await tx.findBucket(name);
  if (asked.kind === 'insertBucket' && standing === undefined) {
    const documents = { cors: undefined, policy: undefined, lifecycle: undefined };
    await tx.insertBucket({
      accountId: accountIdOf(asked.number),
      name,
      publicRead: false,
      documents: { ...documents, tagging: undefined },
      createdAt: NOW,
    });
  }
  if (standing === undefined) return;
  if (asked.kind === 'deleteBucket') await tx.deleteBucket(standing.bucketId);
  if (asked.kind === 'publicRead') {
    await tx.updateBucket(standing.bucketId, { publicRead: asked.on });
  }
}

test('what is looked up is what the file holds, whatever changes beside it', async () => {
  await withMetadata(async (metadata) => {
    let blobId = 0;
    const nextBlobId = () => ++blobId;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const world = new World(metadata, nextBlobId);
        for (const { change: asked, isRolledBack, turns } of steps) {
          const changing = isRolledBack ? rollBack(world, asked) : world.apply(asked);
          for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
          const reading = lookUp(metadata, world.hashes);
          await Promise.all([changing, reading]);
          const seen = await lookUp(metadata, world.hashes);
          const held = await inTransaction(metadata, (tx) => lookUp(tx, world.hashes));
          assert.deepEqual(seen, held);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

async function rollBack(world: World, asked: Change): Promise<void> {
  const stop = new Error('rolled back');
  const trying = inTransaction(world.metadata, async (tx) => {
    await world.write(tx, asked);
    throw stop;
  });
  await assert.rejects(trying, (error) => error === stop);
}

test('what was read before a change is not kept after it', async () => {
  await withMetadata(async (metadata) => {
    const account = await metadata.findAccount(accountIdOf(0));
    assert.ok(account !== undefined);
    const accounts = new AccountCache();
    const { generation } = accounts;
    accounts.drop([account.accountId]);
    accounts.keep(account, generation);
    assert.equal(accounts.findById(account.accountId), undefined);
    accounts.keep(account, accounts.generation);
    assert.equal(accounts.findById(account.accountId), account);

    const lookUps = new LookUpCache();
    const name = account.slug as string as BucketName;
    let reads = 0;
    const isRead = Promise.withResolvers<void>();
    const { findBucket } = lookUps.over({
      ...metadata,
      findBucket: async (asked) => {
        reads += 1;
        const bucket = await metadata.findBucket(asked);
        await isRead.promise;
        return bucket;
      },
    });
    const reading = findBucket(name);
    lookUps.drop({ s3Keys: new Set(), buckets: new Set([name]) });
    isRead.resolve();
    await reading;
    await findBucket(name);
    await findBucket(name);
    assert.equal(reads, 2);
  });
});

test('links made in a loop make nobody else’s look-ups be read again', async () => {
  await withMetadata(async (metadata) => {
    const [own, other] = [accountIdOf(0), accountIdOf(1)];
    await inTransaction(metadata, (tx) => tx.insertS3Key(sampleKey(1)));
    const found = await metadata.findAccount(other);
    assert.ok(found !== undefined);
    const bucketName = found.slug as string as BucketName;
    const read = async () => [
      await metadata.findAccount(other),
      await metadata.findAccountByAppKey('app-key-hash-1'),
      await metadata.findS3Key(keyIdOf(1)),
      await metadata.findBucket(bucketName),
    ];
    const before = await read();
    assert.ok(before.every((row) => row !== undefined));
    for (let index = 0; index < LINKS; index += 1) await makeLink(metadata, own, index);
    await inTransaction(metadata, (tx) => tx.updateAccount(own, { disabledAt: NOW }));
    await metadata.forgetDeadBlobs([]);
    const after = await read();
    // The very same objects: what is read again is made anew.
    after.forEach((row, index) => {
      assert.equal(row, before[index]);
    });
    assert.equal((await metadata.findAccount(own))?.disabledAt, NOW);
  });
});

async function makeLink(
  metadata: OpenSqliteMetadata,
  accountId: AccountId,
  index: number,
): Promise<void> {
  const account = await metadata.findAccount(accountId);
  assert.ok(account !== undefined);
  await inTransaction(metadata, (tx) =>
    tx.insertLink({
      hash: `link-${index}` as LinkHash,
      accountId,
      bucketId: account.defaultBucketId,
      key: keyOf('key'),
      title: undefined,
      description: undefined,
      expiresAt: undefined,
      passwordHash: undefined,
      createdAt: timeAt(index),
    }),
  );
}
