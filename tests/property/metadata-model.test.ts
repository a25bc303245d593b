/**
 * One sequence of commands of objects and uploads is answered alike by every metadata engine, the
 * memory engine being the model; and pages of any size join to the whole listing.
 */

import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { isServiceError } from '../../src/core/errors.ts';
import type { Account } from '../../src/core/identity/account/account.ts';
import type { BlobId, BucketId, ContentHash } from '../../src/core/ids.ts';
import {
  type Footprint,
  footprintChange,
  partFootprint,
  uploadFootprint,
  versionFootprint,
} from '../../src/core/objects/commit/footprint.ts';
import { inTransaction } from '../../src/core/ports/metadata/contract/in-transaction.ts';
import {
  insertAccount,
  keyOf,
  mustNotExist,
  sampleAccount,
  sampleDeletion,
  samplePart,
  samplePublication,
  timeAt,
} from '../../src/core/ports/metadata/contract/samples.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import type { ListPosition } from '../../src/core/ports/metadata/objects.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';
import { PostgresMetadata } from '../../src/engines/metadata/postgres-metadata.ts';
import { SqliteMetadata } from '../../src/engines/metadata/sqlite-metadata.ts';
import { runsOf } from '../world/effort.ts';
import { startPostgres } from '../world/postgres.ts';
import { answerUpload, uploadCommand } from './upload-commands.ts';

const RUNS = runsOf({ short: 150, long: 3000 });
const COMMANDS_MAX = 40;

/** Few letters, so that keys, prefixes and delimiters meet; some whose UTF-16 order differs. */
const letters = fc.constantFrom('a', 'b', '/', '//', '-', 'ä', '\ufffd', '\u{1F600}', '\u0001');
const text = fc.array(letters, { maxLength: 5 }).map((parts) => parts.join(''));
const key = text.filter((each) => each !== '');

const position: fc.Arbitrary<ListPosition | undefined> = fc.option(
  fc.oneof(
    fc.record({ kind: fc.constant('afterKey' as const), key: text }),
    fc.record({ kind: fc.constant('afterPrefix' as const), prefix: text }),
  ),
  { nil: undefined },
);

const delimiter = fc.constantFrom('', '/', '//', 'a', 'ä/', '\u{1F600}');
const hash = fc.constantFrom(...['11', '22'].map((pair) => pair.repeat(32) as ContentHash));
/** Within the row's 1,024 and above them, by bytes that are no characters. */
const userMetadata = fc.constantFrom({}, { a: 'b' }, { a: 'ä'.repeat(600), '"': '\n' });
const tags = fc.constantFrom({}, {}, { t: '\u{1F600}'.repeat(300) });
const origin = fc.constantFrom('files' as const, 's3' as const);

const command = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('publish' as const),
      key,
      hash,
      origin,
      sizes: fc.array(fc.nat(9), { maxLength: 3 }),
      userMetadata,
      tags,
      mustBeNew: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('copy' as const), key, to: key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), key, to: key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('find' as const), key }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('findByHash' as const),
      hash,
      origin: fc.option(origin, { nil: undefined }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('list' as const),
      prefix: text,
      delimiter,
      after: position,
      limit: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'blobs' as const }) },
  { weight: 10, arbitrary: uploadCommand },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

const engines: { readonly name: string; readonly metadata: Metadata }[] = [];
const endings: (() => PromiseLike<void>)[] = [];

before(async () => {
  const add = (name: string, metadata: Metadata) => {
    engines.push({ name, metadata });
    endings.unshift(() => metadata[Symbol.asyncDispose]());
  };
  const folder = await mkdtemp(join(tmpdir(), 'pinfold-model-'));
  endings.unshift(() => rm(folder, { recursive: true }));
  add('memory', await MemoryMetadata.open());
  add('sqlite', await SqliteMetadata.open({ file: join(folder, 'metadata.db') }));
  const server = await startPostgres();
  if (server === undefined) return;
  endings.unshift(() => server[Symbol.asyncDispose]());
  add('postgres', await PostgresMetadata.open({ url: await server.freshDatabase() }));
});

after(async () => {
  for (const end of endings) await end();
});

/** Every run has an account of its own, so that the stores need not be made anew. */
let runNumber = 0;

async function answer(metadata: Metadata, account: Account, run: Command, step: number) {
  const bucketId = account.defaultBucketId;
  const at = timeAt(step);
  // Blob numbers differ between runs and steps, and are the same in every engine.
  const blobId = (runNumber * COMMANDS_MAX + step) * 4 + 1;
  switch (run.kind) {
    case 'publish': {
      const content = run.sizes.map((sizeBytes, part) => samplePart(blobId + part, sizeBytes));
      const sizeBytes = run.sizes.reduce((sum, size) => sum + size, 0);
      const { hash: contentHash, origin: by, userMetadata: own, tags: named } = run;
      const described = { userMetadata: own, tags: named };
      const version = { contentHash, origin: by, createdAt: at, ...described };
      const sample = { key: run.key, blobId, sizeBytes, version };
      const demands = run.mustBeNew ? mustNotExist : [];
      return metadata.publishObject(samplePublication(account, sample, { content, demands }));
    }
    case 'copy':
      return inTransaction(metadata, async (tx) => {
        const source = await tx.findObject(bucketId, keyOf(run.key));
        if (source === undefined) return 'nothing to copy';
        const { content, ...version } = source;
        const copy = {
          key: run.to,
          blobId,
          version: { ...version, key: keyOf(run.to), createdAt: at },
        };
        const { sizeBytes } = source;
        return tx.publishObject(samplePublication(account, { ...copy, sizeBytes }, { content }));
      });
    case 'move':
      return inTransaction(metadata, (tx) =>
        tx.moveObject({ bucketId, from: keyOf(run.key), to: keyOf(run.to), at }),
      );
    case 'delete':
      return metadata.deleteObject(sampleDeletion(account, run.key, { at }));
    case 'find':
      return metadata.findObject(bucketId, keyOf(run.key));
    case 'findByHash':
      return metadata.findObjectByHash(bucketId, run.hash, run.origin);
    case 'list':
      return metadata.listObjects({ bucketId, ...run });
    case 'blobs': {
      const first = (runNumber * COMMANDS_MAX * 4) as BlobId;
      const live = await metadata.listBlobs({ after: first, limit: 1000 });
      const kept = await metadata.findAccount(account.accountId);
      assert.deepEqual(sumsOf(kept), await recount(metadata, bucketId));
      return { live, account: kept };
    }
    default:
      return answerUpload(metadata, account, run, { run: runNumber, blobId, at });
  }
}

