/** Listings: one suite for all engines. */
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';

import type { Account } from '../../../identity/account/account.ts';
import type { Metadata } from '../metadata.ts';
import type { ListEntry, ListPosition, ListQuery } from '../objects.ts';
import type { MetadataEngine, MetadataStore } from './metadata-engine.ts';
import { insertAccount, sampleAccount, samplePublication } from './samples.ts';

type Listed = AsyncDisposable & {
  readonly list: (query: Partial<ListQuery>) => Promise<readonly string[]>;
  readonly metadata: Metadata;
  readonly account: Account;
};

/** A store whose default bucket holds `keys`; entries are told as their key or `[prefix]`. */
async function filled(engine: MetadataEngine, keys: readonly string[]): Promise<Listed> {
  const store: MetadataStore = await engine.open();
  const { metadata } = store;
  const account = await insertAccount(metadata, sampleAccount(1));
  const other = await insertAccount(metadata, sampleAccount(2));
  await metadata.publishObject(samplePublication(other, { key: 'foreign', blobId: 100_000 }));
  await Promise.all(
    keys.map((key, index) =>
      metadata.publishObject(samplePublication(account, { key, blobId: index + 1 })),
    ),
  );
  const list = async (query: Partial<ListQuery>) => {
    const page = await metadata.listObjects({ ...queryOf(account), ...query });
    return [...page.entries.map(wordOf), ...(page.isTruncated ? ['…'] : [])];
  };
  return { list, metadata, account, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

function queryOf(account: Account): ListQuery {
  const bucketId = account.defaultBucketId;
  return { bucketId, prefix: '', delimiter: '', after: undefined, limit: 1000 };
}

function wordOf(entry: ListEntry): string {
  return entry.kind === 'object' ? entry.object.key : `[${entry.prefix}]`;
}

function afterKey(key: string): { readonly after: ListPosition } {
  return { after: { kind: 'afterKey', key } };
}

function afterPrefix(prefix: string): { readonly after: ListPosition } {
  return { after: { kind: 'afterPrefix', prefix } };
}

export function listingContract(engine: MetadataEngine): void {
  describe(`${engine.name}: listings`, () => listings(engine));
}

function listings(engine: MetadataEngine): void {
  test('keys are in order of their bytes, not of UTF-16', async () => {
    // U+FFFD sorts before U+1F600 as UTF-8 and after it as UTF-16.
    const keys = ['\u{1F600}', '\ufffd', 'z', 'Z', 'a b', 'a', 'a\u0001', 'ä', '~', '/', 'a/'];
    await using bucket = await filled(engine, keys);
    const expected = ['/', 'Z', 'a', 'a\u0001', 'a b', 'a/', 'z', '~', 'ä', '\ufffd', '\u{1F600}'];
    assert.deepEqual(await bucket.list({}), expected);
  });

  test('an entry holds the whole version', async () => {
    await using bucket = await filled(engine, []);
    const { metadata, account } = bucket;
    const publication = samplePublication(account, {
      key: 'k',
      blobId: 1,
      version: { userMetadata: { a: 'b' }, tags: { c: 'd' }, headers: { expires: '0' } },
    });
    await metadata.publishObject(publication);
    const { entries } = await metadata.listObjects(queryOf(account));
    assert.deepEqual(entries, [{ kind: 'object', object: publication.version }]);
  });

  test('a prefix narrows, also by half a character of a longer key', async () => {
    await using bucket = await filled(engine, ['a', 'a/', 'a/b', 'a0', 'b', 'ä', 'äö']);
    assert.deepEqual(await bucket.list({ prefix: 'a/' }), ['a/', 'a/b']);
    assert.deepEqual(await bucket.list({ prefix: 'ä' }), ['ä', 'äö']);
    assert.deepEqual(await bucket.list({ prefix: 'c' }), []);
    assert.deepEqual(await bucket.list({ prefix: '\ud800' }), []);
    assert.deepEqual(await bucket.list({ prefix: 'a\0' }), []);
  });

  test('a delimiter rolls keys up, whatever text it is', async () => {
    const keys = ['a', 'a/b', 'a/c/d', 'b', 'b/', 'b//', 'c--d--e', 'c--f', 'd'];
    await using bucket = await filled(engine, keys);
    assert.deepEqual(await bucket.list({ delimiter: '/' }), [
      'a',
      '[a/]',
      'b',
      '[b/]',
      'c--d--e',
      'c--f',
      'd',
    ]);
    assert.deepEqual(await bucket.list({ delimiter: '/', prefix: 'a/' }), ['a/b', '[a/c/]']);
    assert.deepEqual(await bucket.list({ delimiter: '/', prefix: 'b/' }), ['b/', '[b//]']);
    assert.deepEqual(await bucket.list({ delimiter: '--', prefix: 'c' }), ['[c--]']);
    assert.deepEqual(await bucket.list({ delimiter: '--', prefix: 'c--' }), ['[c--d--]', 'c--f']);
    assert.deepEqual(await bucket.list({ delimiter: 'none' }), keys.toSorted());
    assert.deepEqual(await bucket.list({ delimiter: '/', prefix: 'a' }), ['a', '[a/]']);
  });

  test('a delimiter of several bytes ends a common prefix exactly', async () => {
    await using bucket = await filled(engine, ['aä1', 'aä2', 'aå', 'x\u{1F600}y', 'x\u{1F601}']);
    assert.deepEqual(await bucket.list({ delimiter: 'ä' }), [
      '[aä]',
      'aå',
      'x\u{1F600}y',
      'x\u{1F601}',
    ]);
    assert.deepEqual(await bucket.list({ delimiter: '\u{1F600}', prefix: 'x' }), [
      '[x\u{1F600}]',
      'x\u{1F601}',
    ]);
  });

  test('a listing goes on after a key', async () => {
    await using bucket = await filled(engine, ['a', 'b', 'b\u0001', 'b0', 'c']);
    assert.deepEqual(await bucket.list(afterKey('b')), ['b\u0001', 'b0', 'c']);
    assert.deepEqual(await bucket.list(afterKey('bb')), ['c']);
    assert.deepEqual(await bucket.list(afterKey('')), ['a', 'b', 'b\u0001', 'b0', 'c']);
    assert.deepEqual(await bucket.list(afterKey('c')), []);
    assert.deepEqual(await bucket.list({ ...afterKey('a'), prefix: 'b' }), ['b', 'b\u0001', 'b0']);
    assert.deepEqual(await bucket.list({ ...afterKey('z'), prefix: 'b' }), []);
  });

  test('a position at a common prefix skips it, one inside leaves what follows', async () => {
    await using bucket = await filled(engine, ['a', 'b/1', 'b/2', 'b0', 'c/d/e', 'c/f']);
    const delimiter = '/';
    for (const position of [afterKey('b/'), afterPrefix('b/')]) {
      assert.deepEqual(await bucket.list({ delimiter, ...position }), ['b0', '[c/]']);
    }
    for (const key of ['b/0', 'b/1', 'b/1/x']) {
      const page = await bucket.list({ delimiter, ...afterKey(key) });
      assert.deepEqual(page, ['[b/]', 'b0', '[c/]'], key);
    }
    for (const key of ['b/2', 'b/zzz']) {
      assert.deepEqual(await bucket.list({ delimiter, ...afterKey(key) }), ['b0', '[c/]'], key);
    }
    const deep = { delimiter, ...afterKey('c/d/') };
    assert.deepEqual(await bucket.list(deep), ['[c/]']);
    assert.deepEqual(await bucket.list({ ...deep, prefix: 'c/' }), ['c/f']);
    assert.deepEqual(await bucket.list({ delimiter, ...afterKey('b') }), ['[b/]', 'b0', '[c/]']);
    assert.deepEqual(await bucket.list({ delimiter, prefix: 'c/', ...afterKey('c/d/e') }), ['c/f']);
    assert.deepEqual(await bucket.list({ delimiter, limit: 1, ...afterKey('b/1') }), ['[b/]', '…']);
    assert.deepEqual(await bucket.list(afterPrefix('b/')), ['b0', 'c/d/e', 'c/f']);
    assert.deepEqual(await bucket.list(afterPrefix('b')), ['c/d/e', 'c/f']);
    assert.deepEqual(await bucket.list(afterPrefix('')), []);
  });

  test('a page is truncated exactly when more follows', async () => {
    await using bucket = await filled(engine, ['a', 'b/1', 'b/2', 'c', 'd/1', 'd/2']);
    const delimiter = '/';
    assert.deepEqual(await bucket.list({ limit: 6 }), ['a', 'b/1', 'b/2', 'c', 'd/1', 'd/2']);
    assert.deepEqual(await bucket.list({ limit: 5 }), ['a', 'b/1', 'b/2', 'c', 'd/1', '…']);
    assert.deepEqual(await bucket.list({ limit: 4, delimiter }), ['a', '[b/]', 'c', '[d/]']);
    assert.deepEqual(await bucket.list({ limit: 3, delimiter }), ['a', '[b/]', 'c', '…']);
    assert.deepEqual(await bucket.list({ limit: 1, delimiter }), ['a', '…']);
    assert.deepEqual(await bucket.list({ limit: 1, delimiter, prefix: 'd' }), ['[d/]']);
    assert.deepEqual(await bucket.list({ limit: 2, delimiter, prefix: 'b/' }), ['b/1', 'b/2']);
    assert.deepEqual(await bucket.list({ limit: 1, prefix: 'b' }), ['b/1', '…']);
  });

  test('an empty bucket has an empty page', async () => {
    await using bucket = await filled(engine, []);
    assert.deepEqual(await bucket.list({}), []);
    assert.deepEqual(await bucket.list({ delimiter: '/' }), []);
  });

  test('pages of any size join to the whole', async () => {
    const keys = Array.from({ length: 120 }, (_, index) =>
      index % 3 === 0 ? `p${index % 7}/x${index}` : `k${index}${'/y'.repeat(index % 2)}`,
    );
    await using bucket = await filled(engine, keys);
    const { metadata, account } = bucket;
    for (const delimiter of ['', '/']) {
      const whole = await bucket.list({ delimiter });
      for (const limit of [1, 2, 7, 50]) {
        const words: string[] = [];
        let after: ListPosition | undefined;
        for (;;) {
          const page = await metadata.listObjects({ ...queryOf(account), delimiter, limit, after });
          words.push(...page.entries.map(wordOf));
          const last = page.entries.at(-1);
          if (!page.isTruncated || last === undefined) break;
          assert.equal(page.entries.length, limit);
          after =
            last.kind === 'object'
              ? { kind: 'afterKey', key: last.object.key }
              : { kind: 'afterPrefix', prefix: last.prefix };
        }
        assert.deepEqual(words, whole);
      }
    }
  });

  test('a page sees every commit that was acknowledged before', async () => {
    await using bucket = await filled(engine, []);
    const { metadata, account } = bucket;
    for (let index = 0; index < 20; index += 1) {
      const key = `k${String(index).padStart(3, '0')}`;
      await metadata.publishObject(samplePublication(account, { key, blobId: index + 1 }));
      const words = await bucket.list({});
      assert.equal(words.length, index + 1);
      assert.equal(words.at(-1), key);
    }
  });
}
