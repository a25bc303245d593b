/** Multipart uploads of the memory engine. */
import type { AccountId, BlobId, TimeMs, UploadId } from '../../../core/ids.ts';
import {
  footprintChange,
  partFootprint,
  uploadFootprint,
  versionFootprint,
} from '../../../core/objects/commit/footprint.ts';
import { judgeCommit, judgePart, judgeUpload } from '../../../core/objects/commit/judge-commit.ts';
import { assembleUpload } from '../../../core/objects/multipart/assemble-upload.ts';
import type {
  MultipartUpload,
  UploadAddress,
  UploadPart,
} from '../../../core/objects/multipart/upload.ts';
import type {
  PartPublication,
  UploadCompletion,
  UploadEntry,
  UploadPage,
  UploadQuery,
  UploadReads,
  UploadWrites,
} from '../../../core/ports/metadata/uploads.ts';
import { bytesGone, uploadNotFound } from '../commit-refusals.ts';
import { commonPrefixOf } from '../list-range.ts';
import { uploadRangeOf } from '../upload-range.ts';
import { accountOf, changeStored, disown, dropContent, requireOwner } from './memory-objects.ts';
import {
  addressOf,
  addressOfPart,
  compareText,
  deleteWhere,
  type Holder,
  type KeptObject,
  type KeptPart,
} from './memory-state.ts';

export function memoryUploadReads(holder: Holder): UploadReads {
  return {
    findUpload: async (uploadId) => holder.current.uploads.get(uploadId),
    listUploads: async (query) => listUploads(holder, query),
    listParts: async ({ uploadId, after, limit }) =>
      partsOf(holder, uploadId)
        .map(({ part }) => part)
        .filter(({ partNumber }) => partNumber > after)
        .slice(0, limit),
  };
}

function listUploads(holder: Holder, query: UploadQuery): UploadPage {
  const range = uploadRangeOf(query);
  if (range === undefined) return { entries: [], isTruncated: false };
  const { prefix, delimiter, lower, marker } = range;
  const uploads = [...holder.current.uploads.values()]
    .filter(({ bucketId, completion }) => bucketId === query.bucketId && completion === undefined)
    .filter(({ key }) => key.startsWith(prefix) && Buffer.from(key).compare(lower) >= 0)
    .filter(({ key, uploadId }) => key !== marker?.key || uploadId > marker.uploadId)
    .sort((a, b) => compareText(a.key, b.key) || compareText(a.uploadId, b.uploadId));
  const entries: UploadEntry[] = [];
  let lastGroup: string | undefined;
  for (const upload of uploads) {
    const group = commonPrefixOf(upload.key, prefix, delimiter);
    if (group !== undefined && group === lastGroup) continue;
    lastGroup = group;
    entries.push(
      group === undefined ? { kind: 'upload', upload } : { kind: 'prefix', prefix: group },
    );
  }
  return { entries: entries.slice(0, query.limit), isTruncated: entries.length > query.limit };
}

export function memoryUploadWrites(holder: Holder): UploadWrites {
  return {
    async insertUpload({ upload, demands }) {
      const { accountId, uploadId, bucketId } = upload;
      const account = accountOf(holder, accountId);
      requireOwner(holder, bucketId, accountId);
      judgeUpload(demands, { account, openUploads: countOpen(holder, accountId) });
      holder.current.uploads.set(uploadId, upload);
      const added = [uploadFootprint(upload)];
      changeStored(holder, accountId, footprintChange({ added, removed: [] }));
    },
    savePart: async (publication) => savePart(holder, publication),
    completeUpload: async (completion) => completeUpload(holder, completion),
    async abortUpload({ address, at }) {
      removeUpload(holder, liveUpload(holder, address), at);
    },
    abortUploadsOf: async ({ bucketId, at, limit }) =>
      abortWhere(holder, { isMeant: (upload) => upload.bucketId === bucketId, at, limit }),
    abortIdleUploads: async ({ changedBefore, at, limit }) =>
      abortWhere(holder, { isMeant: ({ changedAt }) => changedAt < changedBefore, at, limit }),
    forgetUploads: async ({ completedBefore, limit }) =>
      deleteWhere(
        holder.current.uploads,
        ({ completion }) => completion !== undefined && completion.at < completedBefore,
        limit,
      ),
  };
}

function countOpen(holder: Holder, accountId: AccountId): number {
  return [...holder.current.uploads.values()].filter(
    (upload) => upload.accountId === accountId && upload.completion === undefined,
  ).length;
}

