/** Reads every blob that a row names, whole, so that the engine checks each of its sums. */
import { isServiceError, ServiceError } from '../errors.ts';
import type { BlobId } from '../ids.ts';
import type { BlobRef, BlobStore } from '../ports/blob-store.ts';
import type { BlobRows } from '../ports/metadata/objects.ts';
import type { UpkeepOptions } from '../ports/upkeep-progress.ts';
import type { Finding, Findings } from './finding.ts';

export type VerifyBlobsDeps = {
  readonly metadata: Pick<BlobRows, 'listBlobs' | 'findBlobs'>;
  readonly blobs: Pick<BlobStore, 'open'>;
};

const PAGE_BLOBS = 500;
/** More would take the disk away from those whom the server serves. */
const READERS = 4;
/** Compaction moves a blob seldom twice while it is looked at. */
const TRIES_MAX = 5;

/** Answers the bytes that were read. Throws `aborted`. */
export async function verifyBlobs(
  deps: VerifyBlobsDeps,
  input: { readonly findings: Findings; readonly totalBytes: number },
  { signal, onProgress }: UpkeepOptions,
): Promise<{ readonly blobs: number; readonly bytes: number }> {
  let blobs = 0;
  let bytes = 0;
  const count = (read: number) => {
    bytes += read;
    onProgress({ step: 'blobs', done: bytes, total: Math.max(bytes, input.totalBytes) });
  };
  let after: BlobId | undefined;
  for (;;) {
    const page = await deps.metadata.listBlobs({ after, limit: PAGE_BLOBS });
    const queue = page.values();
    const work = async () => {
      for (const blob of queue) {
        if (signal.aborted) throw new ServiceError('aborted', 'The verification was stopped.');
        const finding = await verifyBlob(deps, blob, { signal, onBytes: count });
        if (finding !== undefined) input.findings.add(finding);
        blobs += 1;
      }
    };
    await Promise.all(Array.from({ length: READERS }, work));
    after = page.at(-1)?.blobId;
    if (page.length < PAGE_BLOBS) return { blobs, bytes };
  }
}

/**
 * A fault counts only if the row still names the same place afterwards. No hold is needed: bytes go
 * after their row has died or moved, so a row that stands unchanged behind a fault stood over it.
 */
async function verifyBlob(
  deps: VerifyBlobsDeps,
  blob: BlobRef,
  options: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<Finding | undefined> {
  let at = blob;
  for (let tries = 1; ; tries += 1) {
    const fault = await readWhole(deps.blobs, at, options);
    if (fault === undefined) return undefined;
    const [fresh] = await deps.metadata.findBlobs([blob.blobId]);
    if (fresh === undefined) return undefined;
    if (fresh.location === at.location || tries === TRIES_MAX) return findingOf(at, fault);
    at = fresh;
  }
}

type Fault = { readonly kind: 'blob_missing' | 'blob_damaged'; readonly detail: string };

async function readWhole(
  blobs: Pick<BlobStore, 'open'>,
  blob: BlobRef,
  { signal, onBytes }: { readonly signal: AbortSignal; readonly onBytes: (bytes: number) => void },
): Promise<Fault | undefined> {
  try {
    const reader = await blobs.open(blob);
    try {
      const sink = (chunk: Uint8Array) => {
        onBytes(chunk.byteLength);
        return undefined;
      };
      await reader.read({ start: 0, end: blob.sizeBytes }, sink, { signal });
    } finally {
      await reader.close();
    }
    return undefined;
  } catch (error) {
    const fault = faultOf(error);
    if (fault === undefined) throw error;
    return fault;
  }
}

/** Faults of the bytes; everything else is a fault of the run. */
function faultOf(error: unknown): Fault | undefined {
  if (isServiceError(error, 'object_not_found')) {
    return { kind: 'blob_missing', detail: 'its bytes are not there' };
  }
  if (isServiceError(error, 'corrupt')) return { kind: 'blob_damaged', detail: error.message };
  // The disk itself cannot read the place any more.
  const isUnreadable = error instanceof Error && 'code' in error && error.code === 'EIO';
  return isUnreadable ? { kind: 'blob_damaged', detail: error.message } : undefined;
}

function findingOf({ blobId, sizeBytes, location }: BlobRef, { kind, detail }: Fault): Finding {
  const subject = `blob ${blobId}`;
  return { kind, subject, detail: `${detail} (${location}, ${sizeBytes} bytes)`, blobId };
}
