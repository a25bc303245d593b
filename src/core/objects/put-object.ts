/**
 * The one way by which bytes become an object, whatever the dialect (ARCHITECTURE.md, "The way of a
 * PUT"): admit → stage → verify → commit bytes → publish.
 *
 * A crash before `publish` returns leaves at most bytes that no row names: the sweeper's. Once
 * bytes are being committed, a client that leaves changes nothing any more.
 */
import type { Digests } from '../../kit/digests.ts';
import { ServiceError } from '../errors.ts';
import type { UploadOperation } from '../files/operation.ts';
import { requireEnabled } from '../identity/start-session.ts';
import type { AccountId, BucketId, ContentHash, Etag, ObjectKey } from '../ids.ts';
import { OBJECT_BYTES_MAX, SMALL_BODY_BYTES_MAX } from '../limits.ts';
import type { BlobRef, BlobStore, BlobWriter } from '../ports/blob-store.ts';
import type { ByteSource } from '../ports/byte-source.ts';
import type { Clock } from '../ports/clock.ts';
import type { Digester, Digesters } from '../ports/digesters.ts';
import type { FaultPoints } from '../ports/fault-points.ts';
import type { Metadata } from '../ports/metadata/metadata.ts';
import type { CommitCheck } from '../ports/metadata/objects.ts';
import { checkStorageQuota, type QuotaPolicy, quotaExceeded, storageLeftBytes } from '../quota.ts';
import { hourOf, type UsageSource } from '../usage.ts';
import { assertCapacity, type Capacity } from './capacity.ts';
import { checkWriteConditions, hasConditions, type WriteConditions } from './condition.ts';
import type { ObjectVersion } from './object.ts';

export type PutDeps = {
  readonly metadata: Pick<Metadata, 'findAccount' | 'findObject' | 'publishObject'>;
  readonly blobs: Pick<BlobStore, 'stage'>;
  readonly digesters: Pick<Digesters, 'open'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly faults: FaultPoints;
  readonly quota: QuotaPolicy;
  readonly capacity: Capacity;
};

/** What the caller says of the object; the rest comes from its bytes. */
export type ObjectDescription = Pick<
  ObjectVersion,
  'contentType' | 'headers' | 'userMetadata' | 'tags' | 'storageClass' | 'tier' | 'origin'
>;

export type ObjectPut = {
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly description: ObjectDescription;
  readonly body: ByteSource;
  readonly conditions: WriteConditions;
  readonly usage: { readonly source: UsageSource; readonly credential: string };
  /** Whether the client waits for a word before it sends the body; then all is checked first. */
  readonly isExpectingContinue: boolean;
  /** The operation row to be written with the object. */
  readonly describeOperation: ((version: ObjectVersion) => UploadOperation) | undefined;
};

/** The object as readers now see it. Throws what `admit`, the body and `publish` throw. */
export async function putObject(
  deps: PutDeps,
  put: ObjectPut,
  options: {
    /** Called before the first byte is read, when everything that can be refused early was not. */
    readonly onAdmitted?: () => Promise<void> | undefined;
    /** Called with the number of bytes taken so far. */
    readonly onProgress?: (bytes: number) => void;
  } = {},
): Promise<ObjectVersion> {
  const allowance = await admit(deps, put);
  // A full disk refuses here, before the sender is told to go on.
  const writer = await deps.blobs.stage({ sizeBytes: put.body.declaredBytes });
  const digester = deps.digesters.open(put.body.declaredBytes);
  try {
    await options.onAdmitted?.();
    deps.faults.reach('admitted');
    const staged = await stage(put, { writer, digester, allowance }, options.onProgress);
    deps.faults.reach('staged');
    verify(put, staged);
    deps.faults.reach('verified');
    const blob = await writer.commit();
    deps.faults.reach('bytes_committed');
    const version = await publish(deps, put, staged, blob);
    deps.faults.reach('published');
    return version;
  } finally {
    digester.abandon();
    await writer.release();
  }
}

/** How many bytes may come, and what is thrown when more do. */
type Allowance = { readonly bytes: bigint; readonly refuse: () => ServiceError };

/** Bytes counted and digested on their way to the blob store. */
type Staged = { readonly sizeBytes: number; readonly digests: Digests };

/**
 * Refuses what can already be refused, and answers how many bytes may come. A small body that fits
 * beside all that is stored needs no look at what it replaces; `publish` checks everything again.
 */
