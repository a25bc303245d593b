/** The rows of one moment of the memory engine: a copy of its maps. */
import type { BlobId } from '../../../core/ids.ts';
import { describedBytes } from '../../../core/objects/commit/footprint.ts';
import type {
  ContentListId,
  ListPartRow,
  ListRow,
  MetadataSnapshot,
  NamedBlob,
  OwnedContent,
  OwnerRow,
} from '../../../core/ports/metadata/snapshot.ts';
import { copyOf, type KeptObject, type MemoryState } from './memory-state.ts';

export function memorySnapshot(state: MemoryState): MetadataSnapshot {
  const { accounts, buckets, objects, uploads, uploadParts, blobs, links } = copyOf(state);
  const namedBlob = (blobId: BlobId): NamedBlob => {
    const kept = blobs.get(blobId);
    return kept && { sizeBytes: kept.blob.sizeBytes, isDead: kept.diedAt !== undefined };
  };
  const { owners, lists, listParts } = ownersOf([...objects.values()], namedBlob);
  const parts = [...uploadParts.values()].map(({ uploadId, part, blobId }): OwnerRow => {
    const upload = uploads.get(uploadId);
    return {
      kind: 'part',
      bucketId: upload?.bucketId,
      key: upload?.key ?? '',
      sizeBytes: part.sizeBytes,
      describedBytes: 0,
      content: blobId ? { kind: 'blob', blobId, blob: namedBlob(blobId) } : { kind: 'none' },
    };
  });
  return {
    accounts: () => onePage([...accounts.values()]),
    buckets: () => onePage([...buckets.values()]),
    owners: () => onePage([...owners, ...parts]),
    openUploads: () =>
      onePage(
        [...uploads.values()]
          .filter(({ completion }) => completion === undefined)
          .map(({ bucketId, key, description }) => ({
            bucketId,
            describedBytes: describedBytes(key, description),
          })),
      ),
    lists: () => onePage(lists),
    listParts: () => onePage(listParts),
    blobs: () =>
      onePage(
        [...blobs.values()].map(({ blob, owners: count, diedAt }) => ({
          ...blob,
          owners: count,
          isDead: diedAt !== undefined,
        })),
      ),
    links: () => onePage([...links.values()]),
  };
}

/** Lists have no numbers here: they get one in the order of their objects. */
function ownersOf(
  objects: readonly KeptObject[],
  namedBlob: (blobId: BlobId) => NamedBlob,
): {
  readonly owners: readonly OwnerRow[];
  readonly lists: readonly ListRow[];
  readonly listParts: readonly ListPartRow[];
} {
  const lists: ListRow[] = [];
  const listParts: ListPartRow[] = [];
  const contentOf = ({ version, content }: KeptObject): OwnedContent => {
    const [first] = content;
    if (first === undefined) return { kind: 'none' };
    const blob = namedBlob(first.blobId);
    const isWhole = first.sizeBytes === version.sizeBytes && blob?.sizeBytes === version.sizeBytes;
    if (content.length === 1 && isWhole && first.checksum === undefined)
      return { kind: 'blob', blobId: first.blobId, blob };
    const listId = (lists.length + 1) as ContentListId;
    lists.push({ listId, partCount: content.length });
    for (const { blobId, sizeBytes } of content) {
      listParts.push({ listId, blobId, sizeBytes, blob: namedBlob(blobId) });
    }
    const sizeBytes = content.reduce((sum, part) => sum + part.sizeBytes, 0);
    return { kind: 'list', listId, sizeBytes };
  };
  const owners = objects.map((kept): OwnerRow => {
    const { bucketId, key, sizeBytes } = kept.version;
    const described = describedBytes(key, kept.version);
    const content = contentOf(kept);
    return { kind: 'object', bucketId, key, sizeBytes, describedBytes: described, content };
  });
  return { owners, lists, listParts };
}

async function* onePage<T>(rows: readonly T[]): AsyncGenerator<readonly T[]> {
  if (rows.length > 0) yield rows;
}
