/** Changes of multipart uploads inside one transaction of the writer, each decided first. */
import type { TimeMs, UploadId } from '../../../core/ids.ts';
import { OPEN_UPLOADS_MAX } from '../../../core/limits.ts';
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
  UploadResult,
} from '../../../core/objects/multipart/upload.ts';
import type {
  PartPublication,
  UploadBeginning,
  UploadCompletion,
  UploadWrites,
} from '../../../core/ports/metadata/uploads.ts';
import { bytesGone, uploadNotFound } from '../commit-refusals.ts';
import { partChecksumColumn } from '../rows/checksums.ts';
import { columnsOfVersion } from '../rows/objects.ts';
import {
  columnsOfUpload,
  inlineBlob,
  isAt,
  partOf,
  resultColumn,
  splitParts,
  uploadOf,
} from '../rows/uploads.ts';
import type { UploadPartTable, UploadTable } from '../schema.ts';
import type { CommitGroup, Decided } from './commit-group.ts';

export function decideUpload(
  group: CommitGroup,
  { upload, demands }: UploadBeginning,
): Decided<void> {
  const { accountId } = upload;
  const account = group.account(accountId);
  group.requireOwner(upload.bucketId, accountId);
  const found = group.statements.uploads.countOpen.get(accountId, OPEN_UPLOADS_MAX);
  judgeUpload(demands, { account, openUploads: Number(found?.['count']) });
  const row = columnsOfUpload(upload);
  const write = () => {
    group.statements.uploads.insertUpload.run(
      row.upload_id,
      row.account_id,
      row.bucket_id,
      row.key,
      row.content_type,
      row.headers,
      row.user_metadata,
      row.tags,
      row.storage_class,
      row.tier,
      row.origin,
      row.checksum_algorithm,
      row.checksum_type,
      row.created_at,
      row.changed_at,
      row.completed_at,
      row.result,
    );
    const added = [uploadFootprint(upload)];
    group.changeStored(accountId, footprintChange({ added, removed: [] }));
  };
  return { answer: undefined, write };
}

export function decidePart(
  group: CommitGroup,
  publication: PartPublication,
): Decided<UploadPart | undefined> {
  const { address, part, blob, demands, usage } = publication;
  const { accountId, uploadId } = address;
  const { uploads } = group.statements;
  const account = group.account(accountId);
  liveUpload(group, address);
  const found = uploads.part.get(uploadId, part.partNumber);
  const before = found && partRowOf(found);
  const replaced = before && partOf(before);
  judgePart(demands, { replaced, account });
  const write = () => {
    if (blob !== undefined) {
      const { blobId, sizeBytes, location } = blob;
      const { changes } = group.statements.ownBlob.run(blobId, sizeBytes, location);
      if (Number(changes) === 0) throw bytesGone();
    }
    const { partNumber, sizeBytes, etag, createdAt } = part;
    const checksum = partChecksumColumn(part.checksum);
    const blobId = blob?.blobId ?? null;
    const cells = [uploadId, partNumber, sizeBytes, etag, checksum, blobId, createdAt] as const;
    uploads.writePart.run(...cells);
    uploads.touchUpload.run(createdAt, uploadId);
    if (before) disown(group, before, createdAt);
    const change = footprintChange({
      added: [partFootprint(part)],
      removed: [replaced && partFootprint(replaced)],
    });
    group.changeStored(accountId, change);
    group.addUsage(usage);
  };
  return { answer: replaced, write };
}

export function decideCompletion(
  group: CommitGroup,
  completion: UploadCompletion,
): Decided<UploadResult> {
  const { address, listed, at, demands, resultsKept } = completion;
  const { accountId, bucketId, key, uploadId } = address;
  const { uploads } = group.statements;
  const upload = uploadAt(group, address);
  if (upload.completion !== undefined) {
    return { answer: upload.completion.result, write: () => {} };
  }
  const account = group.account(accountId);
  group.requireOwner(bucketId, accountId);
  const current = group.current(bucketId, key);
  const rows = uploads.parts.all(uploadId).map(partRowOf);
  const parts = rows.map(partOf);
  judgeCommit(demands, { current: current?.version, account });
  const { version, result } = assembleUpload(completion, { upload, parts });
  const write = () => {
    const { named, dropped } = splitParts(rows, listed);
    for (const row of dropped) {
      uploads.deletePart.run(uploadId, row.part_number);
      disown(group, row, at);
    }
    const content = inlineBlob(version, named) ?? listContent(group, uploadId, named.length);
    uploads.deleteParts.run(uploadId);
    group.writeObject(columnsOfVersion(version, content));
    if (current !== undefined) group.dropContent(current.row, at);
    uploads.completeUpload.run(at, resultColumn(result), uploadId);
    uploads.forgetOldest.run(accountId, resultsKept);
    const change = footprintChange({
      added: [versionFootprint(version)],
      removed: [
        current && versionFootprint(current.version),
        uploadFootprint(upload),
        ...parts.map(partFootprint),
      ],
    });
    group.changeStored(accountId, change);
  };
  return { answer: result, write };
}

