/**
 * Verifies a whole store: every sum that rows keep, every reference, every byte that a row names,
 * and everything that is kept besides. It changes nothing, and others may write meanwhile.
 */
import { ServiceError } from '../errors.ts';
import type { BlobId, BucketId } from '../ids.ts';
import type { BlobStore } from '../ports/blob-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { BlobRows } from '../ports/metadata/objects.ts';
import type { ContentListId, MetadataSnapshot, Snapshots } from '../ports/metadata/snapshot.ts';
import type { UpkeepOptions } from '../ports/upkeep-progress.ts';
import { type Finding, Findings, type NamedObject, OBJECTS_A_FINDING_MAX } from './finding.ts';
import { verifyBlobs } from './verify-blobs.ts';
import { type CheckedKept, verifyKept } from './verify-kept.ts';
import { type CheckedRows, verifyRows } from './verify-rows.ts';

export type VerifyDeps = {
  readonly metadata: Pick<BlobRows, 'listBlobs' | 'findBlobs'> & Snapshots;
  readonly blobs: Pick<BlobStore, 'open' | 'inspect'>;
  readonly clock: Pick<Clock, 'now'>;
};

export type VerifyReport = {
  readonly checked: Omit<CheckedRows, 'blobs' | 'blobBytes'> &
    CheckedKept & { readonly blobs: number; readonly bytes: number };
  /** The first of them; `findingsTotal` counts all. */
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
};

/**
 * `orphanGraceMs`: bytes without a row are an orphan once they are older. While the store is served
 * that is the sweeper's grace, since a refused write leaves such bytes; otherwise 0. Throws
 * `aborted`.
 */
export async function verifyStore(
  deps: VerifyDeps,
  input: { readonly orphanGraceMs: number },
  options: UpkeepOptions,
): Promise<VerifyReport> {
  const findings = new Findings();
  const rows = await deps.metadata.snapshot((snapshot) => verifyRows(snapshot, findings, options));
  if (options.signal.aborted) {
    throw new ServiceError('aborted', 'The verification was stopped.');
  }
  const totalBytes = Number(rows.blobBytes);
  const read = await verifyBlobs(deps, { findings, totalBytes }, options);
  const kept = await verifyKept(deps, { ...input, findings }, options);
  await nameObjects(deps, findings);
  const { accounts, buckets, owners, links } = rows;
  return {
    checked: { accounts, buckets, owners, links, ...read, ...kept },
    findings: findings.kept,
    findingsTotal: findings.total,
  };
}

/** Says whose bytes the missing and damaged blobs are: no index leads back from a blob. */
async function nameObjects(deps: VerifyDeps, findings: Findings): Promise<void> {
  const names = new Map<BlobId, NamedObject[]>();
  for (const { kind, blobId } of findings.kept) {
    if (blobId !== undefined && isLoss(kind)) names.set(blobId, []);
  }
  if (names.size === 0) return;
  await deps.metadata.snapshot((snapshot) => gatherNames(snapshot, names));
  findings.amend((finding) => {
    const objects = finding.blobId === undefined ? undefined : names.get(finding.blobId);
    return objects === undefined || !isLoss(finding.kind) ? finding : { ...finding, objects };
  });
}

function isLoss(kind: Finding['kind']): boolean {
  return kind === 'blob_missing' || kind === 'blob_damaged';
}

async function gatherNames(
  snapshot: MetadataSnapshot,
  names: ReadonlyMap<BlobId, NamedObject[]>,
): Promise<void> {
  const blobsOfLists = new Map<ContentListId, Set<BlobId>>();
  for await (const page of snapshot.listParts()) {
    for (const { listId, blobId } of page) {
      if (!names.has(blobId)) continue;
      blobsOfLists.set(listId, (blobsOfLists.get(listId) ?? new Set()).add(blobId));
    }
  }
  const buckets = new Map<BucketId, string>();
  for await (const page of snapshot.buckets()) {
    for (const { bucketId, name } of page) buckets.set(bucketId, name);
  }
  for await (const page of snapshot.owners()) {
    for (const { bucketId, key, content } of page) {
      const blobIds =
        content.kind === 'blob'
          ? [content.blobId]
          : content.kind === 'list'
            ? (blobsOfLists.get(content.listId) ?? [])
            : [];
      const bucket = (bucketId === undefined ? undefined : buckets.get(bucketId)) ?? '?';
      for (const blobId of blobIds) {
        const objects = names.get(blobId);
        if (objects !== undefined && objects.length < OBJECTS_A_FINDING_MAX) {
          objects.push({ bucket, key });
        }
      }
    }
  }
}
