/** Proves that recorded usage is written once, in sums, and that a failed write loses nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, BucketId, TimeMs } from '../core/ids.ts';
import type { Transactions } from '../core/ports/metadata/metadata.ts';
import type { UsageDelta } from '../core/usage.ts';
import { MemoryMetadata, type OpenMemoryMetadata } from '../engines/metadata/memory-metadata.ts';
import { UsageBuffer } from './usage-buffer.ts';

const ACCOUNT = 'a' as AccountId;

function delta(bytes: bigint, change: Partial<UsageDelta> = {}): UsageDelta {
  return {
    accountId: ACCOUNT,
    hour: 0 as TimeMs,
    meter: 'egress',
    source: 'files',
    bucketId: 1 as BucketId,
    credential: 'session',
    link: undefined,
    bytes,
    requests: 1,
    ...change,
  };
}

async function written(metadata: Pick<OpenMemoryMetadata, 'sumUsage'>) {
  const range = { accountId: ACCOUNT, from: 0 as TimeMs, to: 1 as TimeMs };
  return (await metadata.sumUsage(range)).map(({ source, bytes, requests }) => [
    source,
    bytes,
    requests,
  ]);
}

test('deltas of one kind are summed, of others kept apart, and none is written twice', async () => {
  const metadata = await MemoryMetadata.open();
  const buffer = new UsageBuffer(metadata);
  buffer.record(delta(2n));
  buffer.record(delta(3n));
  buffer.record(delta(5n, { source: 'link' }));
  assert.deepEqual(await written(metadata), []);
  await buffer.flush();
  await buffer.flush();
  assert.deepEqual(await written(metadata), [
    ['files', 5n, 2],
    ['link', 5n, 1],
  ]);
});

test('what is recorded while a flush is under way is written by the next one that is awaited', async () => {
  const metadata = await MemoryMetadata.open();
  const gate = Promise.withResolvers<void>();
  const slow: Transactions = {
    transact: async (transaction, input) => {
      await gate.promise;
      return await metadata.transact(transaction, input);
    },
  };
  const buffer = new UsageBuffer(slow);
  buffer.record(delta(1n));
  const first = buffer.flush();
  buffer.record(delta(10n));
  const last = buffer.flush();
  gate.resolve();
  await Promise.all([first, last]);
  assert.deepEqual(await written(metadata), [['files', 11n, 2]]);
});

test('sums that could not be written are written by the next flush', async () => {
  const metadata = await MemoryMetadata.open();
  let isDown = true;
  const flaky: Transactions = {
    transact: async (transaction, input) => {
      if (isDown) throw new Error('out of reach');
      return await metadata.transact(transaction, input);
    },
  };
  const buffer = new UsageBuffer(flaky);
  buffer.record(delta(1n));
  await assert.rejects(buffer.flush(), /out of reach/);
  buffer.record(delta(2n));
  await assert.rejects(buffer.flush(), /out of reach/);
  isDown = false;
  await buffer.flush();
  assert.deepEqual(await written(metadata), [['files', 3n, 2]]);
});

test('more kinds than are kept are written without being asked', async () => {
  const metadata = await MemoryMetadata.open();
  const buffer = new UsageBuffer(metadata);
  for (let count = 0; count <= 10_000; count += 1)
    buffer.record(delta(1n, { credential: `${count}` }));
  await buffer.flush();
  assert.equal((await written(metadata)).length, 10_001);
});