/** Makes a content list of the parts that still have rows. */
function listContent(group: CommitGroup, uploadId: UploadId, partCount: number) {
  const contentId = Number(group.statements.insertContent.run(partCount).lastInsertRowid);
  group.statements.uploads.listParts.run(contentId, uploadId);
  return { blob_id: null, content_id: contentId };
}

export function decideAbort(
  group: CommitGroup,
  { address, at }: { readonly address: UploadAddress; readonly at: TimeMs },
): Decided<void> {
  const upload = liveUpload(group, address);
  return { answer: undefined, write: () => removeUpload(group, upload, at) };
}

/** `run` decides and writes a change within the transaction under way. */
export function uploadWrites(
  run: <T>(decide: (group: CommitGroup) => Decided<T>) => Promise<T>,
): UploadWrites {
  const abortAll = (find: (group: CommitGroup) => readonly unknown[], at: TimeMs) =>
    run((group) => {
      const uploads = find(group).map((row) => uploadOf(uploadRowOf(row)));
      const write = () => {
        for (const upload of uploads) removeUpload(group, upload, at);
      };
      return { answer: uploads.length, write };
    });
  return {
    insertUpload: (beginning) => run((group) => decideUpload(group, beginning)),
    savePart: (publication) => run((group) => decidePart(group, publication)),
    completeUpload: (completion) => run((group) => decideCompletion(group, completion)),
    abortUpload: (abortion) => run((group) => decideAbort(group, abortion)),
    abortUploadsOf: ({ bucketId, at, limit }) =>
      abortAll((group) => group.statements.uploads.ofBucket.all(bucketId, limit), at),
    abortIdleUploads: ({ changedBefore, at, limit }) =>
      abortAll((group) => group.statements.uploads.idle.all(changedBefore, limit), at),
    forgetUploads: ({ completedBefore, limit }) =>
      run((group) => {
        const uploads = group.statements.uploads.finished.all(completedBefore, limit);
        const write = () => {
          for (const row of uploads) {
            group.statements.uploads.deleteUpload.run(String(row['upload_id']));
          }
        };
        return { answer: uploads.length, write };
      }),
  };
}

function removeUpload(group: CommitGroup, upload: MultipartUpload, at: TimeMs): void {
  const { accountId, uploadId } = upload;
  const { uploads } = group.statements;
  const rows = uploads.parts.all(uploadId).map(partRowOf);
  for (const row of rows) disown(group, row, at);
  uploads.deleteParts.run(uploadId);
  uploads.deleteUpload.run(uploadId);
  const removed = [uploadFootprint(upload), ...rows.map(partOf).map(partFootprint)];
  group.changeStored(accountId, footprintChange({ added: [], removed }));
}

function disown(group: CommitGroup, { blob_id }: UploadPartTable, at: TimeMs): void {
  if (blob_id !== null) group.statements.disownBlob.run(at, blob_id);
}

function liveUpload(group: CommitGroup, address: UploadAddress): MultipartUpload {
  const upload = uploadAt(group, address);
  if (upload.completion !== undefined) throw uploadNotFound();
  return upload;
}

function uploadAt(group: CommitGroup, address: UploadAddress): MultipartUpload {
  const found = group.statements.uploads.upload.get(address.uploadId);
  const row = found && uploadRowOf(found);
  if (row === undefined || !isAt(row, address)) throw uploadNotFound();
  return uploadOf(row);
}

function partRowOf(row: unknown): UploadPartTable {
  return row as UploadPartTable;
}

function uploadRowOf(row: unknown): UploadTable {
  return row as UploadTable;
}