function savePart(holder: Holder, publication: PartPublication): UploadPart | undefined {
  const { address, part, blob, demands, usage } = publication;
  const { accountId, uploadId } = address;
  const account = accountOf(holder, accountId);
  const upload = liveUpload(holder, address);
  const partAddress = addressOfPart(uploadId, part.partNumber);
  const before = holder.current.uploadParts.get(partAddress);
  judgePart(demands, { replaced: before?.part, account });
  if (blob !== undefined) {
    if (holder.current.blobs.get(blob.blobId)?.diedAt !== undefined) throw bytesGone();
    holder.current.blobs.set(blob.blobId, { blob, owners: 1, diedAt: undefined });
  }
  if (before?.blobId !== undefined) disown(holder, before.blobId, part.createdAt);
  holder.current.uploadParts.set(partAddress, { uploadId, part, blobId: blob?.blobId });
  holder.current.uploads.set(uploadId, { ...upload, changedAt: part.createdAt });
  const change = footprintChange({
    added: [partFootprint(part)],
    removed: [before && partFootprint(before.part)],
  });
  changeStored(holder, accountId, change);
  if (usage !== undefined) holder.current.usage.push(usage);
  return before?.part;
}

function completeUpload(holder: Holder, completion: UploadCompletion) {
  const { address, listed, at, demands, resultsKept } = completion;
  const { accountId, bucketId, key, uploadId } = address;
  const upload = uploadAt(holder, address);
  if (upload.completion !== undefined) return upload.completion.result;
  const account = accountOf(holder, accountId);
  requireOwner(holder, bucketId, accountId);
  const before = holder.current.objects.get(addressOf(bucketId, key));
  const kept = partsOf(holder, uploadId);
  const parts = kept.map(({ part }) => part);
  judgeCommit(demands, { current: before?.version, account });
  const { version, result } = assembleUpload(completion, { upload, parts });
  const isListed = new Set(listed.map(({ partNumber }) => partNumber));
  const content = contentOf(kept.filter(({ part }) => isListed.has(part.partNumber)));
  for (const { part, blobId } of kept) {
    if (!isListed.has(part.partNumber) && blobId !== undefined) disown(holder, blobId, at);
  }
  holder.current.objects.set(addressOf(bucketId, key), { version, content });
  if (before !== undefined) dropContent(holder, before, at);
  deleteParts(holder, kept);
  holder.current.uploads.set(uploadId, { ...upload, completion: { at, result } });
  forgetOldest(holder, accountId, resultsKept);
  const change = footprintChange({
    added: [versionFootprint(version)],
    removed: [
      before && versionFootprint(before.version),
      uploadFootprint(upload),
      ...parts.map(partFootprint),
    ],
  });
  changeStored(holder, accountId, change);
  return result;
}

function forgetOldest(holder: Holder, accountId: AccountId, resultsKept: number): void {
  const completed = [...holder.current.uploads.values()]
    .filter((upload) => upload.accountId === accountId)
    .flatMap(({ uploadId, completion }) => (completion ? [{ uploadId, at: completion.at }] : []))
    .sort((a, b) => b.at - a.at || compareText(b.uploadId, a.uploadId));
  for (const { uploadId } of completed.slice(resultsKept, resultsKept + 2)) {
    holder.current.uploads.delete(uploadId);
  }
}

function contentOf(parts: readonly KeptPart[]): KeptObject['content'] {
  return parts.flatMap(({ part: { sizeBytes, checksum }, blobId }) =>
    blobId === undefined ? [] : [{ blobId, sizeBytes, checksum }],
  );
}

function abortWhere(
  holder: Holder,
  which: {
    readonly isMeant: (upload: MultipartUpload) => boolean;
    readonly at: TimeMs;
    readonly limit: number;
  },
): number {
  const meant = [...holder.current.uploads.values()]
    .filter((upload) => upload.completion === undefined && which.isMeant(upload))
    .slice(0, which.limit);
  for (const upload of meant) removeUpload(holder, upload, which.at);
  return meant.length;
}

function removeUpload(holder: Holder, upload: MultipartUpload, at: TimeMs): void {
  const { accountId, uploadId } = upload;
  const kept = partsOf(holder, uploadId);
  const blobIds = kept.flatMap(({ blobId }): BlobId[] => (blobId === undefined ? [] : [blobId]));
  for (const blobId of blobIds) disown(holder, blobId, at);
  holder.current.uploads.delete(uploadId);
  deleteParts(holder, kept);
  const removed = [uploadFootprint(upload), ...kept.map(({ part }) => partFootprint(part))];
  changeStored(holder, accountId, footprintChange({ added: [], removed }));
}

function liveUpload(holder: Holder, address: UploadAddress): MultipartUpload {
  const upload = uploadAt(holder, address);
  if (upload.completion !== undefined) throw uploadNotFound();
  return upload;
}

function uploadAt(holder: Holder, address: UploadAddress): MultipartUpload {
  const upload = holder.current.uploads.get(address.uploadId);
  const isThere =
    upload?.accountId === address.accountId &&
    upload.bucketId === address.bucketId &&
    upload.key === address.key;
  if (!isThere) throw uploadNotFound();
  return upload;
}

function partsOf(holder: Holder, uploadId: UploadId): readonly KeptPart[] {
  return [...holder.current.uploadParts.values()]
    .filter((kept) => kept.uploadId === uploadId)
    .sort((a, b) => a.part.partNumber - b.part.partNumber);
}

function deleteParts(holder: Holder, parts: readonly KeptPart[]): void {
  for (const { uploadId, part } of parts) {
    holder.current.uploadParts.delete(addressOfPart(uploadId, part.partNumber));
  }
}
