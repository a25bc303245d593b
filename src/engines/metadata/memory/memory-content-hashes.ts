/** Content hashes that come after their objects, in the memory engine. */
import type {
  ContentHashReads,
  ContentHashWrites,
  UnhashedPosition,
} from '../../../core/ports/metadata/content-hashes.ts';
import { storedObjectOf } from './memory-objects.ts';
import { addressOf, compareText, type Holder } from './memory-state.ts';

export function memoryContentHashReads(holder: Holder): ContentHashReads {
  return {
    listUnhashed: async ({ after, limit }) =>
      [...holder.current.objects.values()]
        .filter(({ version }) => version.contentHash === undefined)
        .filter(({ version }) => after === undefined || oldestFirst(version, after) > 0)
        .sort((a, b) => oldestFirst(a.version, b.version))
        .slice(0, limit)
        .map((kept) => storedObjectOf(holder, kept)),
  };
}

function oldestFirst(a: UnhashedPosition, b: UnhashedPosition): number {
  return a.createdAt - b.createdAt || a.bucketId - b.bucketId || compareText(a.key, b.key);
}

export function memoryContentHashWrites(holder: Holder): ContentHashWrites {
  return {
    async setContentHash({ bucketId, key, createdAt, etag }, contentHash) {
      const address = addressOf(bucketId, key);
      const kept = holder.current.objects.get(address);
      const isMeant =
        kept !== undefined &&
        kept.version.createdAt === createdAt &&
        kept.version.etag === etag &&
        kept.version.contentHash === undefined;
      if (!isMeant) return false;
      const version = { ...kept.version, contentHash };
      holder.current.objects.set(address, { ...kept, version });
      return true;
    },
  };
}
