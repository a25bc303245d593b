/** Lists of multipart uploads: one suite for all engines. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';

import type { Account } from '../../../identity/account/account.ts';
import type { Metadata } from '../metadata.ts';
import type { UploadEntry, UploadPosition, UploadQuery } from '../uploads.ts';
import type { MetadataEngine, MetadataStore } from './metadata-engine.ts';
import { insertAccount, sampleAccount } from './samples.ts';
import {
  sampleBeginning,
  sampleCompletion,
  samplePartOf,
  sampleUpload,
  sampleUploadId,
} from './upload-samples.ts';

type Listed = AsyncDisposable & {
  readonly list: (query: Partial<UploadQuery>) => Promise<readonly string[]>;
  readonly metadata: Metadata;
  readonly account: Account;
};

/** A bucket with uploads of `keys`, numbered from 1 in this order; told as `key#number`. */
async function filled(engine: MetadataEngine, keys: readonly string[]): Promise<Listed> {
  const store: MetadataStore = await engine.open();
  const { metadata } = store;
  const account = await insertAccount(metadata, sampleAccount(1));
  const other = await insertAccount(metadata, sampleAccount(2));
  await metadata.insertUpload(
    sampleBeginning(sampleUpload(other, { key: 'foreign', number: 1_000_000 })),
  );
  await Promise.all(
    keys.map((key, index) =>
      metadata.insertUpload(sampleBeginning(sampleUpload(account, { key, number: index + 1 }))),
    ),
  );
  const list = async (query: Partial<UploadQuery>) => {
    const page = await metadata.listUploads({ ...queryOf(account), ...query });
    return [...page.entries.map(wordOf), ...(page.isTruncated ? ['…'] : [])];
  };
  return { list, metadata, account, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

function queryOf(account: Account): UploadQuery {
  const bucketId = account.defaultBucketId;
  return { bucketId, prefix: '', delimiter: '', after: undefined, limit: 1000 };
}

function wordOf(entry: UploadEntry): string {
  if (entry.kind === 'prefix') return `[${entry.prefix}]`;
  return `${entry.upload.key}#${Number(entry.upload.uploadId)}`;
}

function afterUpload(key: string, number: number): { readonly after: UploadPosition } {
  return { after: { kind: 'afterUpload', key, uploadId: sampleUploadId(number) } };
}

function afterKey(key: string): { readonly after: UploadPosition } {
  return { after: { kind: 'afterKey', key } };
}

export function uploadListingContract(engine: MetadataEngine): void {
  describe(`${engine.name}: lists of multipart uploads`, () => lists(engine));
}

function lists(engine: MetadataEngine): void {
  test('uploads are in order of key bytes, then of their starts', async () => {
    await using bucket = await filled(engine, ['b', '\u{1F600}', 'a', '\ufffd', 'a', 'B', 'a']);
    const whole = ['B#6', 'a#3', 'a#5', 'a#7', 'b#1', '\ufffd#4', '\u{1F600}#2'];
    assert.deepEqual(await bucket.list({}), whole);
    assert.deepEqual(await bucket.list({ prefix: 'a' }), ['a#3', 'a#5', 'a#7']);
    assert.deepEqual(await bucket.list({ prefix: 'c' }), []);
  });

  test('an entry holds the whole upload; ended ones have none', async () => {
    await using bucket = await filled(engine, ['a', 'b', 'c']);
    const { metadata, account } = bucket;
    const [a, b, c] = ['a', 'b', 'c'].map((key, index) =>
      sampleUpload(account, { key, number: index + 1 }),
    );
    assert(a && b && c);
    await metadata.savePart(samplePartOf(a, { number: 1, blobId: 1 }));
    await metadata.completeUpload(sampleCompletion(a, [1]));
    await metadata.abortUpload({ address: b, at: b.createdAt });
    const page = await metadata.listUploads(queryOf(account));
    assert.deepEqual(page, { entries: [{ kind: 'upload', upload: c }], isTruncated: false });
  });

  test('a delimiter rolls keys up', async () => {
    await using bucket = await filled(engine, ['a', 'b/1', 'b/2', 'b/2', 'b0', 'c/d/e', 'a']);
    const delimiter = '/';
    assert.deepEqual(await bucket.list({ delimiter }), ['a#1', 'a#7', '[b/]', 'b0#5', '[c/]']);
    assert.deepEqual(await bucket.list({ delimiter, prefix: 'b/' }), ['b/1#2', 'b/2#3', 'b/2#4']);
    assert.deepEqual(await bucket.list({ delimiter, limit: 3 }), ['a#1', 'a#7', '[b/]', '…']);
    assert.deepEqual(await bucket.list({ delimiter, limit: 1, prefix: 'c' }), ['[c/]']);
    for (const position of [afterUpload('b/1', 9), afterUpload('b/2', 3), afterKey('b/1')]) {
      const page = await bucket.list({ delimiter, ...position });
      assert.deepEqual(page, ['[b/]', 'b0#5', '[c/]']);
    }
    for (const position of [
      ...[afterKey('b/'), afterUpload('b/', 1)],
      ...[afterKey('b/2'), afterUpload('b/2', 4)],
    ]) {
      assert.deepEqual(await bucket.list({ delimiter, ...position }), ['b0#5', '[c/]']);
    }
    const after = { kind: 'afterPrefix', prefix: 'b/' } as const;
    assert.deepEqual(await bucket.list({ delimiter, after }), ['b0#5', '[c/]']);
  });

  test('a list goes on after a key, or after an upload that may be gone', async () => {
    await using bucket = await filled(engine, ['a', 'b', 'b', 'b', 'c']);
    assert.deepEqual(await bucket.list(afterKey('b')), ['c#5']);
    assert.deepEqual(await bucket.list(afterKey('')), ['a#1', 'b#2', 'b#3', 'b#4', 'c#5']);
    assert.deepEqual(await bucket.list(afterUpload('b', 2)), ['b#3', 'b#4', 'c#5']);
    const { metadata, account } = bucket;
    const gone = sampleUpload(account, { key: 'b', number: 3 });
    await metadata.abortUpload({ address: gone, at: gone.createdAt });
    assert.deepEqual(await bucket.list(afterUpload('b', 3)), ['b#4', 'c#5']);
    assert.deepEqual(await bucket.list({ ...afterUpload('b', 3), prefix: 'b' }), ['b#4']);
    assert.deepEqual(await bucket.list(afterUpload('aa', 9)), ['b#2', 'b#4', 'c#5']);
    assert.deepEqual(await bucket.list({ ...afterUpload('a', 0), prefix: 'b' }), ['b#2', 'b#4']);
    assert.deepEqual(await bucket.list({ ...afterUpload('z', 0), prefix: 'b' }), []);
    assert.deepEqual(await bucket.list(afterUpload('c', 5)), []);
  });

  test('pages of any size join to the whole', async () => {
    const keys = Array.from({ length: 60 }, (_, index) =>
      index % 3 === 0 ? `p${index % 5}/x${index % 2}` : `k${index % 7}`,
    );
    await using bucket = await filled(engine, keys);
    const { metadata, account } = bucket;
    for (const delimiter of ['', '/']) {
      const whole = await bucket.list({ delimiter });
      for (const limit of [1, 2, 7]) {
        const words: string[] = [];
        for (let after: UploadPosition | undefined; ; ) {
          const page = await metadata.listUploads({
            ...queryOf(account),
            ...{ delimiter, limit, after },
          });
          words.push(...page.entries.map(wordOf));
          const last = page.entries.at(-1);
          if (!page.isTruncated || last === undefined) break;
          after =
            last.kind === 'prefix'
              ? { kind: 'afterPrefix', prefix: last.prefix }
              : { kind: 'afterUpload', key: last.upload.key, uploadId: last.upload.uploadId };
        }
        assert.deepEqual(words, whole);
      }
    }
  });
}
