/** The upkeep of an open store, in the words of the documents. */
import type { StoreBackup } from '../../core/ports/store-backup.ts';
import { type VerifyDeps, type VerifyReport, verifyStore } from '../../core/upkeep/verify-store.ts';
import type { Log } from '../../observe/log.ts';
import type { Metrics } from '../../observe/metrics.ts';
import type { Upkeep } from './upkeep.ts';
import type { VerifyDocument } from './upkeep-documents.ts';

export type StoreUpkeepDeps = VerifyDeps & {
  readonly backup: StoreBackup;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly metrics: Pick<Metrics, 'noteVerify' | 'noteBackup'>;
};

/** `orphanGraceMs` as in `verifyStore`. */
export function storeUpkeep(
  deps: StoreUpkeepDeps,
  { orphanGraceMs }: { readonly orphanGraceMs: number },
): Upkeep {
  return {
    verify: async (options) => {
      const report = await verifyStore(deps, { orphanGraceMs }, options);
      const { findingsTotal: findings } = report;
      deps.metrics.noteVerify({ at: deps.clock.now(), findings });
      for (const { kind, subject, detail } of report.findings) {
        deps.log.warn({ kind, subject, detail }, 'verify found a fault');
      }
      deps.log.info({ ...report.checked, findings }, 'the store was verified');
      return verifyDocumentOf(report);
    },
    backup: async (request, options) => {
      const report = await deps.backup.write(request, options);
      const { directory } = request;
      const { number, takenAt, blobs, blobBytes, copiedBytes, reusedBytes, losses } = report;
      deps.metrics.noteBackup({ at: takenAt, losses: losses.length });
      const facts = { directory, number, blobs, blobBytes, copiedBytes, reusedBytes };
      deps.log.info({ ...facts, losses: losses.length }, 'the store was backed up');
      return {
        directory,
        number,
        taken_at: new Date(takenAt).toISOString(),
        blobs,
        blob_bytes: blobBytes,
        copied_bytes: copiedBytes,
        reused_bytes: reusedBytes,
        losses: losses.map(({ blobId, reason }) => ({ blob_id: blobId, reason })),
      };
    },
  };
}

function verifyDocumentOf(report: VerifyReport): VerifyDocument {
  const { checked, findings, findingsTotal } = report;
  const { accounts, buckets, owners, links, blobs, bytes, segments, unpublished } = checked;
  return {
    checked: {
      accounts,
      buckets,
      owners,
      links,
      blobs,
      bytes,
      segments,
      segment_bytes: checked.segmentBytes,
      dead_bytes: checked.deadBytes,
      unpublished,
    },
    findings: findings.map(({ kind, subject, detail, blobId, accountId, objects }) => ({
      kind,
      subject,
      detail,
      blob_id: blobId ?? null,
      user_id: accountId ?? null,
      objects: (objects ?? []).map(({ bucket, key }) => ({ bucket, key })),
    })),
    findings_total: findingsTotal,
  };
}
