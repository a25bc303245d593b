/** The memory engine keeps the contract that the disk engine keeps. */
import type { BlobId, TimeMs } from '../../../core/ids.ts';
import { testBlobStore } from '../../../core/ports/blob-store-contract.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

testBlobStore('memory', async () => {
  let next = 1;
  const reserveBlobIds = async (count: number) => {
    next += count;
    return next as BlobId;
  };
  const ids = { reserveBlobIds };
  const store = new MemoryBlobStore({ ids, now: () => Date.now() as TimeMs });
  return { store, reopen: async () => store, close: async () => undefined };
});