function sumsOf(account: Account | undefined) {
  return {
    storedBytes: Number(account?.storedBytes),
    countedBytes: Number(account?.countedBytes),
  };
}

/** The sums of an account with this bucket alone, by what its reads show. */
async function recount(metadata: Metadata, bucketId: BucketId): Promise<Footprint> {
  const all = { bucketId, prefix: '', delimiter: '', after: undefined, limit: 1000 };
  const added: Footprint[] = [];
  for (const entry of (await metadata.listObjects(all)).entries) {
    if (entry.kind === 'object') added.push(versionFootprint(entry.object));
  }
  for (const entry of (await metadata.listUploads(all)).entries) {
    if (entry.kind !== 'upload') continue;
    const { uploadId } = entry.upload;
    const parts = await metadata.listParts({ uploadId, after: 0, limit: 1000 });
    added.push(uploadFootprint(entry.upload), ...parts.map(partFootprint));
  }
  return footprintChange({ added, removed: [] });
}

/** Answers and refusals, without what may differ: the numbers of buckets. */
async function outcome(
  metadata: Metadata,
  account: Account,
  run: Command,
  step: number,
): Promise<unknown> {
  try {
    const value = await answer(metadata, account, run, step);
    const words = JSON.stringify({ value }, (name, each) => {
      if (name === 'bucketId' || name === 'defaultBucketId') return 'bucket';
      return typeof each === 'bigint' ? `${each}n` : each;
    });
    return JSON.parse(words);
  } catch (error) {
    if (!isServiceError(error)) throw error;
    return error.code;
  }
}

function newAccounts(): Promise<readonly Account[]> {
  runNumber += 1;
  // The slug is the run's number in letters.
  const digits = runNumber.toString(26).padStart(12, '0');
  const slug = digits.replace(/./g, (digit) =>
    String.fromCharCode(97 + Number.parseInt(digit, 26)),
  ) as Account['slug'];
  const account = sampleAccount(runNumber, { slug });
  return Promise.all(engines.map(({ metadata }) => insertAccount(metadata, account)));
}

test('PostgreSQL is among the engines', (t) => {
  if (engines.length < 3) t.skip('PostgreSQL is not installed');
});

test('every engine answers a sequence of commands as the model does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: COMMANDS_MAX }), async (commands) => {
      const accounts = await newAccounts();
      for (const [step, run] of [...commands, { kind: 'blobs' as const }].entries()) {
        const answers = await Promise.all(
          engines.map(({ metadata }, index) => {
            const account = accounts[index];
            assert(account, 'every engine has the account');
            return outcome(metadata, account, run, step);
          }),
        );
        for (const [index, each] of answers.entries()) {
          const where = `${engines[index]?.name} at step ${step}: ${run.kind}`;
          assert.deepEqual(each, answers[0], where);
        }
      }
    }),
    { numRuns: RUNS },
  );
});

test('pages of any size join to the whole listing', async () => {
  const sample = fc.record({
    keys: fc.array(key, { maxLength: 25 }),
    prefix: text,
    delimiter,
    limit: fc.integer({ min: 1, max: 7 }),
  });
  await fc.assert(
    fc.asyncProperty(sample, async ({ keys, prefix, limit, ...query }) => {
      const accounts = await newAccounts();
      for (const [index, { metadata, name }] of engines.entries()) {
        const account = accounts[index];
        assert(account, 'every engine has the account');
        const publish = (each: string, number: number) => {
          const blobId = runNumber * 100 + number + 1_000_000_000;
          return metadata.publishObject(samplePublication(account, { key: each, blobId }));
        };
        await Promise.all(keys.map(publish));
        const list = (after: ListPosition | undefined, size: number) =>
          metadata.listObjects({
            bucketId: account.defaultBucketId,
            prefix,
            ...query,
            after,
            limit: size,
          });
        const whole = await list(undefined, 1000);
        assert.equal(whole.isTruncated, false);
        const joined = [];
        for (let after: ListPosition | undefined; ; ) {
          const page = await list(after, limit);
          joined.push(...page.entries);
          const last = page.entries.at(-1);
          if (!page.isTruncated || last === undefined) break;
          after =
            last.kind === 'object'
              ? { kind: 'afterKey', key: last.object.key }
              : { kind: 'afterPrefix', prefix: last.prefix };
        }
        assert.deepEqual(joined, whole.entries, name);
      }
    }),
    { numRuns: RUNS },
  );
});
