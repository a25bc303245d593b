/**
 * The part of the one writing path that every write shares, whatever it becomes: stage → verify →
 * commit bytes → publish (ARCHITECTURE.md, "The way of a PUT").
 *
 * A crash before `publish` returns leaves at most bytes that no row names: the sweeper's. Once
 * bytes are being committed, a client that leaves changes nothing any more.
 */
import { prepareChecksums } from '../../../kit/checksums/open-checksum.ts';
import type { Digests } from '../../../kit/digests.ts';
import { type ErrorCode, isServiceError, ServiceError } from '../../errors.ts';
import type { BlobRef, BlobStore, BlobWriter } from '../../ports/blob-store.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Digester, Digesters } from '../../ports/digesters.ts';
import type { FaultPoints } from '../../ports/fault-points.ts';
import type { ObjectChecksum } from '../object.ts';
import { algorithmsOf, type BodyDemands, verifyDigests } from './body-demands.ts';

export type KeepDeps = {
  readonly blobs: Pick<BlobStore, 'stage'>;
  readonly digesters: Pick<Digesters, 'open'>;
  readonly faults: FaultPoints;
};

/** How many bytes may come, and what is thrown when more do. */
export type Allowance = { readonly bytes: bigint; readonly refuse: () => ServiceError };

/** Durable bytes that no row names yet; leased until `publish` has ended. */
export type KeptBytes = {
  readonly blob: BlobRef;
  readonly sizeBytes: number;
  readonly digests: Digests;
  /** By the algorithms that the demands name. */
  readonly checksum: ObjectChecksum | undefined;
};

export type KeepOptions = {
  /** Called before the first byte is read, when everything that can be refused early was not. */
  readonly onAdmitted?: () => Promise<void> | undefined;
  /** Called with the number of bytes taken so far. */
  readonly onProgress?: (bytes: number) => void;
};

/**
 * Takes all bytes of `body`, makes them durable and lets `publish` name them. Throws what the body
 * throws, what `allowance` refuses, `digest_mismatch`, `checksum_missing`, `storage_full`,
 * `read_only`, and what `publish` throws.
 */
export async function keepBytes<T>(
  deps: KeepDeps,
  write: {
    readonly body: ByteSource;
    readonly allowance: Allowance;
    readonly demands: BodyDemands;
    readonly publish: (kept: KeptBytes) => Promise<T>;
  },
  options: KeepOptions = {},
): Promise<T> {
  const { body, demands } = write;
  const checksums = algorithmsOf(demands);
  const preparing = prepareChecksums(checksums);
  if (preparing !== undefined) await preparing;
  // A full disk refuses here, before the sender is told to go on.
  const writer = await deps.blobs.stage({ sizeBytes: body.declaredBytes });
  const digester = deps.digesters.open(body.declaredBytes, {
    isSha256Wanted: demands.sha256 !== undefined,
    checksums,
  });
  let isRefused = false;
  try {
    await options.onAdmitted?.();
    deps.faults.reach('admitted');
    const staged = await stage(write, { writer, digester }, options.onProgress);
    deps.faults.reach('staged');
    requireDeclaredLength(body, staged.sizeBytes);
    const checksum = verifyDigests(demands, staged.digests);
    deps.faults.reach('verified');
    const blob = await writer.commit();
    deps.faults.reach('bytes_committed');
    const published = await write.publish({ ...staged, blob, checksum });
    deps.faults.reach('published');
    return published;
  } catch (error) {
    isRefused = isServiceError(error) && REFUSALS.has(error.code);
    throw error;
  } finally {
    digester.release();
    await writer.release({ isRefused });
  }
}

/**
 * Answers of `publish` after which no row names the bytes: whoever is refused again and again must
 * not fill the disk until the next sweep. Any other failure may hide a commit, and an engine runs
 * a publication again only when it knows that nothing of it was written.
 */
const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'account_disabled',
  'account_not_found',
  'bucket_not_found',
  'precondition_failed',
  'quota_exceeded',
  'upload_not_found',
]);

/** Streams the body into `writer`; throws as soon as it passes what is allowed. */
async function stage(
  { body, allowance }: { readonly body: ByteSource; readonly allowance: Allowance },
  into: { readonly writer: BlobWriter; readonly digester: Digester },
  onProgress: ((bytes: number) => void) | undefined,
): Promise<Pick<KeptBytes, 'sizeBytes' | 'digests'>> {
  const { writer, digester } = into;
  let sizeBytes = 0;
  await body.pipeTo((chunk) => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > allowance.bytes) throw allowance.refuse();
    onProgress?.(sizeBytes);
    const digesting = digester.update(chunk);
    // It is heard below, unless the write throws at once.
    digesting?.catch(() => undefined);
    const writing = writer.write(chunk);
    if (digesting === undefined) return writing;
    return Promise.all([digesting, writing]).then(() => undefined);
  });
  const digests = digester.finish();
  return { sizeBytes, digests: digests instanceof Promise ? await digests : digests };
}

function requireDeclaredLength({ declaredBytes }: ByteSource, sizeBytes: number): void {
  if (declaredBytes === undefined || declaredBytes === sizeBytes) return;
  throw new ServiceError('incomplete_body', 'The body is not as long as was declared.');
}
