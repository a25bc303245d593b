/** Proves what the sweeps end, forget and remove, and what they leave alone. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../tests/world/fake-clock.ts';
import type { OperationStatus, UploadOperation } from '../core/files/operation.ts';
import type { AccountId, BlobId, ObjectKey, OperationId, TimeMs } from '../core/ids.ts';
import { inTransaction } from '../core/ports/metadata/contract/in-transaction.ts';
import {
  insertAccount,
  sampleAccount,
  sampleDeletion,
  samplePublication,
} from '../core/ports/metadata/contract/samples.ts';
import { MemoryMetadata } from '../engines/metadata/memory-metadata.ts';
import { sweepDeadBlobs } from './sweep-blobs.ts';
import { failInterruptedOperations, sweepOperations } from './sweep-operations.ts';

const DAY_MS = 24 * 3_600_000;
const signal = new AbortController().signal;

async function openStore() {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock();
  const save = async (id: string, status: OperationStatus, ageMs: number) => {
    const at = (clock.now() - ageMs) as TimeMs;
    const operation: UploadOperation = {
      operationId: id as OperationId,
      accountId: 'a' as AccountId,
      key: id as ObjectKey,
      status,
      error: undefined,
      contentHash: undefined,
      bytesTotal: undefined,
      bytesUploaded: 0,
      createdAt: at,
      updatedAt: at,
    };
    await inTransaction(metadata, (tx) => tx.saveOperation(operation));
  };
  const find = async (id: string) => {
    const found = await metadata.findOperation(id as OperationId);
    return found && [found.status, found.error];
  };
  return { metadata, clock, save, find };
}

test('an upload without a sign of life is failed as interrupted; a live one is not', async () => {
  const { metadata, clock, save, find } = await openStore();
  await save('silent', 'running', 10 * 60_000 + 1);
  await save('live', 'running', 60_000);
  await save('done', 'completed', DAY_MS);
  await sweepOperations({ metadata, clock }, { signal });
  assert.deepEqual(await find('silent'), ['failed', 'interrupted']);
  assert.deepEqual(await find('live'), ['running', undefined]);
  assert.deepEqual(await find('done'), ['completed', undefined]);
});

test('after a restart every upload under way is failed at once', async () => {
  const { metadata, clock, save, find } = await openStore();
  await save('queued', 'queued', 1);
  await save('running', 'running', 1);
  await save('done', 'completed', 1);
  clock.advance(1);
  assert.equal(await failInterruptedOperations({ metadata, clock }, { silenceMs: 0 }), 2);
  assert.deepEqual(await find('running'), ['failed', 'interrupted']);
  assert.deepEqual(await find('queued'), ['failed', 'interrupted']);
  assert.deepEqual(await find('done'), ['completed', undefined]);
});

test('operations are forgotten after seven days, however many', async () => {
  const { metadata, clock, save, find } = await openStore();
  for (let count = 0; count < 2500; count += 1) await save(`old-${count}`, 'completed', 8 * DAY_MS);
  await save('failed', 'failed', 8 * DAY_MS);
  await save('young', 'failed', 7 * DAY_MS - 1);
  await sweepOperations({ metadata, clock }, { signal });
  assert.deepEqual(await find('old-0'), undefined);
  assert.deepEqual(await find('old-2499'), undefined);
  assert.deepEqual(await find('failed'), undefined);
  assert.deepEqual(await find('young'), ['failed', undefined]);
});

test('dead blobs are removed before they are forgotten, so that a crash loses none', async () => {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock(2 * 1_790_000_000_000);
  const account = await insertAccount(metadata, sampleAccount(1));
  for (const blobId of [1, 2]) {
    await metadata.publishObject(samplePublication(account, { key: `k${blobId}`, blobId }));
  }
  await metadata.deleteObject(sampleDeletion(account, 'k1'));
  const removed: BlobId[] = [];
  let isCrashing = true;
  const blobs = {
    remove: async (refs: readonly { readonly blobId: BlobId }[]) => {
      removed.push(...refs.map(({ blobId }) => blobId));
      if (isCrashing) throw new Error('crash');
      return true;
    },
  };
  await assert.rejects(sweepDeadBlobs({ metadata, blobs, clock }, { signal }), /crash/);
  isCrashing = false;
  assert.equal(await sweepDeadBlobs({ metadata, blobs, clock }, { signal }), 1);
  assert.equal(await sweepDeadBlobs({ metadata, blobs, clock }, { signal }), 0);
  assert.deepEqual(removed, [1, 1]);
});
