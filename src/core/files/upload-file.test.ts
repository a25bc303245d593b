/** Proves the trace that an upload leaves: its rows on the way, at its end, and when it fails. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FakeClock } from '../../../tests/world/fake-clock.ts';
import { byToken } from '../../../tests/world/files-world.ts';
import { seededRandom } from '../../../tests/world/seeded-random.ts';
import { openUnderWay } from '../../../tests/world/under-way.ts';
import { MemoryBlobStore } from '../../engines/blobs/memory/memory-blob-store.ts';
import { ThreadDigesters } from '../../engines/digests/thread-digesters.ts';
import { MemoryMetadata } from '../../engines/metadata/memory-metadata.ts';
import { isServiceError, ServiceError } from '../errors.ts';
import { SMALL_BODY_BYTES_MAX } from '../limits.ts';
import type { ByteSource } from '../ports/byte-source.ts';
import { NO_FAULTS } from '../ports/fault-points.ts';
import { insertAccount, keyOf, sampleAccount } from '../ports/metadata/contract/samples.ts';
import type { Transactions } from '../ports/metadata/metadata.ts';
import { SCOPES } from '../principal.ts';
import { type FileUpload, uploadFile } from './upload-file.ts';
import { findUploadStatus } from './upload-status.ts';

const LARGE = SMALL_BODY_BYTES_MAX + 1;

async function openWorld() {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock();
  const account = await insertAccount(metadata, sampleAccount(3));
  const { accountId, slug, defaultBucketId, role } = account;
  const principal = {
    accountId,
    slug,
    defaultBucketId,
    role,
    credential: { kind: 'appKey' },
  } as const;
  const blobs = new MemoryBlobStore({ ids: metadata, rows: metadata, now: () => clock.now() });
  const deps = {
    metadata,
    blobs,
    clock,
    digesters: new ThreadDigesters(),
    faults: NO_FAULTS,
    random: seededRandom('uploads'),
    quota: { freeStorageBytes: 10_000_000n, freeEgressBytes: 0n },
    capacity: { storedBytes: () => 0n, capacityBytes: undefined },
    underWay: openUnderWay(),
  };
  const upload = (body: ByteSource, change: Partial<FileUpload> = {}): FileUpload => ({
    principal,
    name: 'a',
    contentType: 'text/plain',
    contentEncoding: undefined,
    tier: 'normal',
    body,
    conditions: {},
    isExpectingContinue: false,
    ...change,
  });
  const row = async () => await metadata.findNewestOperation(accountId, keyOf('a'));
  const status = () => findUploadStatus(deps, principal, { kind: 'byName', name: 'a' });
  return { metadata, clock, deps, upload, row, status };
}

/** A body that runs `between` after each of its chunks. */
function bodyOf(sizes: readonly number[], between: (index: number) => Promise<void> | void) {
  return (declaredBytes: number | undefined): ByteSource => ({
    declaredBytes,
    pipeTo: async (sink) => {
      for (const [index, size] of sizes.entries()) {
        await sink(Buffer.alloc(size, 'x'));
        await between(index);
      }
    },
  });
}

test('a small upload has one row, written with the object', async () => {
  const { deps, upload, row, status } = await openWorld();
  const seen: unknown[] = [];
  const body = bodyOf([10], async () => void seen.push(await row()));
  const operation = await uploadFile(deps, upload(body(10)));
  assert.deepEqual(seen, [undefined]);
  assert.deepEqual(await row(), operation);
  assert.deepEqual(
    [operation.status, operation.bytesTotal, operation.bytesUploaded],
    ['completed', 10, 10],
  );
  assert.equal((await status()).isLinkable, true);
});

test('an upload of just the bytes that are kept in memory leaves no row on its way', async () => {
  const { deps, upload, row, clock } = await openWorld();
  const size = SMALL_BODY_BYTES_MAX;
  // However slowly they come.
  const body = bodyOf([1, size - 2, 1], async () => {
    await turn();
    assert.equal(await row(), undefined);
    clock.advance(5000);
  });
  assert.equal((await uploadFile(deps, upload(body(size)))).bytesUploaded, size);
});

