/** The memory engine keeps the contract that the disk engine keeps. */
import { openBlobRows } from '../../../../tests/world/blob-rows.ts';
import type { TimeMs } from '../../../core/ids.ts';
import { testBlobStore } from '../../../core/ports/blob-store-contract.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

testBlobStore('memory', async () => {
  const rows = await openBlobRows();
  const store = new MemoryBlobStore({
    ids: rows.metadata,
    rows: rows.metadata,
    now: () => Date.now() as TimeMs,
  });
  return { ...rows, store, reopen: async () => store, close: async () => undefined };
});
