/** Proves which versions have a deterministic URL under each setting, and whose files it finds. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryMetadata } from '../../engines/metadata/memory-metadata.ts';
import { isServiceError } from '../errors.ts';
import type { ContentHash } from '../ids.ts';
import type { Origin } from '../objects/object.ts';
import {
  insertAccount,
  sampleAccount,
  samplePublication,
  timeAt,
} from '../ports/metadata/contract/samples.ts';
import { hasDeterministicUrl, resolveDeterministicUrl } from './deterministic-url.ts';

const HASH = 'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262' as ContentHash;
const ORIGINS: readonly Origin[] = ['files', 's3', 'pinning'];

test('by default only what the Files API wrote has one; all or none when the owner says so', () => {
  const origins = (deterministicUrls: 'files' | 'all' | 'off') =>
    ORIGINS.filter((origin) =>
      hasDeterministicUrl({ deterministicUrls }, { origin, contentHash: HASH }),
    );
  assert.deepEqual(origins('files'), ['files']);
  assert.deepEqual(origins('all'), ORIGINS);
  assert.deepEqual(origins('off'), []);
  for (const deterministicUrls of ['files', 'all', 'off'] as const) {
    const version = { origin: 'files', contentHash: undefined } as const;
    assert.equal(hasDeterministicUrl({ deterministicUrls }, version), false);
  }
});

test('a URL finds a version of a dialect exactly when the status names the URL', async () => {
  for (const deterministicUrls of ['files', 'all', 'off'] as const) {
    for (const origin of ORIGINS) {
      const metadata = await MemoryMetadata.open();
      const account = await insertAccount(metadata, sampleAccount(2, { deterministicUrls }));
      const version = { origin, contentHash: HASH };
      await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1, version }));
      const isNamed = hasDeterministicUrl({ deterministicUrls }, version);
      for (const name of [account.slug, account.accountId]) {
        const found = resolveDeterministicUrl({ metadata }, { account: name, hash: HASH })
          .then(({ find }) => find())
          .catch((error: unknown) => {
            assert(isServiceError(error, 'object_not_found'));
            return undefined;
          });
        const key = (await found)?.key;
        assert.equal(key, isNamed ? 'a' : undefined, `${deterministicUrls} ${origin} ${name}`);
      }
    }
  }
});

test('what can be no hash and no account is not found, and a hash counts in either case', async () => {
  const metadata = await MemoryMetadata.open();
  const account = await insertAccount(metadata, sampleAccount(2));
  await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
  const resolve = (name: string, hash: string) =>
    resolveDeterministicUrl({ metadata }, { account: name, hash });
  const upper = await resolve(account.slug, HASH.toUpperCase());
  assert.equal((await upper.find())?.key, 'a');
  const notFound = (error: unknown) => isServiceError(error, 'object_not_found');
  for (const hash of ['', 'x', HASH.slice(1), `${HASH}0`, `${HASH}\n`, 'g'.repeat(64)]) {
    await assert.rejects(resolve(account.slug, hash), notFound, hash);
  }
  for (const name of ['', 'x', 'a'.repeat(12), 'A'.repeat(12), `${account.slug}x`, '\0']) {
    await assert.rejects(resolve(name, HASH), notFound, name);
  }
  // Engines are only asked for what can be an id.
  const unasked: typeof metadata = Object.assign(Object.create(metadata), {
    findAccount: () => assert.fail('what can be no id is looked up'),
    findAccountBySlug: () => assert.fail('what can be no slug is looked up'),
  } satisfies Partial<typeof metadata>);
  for (const name of ['', '\0', 'A'.repeat(12), account.accountId.toUpperCase()]) {
    const asked = resolveDeterministicUrl({ metadata: unasked }, { account: name, hash: HASH });
    await assert.rejects(asked, notFound, name);
  }
});

test('the files of a disabled account are refused, unless it shows none to anybody', async () => {
  for (const [deterministicUrls, code] of [
    ['files', 'account_disabled'],
    ['all', 'account_disabled'],
    ['off', 'object_not_found'],
  ] as const) {
    const metadata = await MemoryMetadata.open();
    const disabled = { disabledAt: timeAt(0), deterministicUrls };
    const account = await insertAccount(metadata, sampleAccount(2, disabled));
    await metadata.publishObject(samplePublication(account, { key: 'a', blobId: 1 }));
    for (const name of [account.slug, account.accountId]) {
      await assert.rejects(
        resolveDeterministicUrl({ metadata }, { account: name, hash: HASH }),
        (error) => isServiceError(error, code),
      );
    }
  }
});
