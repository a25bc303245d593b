/** The blob rows of the memory engine. */
import type { BlobId } from '../../../core/ids.ts';
import type { BlobRows } from '../../../core/ports/metadata/objects.ts';
import type { Holder } from './memory-state.ts';

export function memoryBlobReads(
  holder: Holder,
): Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'listDeadBlobs'> {
  const inOrder = () =>
    [...holder.current.blobs.values()].sort((a, b) => a.blob.blobId - b.blob.blobId);
  const live = () => inOrder().filter(({ diedAt }) => diedAt === undefined);
  return {
    async findBlobs(blobIds) {
      const wanted = new Set(blobIds);
      return live()
        .map(({ blob }) => blob)
        .filter(({ blobId }) => wanted.has(blobId));
    },
    listBlobsAt: async (prefix) =>
      live()
        .map(({ blob }) => blob)
        .filter(({ location }) => location.startsWith(prefix)),
    listBlobs: async ({ after, limit }) =>
      live()
        .filter(({ blob }) => after === undefined || blob.blobId > after)
        .slice(0, limit)
        .map(({ blob, owners }) => ({ ...blob, owners })),
    listDeadBlobs: async ({ diedBefore, limit }) =>
      inOrder()
        .flatMap(({ blob, diedAt }) => (diedAt === undefined ? [] : [{ ...blob, diedAt }]))
        .filter(({ diedAt }) => diedAt < diedBefore)
        .sort((a, b) => a.diedAt - b.diedAt)
        .slice(0, limit),
  };
}

export function memoryBlobWrites(holder: Holder): Pick<BlobRows, 'forgetDeadBlobs' | 'moveBlobs'> {
  return {
    async forgetDeadBlobs(blobIds) {
      const { blobs } = holder.current;
      for (const blobId of blobIds) {
        if (blobs.get(blobId)?.diedAt !== undefined) blobs.delete(blobId);
      }
    },
    async moveBlobs(moves) {
      const moved: BlobId[] = [];
      for (const { blobId, from, to } of moves) {
        const kept = holder.current.blobs.get(blobId);
        if (kept === undefined || kept.blob.location !== from) continue;
        holder.current.blobs.set(blobId, { ...kept, blob: { ...kept.blob, location: to } });
        moved.push(blobId);
      }
      return moved;
    },
  };
}
