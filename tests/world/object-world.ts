/** One account over a memory store, with all that the use cases of objects need. */

import type { Account } from '../../src/core/identity/account/account.ts';
import type { Capacity } from '../../src/core/objects/write/capacity.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import { inTransaction } from '../../src/core/ports/metadata/contract/in-transaction.ts';
import { insertAccount, sampleAccount } from '../../src/core/ports/metadata/contract/samples.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { MemoryBlobStore } from '../../src/engines/blobs/memory/memory-blob-store.ts';
import { ThreadDigesters } from '../../src/engines/digests/thread-digesters.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';
import { FakeClock } from './fake-clock.ts';
import { multipartCalls } from './multipart-world.ts';
import { seededRandom } from './seeded-random.ts';
import { openUnderWay } from './under-way.ts';

const UNBOUNDED: Capacity = { storedBytes: () => 0n, capacityBytes: undefined };

export async function openObjectWorld({
  freeStorageBytes = 10n ** 15n,
  capacity = UNBOUNDED,
}: {
  readonly freeStorageBytes?: bigint;
  readonly capacity?: Capacity;
} = {}) {
  const metadata = await MemoryMetadata.open();
  const clock = new FakeClock();
  const account = await insertAccount(metadata, sampleAccount(1));
  const owner = { accountId: account.accountId, bucketId: account.defaultBucketId };
  const deps = {
    metadata,
    blobs: new MemoryBlobStore({ ids: metadata, rows: metadata, now: () => clock.now() }),
    clock,
    digesters: new ThreadDigesters(),
    faults: NO_FAULTS,
    random: seededRandom('objects'),
    quota: { freeStorageBytes, freeEgressBytes: 0n },
    capacity,
    underWay: openUnderWay(),
  };
  const facts = async () => (await metadata.findAccount(account.accountId)) ?? account;
  return {
    deps,
    metadata,
    clock,
    owner,
    facts,
    stored: async () => (await facts()).storedBytes,
    disable: () => disableAccount(metadata, account),
    ...multipartCalls(deps, owner),
  };
}

/** What an operator does to an account, perhaps while it writes. */
export async function disableAccount(
  metadata: Metadata,
  { accountId, createdAt: disabledAt }: Pick<Account, 'accountId' | 'createdAt'>,
): Promise<void> {
  await inTransaction(metadata, (tx) => tx.updateAccount(accountId, { disabledAt }));
}