test('a file keeps the encoding that it was sent in, and none has none', async () => {
  const { deps, upload, metadata } = await openWorld();
  const body = bodyOf([1], () => undefined);
  for (const contentEncoding of ['gzip', undefined]) {
    const { key } = await uploadFile(deps, upload(body(1), { contentEncoding }));
    const kept = await metadata.findObject(upload(body(1)).principal.defaultBucketId, key);
    const headers = contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding };
    assert.deepEqual(kept?.headers, headers);
  }
});

test('a token uploads only if it may write files; else no byte is asked for', async () => {
  const { deps, upload, row } = await openWorld();
  const untouched = bodyOf([], () => assert.fail('no byte is asked for'))(1);
  const { principal } = upload(untouched);
  const scopes = SCOPES.filter((scope) => scope !== 'files:write');
  const refused = uploadFile(deps, upload(untouched, { principal: byToken(principal, scopes) }));
  await assert.rejects(refused, (error) => isServiceError(error, 'missing_scope'));
  assert.equal(await row(), undefined);
  const one = bodyOf([1], () => undefined)(1);
  await uploadFile(deps, upload(one, { principal: byToken(principal, ['files:write']) }));
});

test('a large upload, or one of unknown length, is running from its start and is kept up to date', async () => {
  for (const declared of [2 * LARGE, undefined]) {
    const { deps, upload, row, clock, status } = await openWorld();
    const seen: unknown[] = [];
    const body = bodyOf([LARGE, LARGE - 1, 1], async () => {
      await turn();
      seen.push((await row())?.bytesUploaded);
      assert.equal((await status()).isLinkable, false);
      clock.advance(5000);
    });
    await uploadFile(deps, upload(body(declared)));
    assert.deepEqual(seen, [0, 2 * LARGE - 1, 2 * LARGE]);
    assert.equal((await row())?.status, 'completed');
  }
});

test('an upload that fails leaves a row with the reason, how far it came, and no object', async () => {
  for (const [error, word] of [
    [new ServiceError('incomplete_body', 'lost'), 'incomplete_body'],
    [new Error('a fault of ours'), 'internal'],
  ] as const) {
    const { deps, upload, row, metadata } = await openWorld();
    const body = bodyOf([LARGE, 5], (index) => {
      if (index === 1) throw error;
    });
    await assert.rejects(uploadFile(deps, upload(body(undefined))), error);
    const failed = await row();
    assert.deepEqual(
      [failed?.status, failed?.error, failed?.bytesUploaded],
      ['failed', word, LARGE + 5],
    );
    const { entries } = await metadata.listObjects({
      bucketId: 1 as never,
      prefix: '',
      delimiter: '',
      after: undefined,
      limit: 10,
    });
    assert.deepEqual(entries, []);
  }
});

test('what is refused before it is admitted leaves no row', async () => {
  const { deps, upload, row } = await openWorld();
  const body = bodyOf([], () => assert.fail('no byte is asked for'))(20_000_000);
  await assert.rejects(uploadFile(deps, upload(body)), (error) =>
    isServiceError(error, 'quota_exceeded'),
  );
  const stale = upload(bodyOf([1], () => undefined)(1), { conditions: { ifMatch: ['x'] } });
  await assert.rejects(uploadFile(deps, stale), (error) =>
    isServiceError(error, 'object_not_found'),
  );
  assert.equal(await row(), undefined);
});

test('a row that cannot be written does not hide why the upload failed', async () => {
  const { deps, upload, metadata } = await openWorld();
  let isDown = false;
  const flaky = Object.assign(Object.create(metadata), {
    transact: async (transaction, input) => {
      if (isDown) throw new ServiceError('unavailable', 'out of reach');
      return await metadata.transact(transaction, input);
    },
  } satisfies Transactions) as typeof metadata;
  const lost = new ServiceError('incomplete_body', 'lost');
  const body = bodyOf([LARGE], () => {
    isDown = true;
    throw lost;
  });
  await assert.rejects(uploadFile({ ...deps, metadata: flaky }, upload(body(LARGE))), lost);
});