async function admit(deps: PutDeps, put: ObjectPut): Promise<Allowance> {
  assertCapacity(deps.capacity, put.body.declaredBytes ?? 0);
  const { declaredBytes } = put.body;
  if (declaredBytes !== undefined && declaredBytes > OBJECT_BYTES_MAX) {
    throw tooLarge();
  }
  const account = await deps.metadata.findAccount(put.accountId);
  if (account === undefined) throw new ServiceError('account_not_found', 'The account is gone.');
  const isSmall = declaredBytes !== undefined && declaredBytes <= SMALL_BODY_BYTES_MAX;
  if (isSmall && !put.isExpectingContinue && !hasConditions(put.conditions)) {
    const bytes = BigInt(declaredBytes);
    if (bytes <= storageLeftBytes(deps.quota, account, 0)) return { bytes, refuse: tooLarge };
  }
  const current = await deps.metadata.findObject(put.bucketId, put.key);
  checkWriteConditions(put.conditions, current);
  const replacedBytes = current?.sizeBytes ?? 0;
  checkStorageQuota(deps.quota, account, { sizeBytes: declaredBytes ?? 0, replacedBytes });
  const left = storageLeftBytes(deps.quota, account, replacedBytes);
  const bytes = left > BigInt(replacedBytes) ? left : BigInt(replacedBytes);
  if (bytes > OBJECT_BYTES_MAX) return { bytes: BigInt(OBJECT_BYTES_MAX), refuse: tooLarge };
  return { bytes, refuse: () => quotaExceeded(deps.quota, account, Number(bytes) + 1) };
}

function tooLarge(): ServiceError {
  return new ServiceError('body_too_large', 'The body is larger than an object may be.');
}

/** Streams the body into `writer`; throws as soon as it passes what is allowed. */
async function stage(
  put: ObjectPut,
  into: {
    readonly writer: BlobWriter;
    readonly digester: Digester;
    readonly allowance: Allowance;
  },
  onProgress: ((bytes: number) => void) | undefined,
): Promise<Staged> {
  const { writer, digester, allowance } = into;
  let sizeBytes = 0;
  await put.body.pipeTo((chunk) => {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > allowance.bytes) throw allowance.refuse();
    onProgress?.(sizeBytes);
    const digesting = digester.update(chunk);
    // It is heard below, unless the write throws at once.
    digesting?.catch(() => undefined);
    const writing = writer.write(chunk);
    if (digesting === undefined || writing === undefined) return digesting ?? writing;
    return Promise.all([digesting, writing]).then(() => undefined);
  });
  const digests = digester.finish();
  return { sizeBytes, digests: digests instanceof Promise ? await digests : digests };
}

function verify(put: ObjectPut, staged: Staged): void {
  const { declaredBytes } = put.body;
  if (declaredBytes !== undefined && declaredBytes !== staged.sizeBytes) {
    throw new ServiceError('incomplete_body', 'The body is not as long as was declared.');
  }
}

async function publish(
  deps: PutDeps,
  put: ObjectPut,
  staged: Staged,
  blob: BlobRef,
): Promise<ObjectVersion> {
  const now = deps.clock.now();
  const version: ObjectVersion = {
    ...put.description,
    bucketId: put.bucketId,
    key: put.key,
    versionId: 'null',
    sizeBytes: staged.sizeBytes,
    etag: staged.digests.md5 as Etag,
    contentHash: staged.digests.blake3 as ContentHash,
    createdAt: now,
  };
  const check: CommitCheck = ({ current, account }) => {
    // The account may have been disabled while its bytes came in.
    requireEnabled(account);
    checkWriteConditions(put.conditions, current);
    const replacedBytes = current?.sizeBytes ?? 0;
    checkStorageQuota(deps.quota, account, { sizeBytes: staged.sizeBytes, replacedBytes });
  };
  await deps.metadata.publishObject({
    accountId: put.accountId,
    version,
    content: [{ blob, sizeBytes: staged.sizeBytes }],
    check,
    operation: put.describeOperation?.(version),
    usage: {
      accountId: put.accountId,
      hour: hourOf(now),
      meter: 'ingress',
      source: put.usage.source,
      bucketId: put.bucketId,
      credential: put.usage.credential,
      link: undefined,
      bytes: BigInt(staged.sizeBytes),
      requests: 1,
    },
  });
  return version;
}
