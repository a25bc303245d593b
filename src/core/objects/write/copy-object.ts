/**
 * Copying an object: a new version that names the same bytes. Nothing is read but for a checksum
 * that the source does not have.
 */
import { strict as assert } from 'node:assert';
import type { ChecksumAlgorithm } from '../../../kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue } from '../../../kit/checksums/checksum-value.ts';
import { openChecksum, prepareChecksums } from '../../../kit/checksums/open-checksum.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import type { ObjectKey } from '../../ids.ts';
import type { BlobStore } from '../../ports/blob-store.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import type { QuotaPolicy } from '../../quota.ts';
import { hourOf, type UsageSource } from '../../usage.ts';
import type { Bucket } from '../buckets/bucket.ts';
import {
  checkReadConditions,
  type ReadConditions,
  type WriteConditions,
} from '../commit/condition.ts';
import { versionFootprint } from '../commit/footprint.ts';
import { UNCHANGED } from '../commit/judge-commit.ts';
import type { ObjectChecksum, ObjectVersion, StoredObject } from '../object.ts';
import { type ObjectReading, objectNotFound, openObject } from '../read/read-object.ts';
import { assertCapacity, type Capacity } from './capacity.ts';
import { secondAlgorithm } from './kept-checksums.ts';

export type CopyDeps = {
  readonly metadata: Pick<Metadata, 'findObject' | 'publishObject'>;
  readonly blobs: Pick<BlobStore, 'open'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly quota: QuotaPolicy;
  readonly capacity: Capacity;
};

type Place = { readonly bucket: Pick<Bucket, 'bucketId' | 'accountId'>; readonly key: ObjectKey };

export type ObjectCopy = {
  readonly source: Place & { readonly conditions: ReadConditions };
  readonly target: Place & { readonly conditions: WriteConditions };
  /** What the new version says of itself, given the source; bytes and digests come from that. */
  readonly describe: (
    source: ObjectVersion,
  ) => Pick<
    ObjectVersion,
    'contentType' | 'headers' | 'userMetadata' | 'tags' | 'storageClass' | 'tier' | 'origin'
  >;
  /** The checksum that the copy must have; `undefined`: whatever the source has. */
  readonly checksum: ChecksumAlgorithm | undefined;
  readonly sizeBytesMax: number;
  readonly usage: { readonly source: UsageSource; readonly credential: string };
};

/** A source that is replaced again and again while it is copied is given up. */
const TRIES_MAX = 20;

/**
 * The new version. Throws `object_not_found`, `precondition_failed` (also where a read would be
 * told that its copy is fresh), `body_too_large`, `quota_exceeded`, `storage_full`, `corrupt`, and
 * `aborted` while it reads for a checksum; what is published after that is.
 */
export async function copyObject(
  deps: CopyDeps,
  copy: ObjectCopy,
  options: { readonly signal?: AbortSignal } = {},
): Promise<ObjectVersion> {
  for (let tries = 1; ; tries += 1) {
    const source = await readSource(deps, copy, options);
    try {
      return await publish(deps, copy, source);
    } catch (error) {
      if (!isOvertaken(error, copy) || tries >= TRIES_MAX) throw error;
    }
  }
}

/** Whether the source became another between the read and the commit; it is then read again. */
function isOvertaken(error: unknown, { target }: ObjectCopy): boolean {
  if (isServiceError(error, 'precondition_failed')) return error.details['condition'] === UNCHANGED;
  // Its bytes are gone; or a condition misses the target.
  return isServiceError(error, 'object_not_found') && target.conditions.ifMatch === undefined;
}

async function findSource(
  { metadata, capacity }: CopyDeps,
  { source, sizeBytesMax }: ObjectCopy,
): Promise<StoredObject> {
  const found = await metadata.findObject(source.bucket.bucketId, source.key);
  if (found === undefined) throw objectNotFound();
  if (checkReadConditions(source.conditions, found) === 'fresh') {
    throw new ServiceError('precondition_failed', 'The source has not changed.', {
      details: { condition: 'x-amz-copy-source-If-None-Match' },
    });
  }
  if (found.sizeBytes > sizeBytesMax) {
    throw new ServiceError('body_too_large', 'The source is too large to be copied at once.');
  }
  // No bytes are written, but what an operator allows to be stored is counted by objects.
  assertCapacity(capacity, found.sizeBytes);
  return found;
}

/** The source with the checksum that the copy is to have. */
async function readSource(
  deps: CopyDeps,
  copy: ObjectCopy,
  options: { readonly signal?: AbortSignal },
): Promise<StoredObject> {
  const found = await findSource(deps, copy);
  const { checksum: algorithm } = copy;
  if (algorithm === undefined || found.checksum?.algorithm === algorithm) return found;
  const all = { conditions: {}, range: undefined };
  const opened = await openObject(deps, () => findSource(deps, copy), all);
  assert(opened.kind === 'content', 'nobody has a copy of it that could be fresh');
  const checksum = await readChecksum(opened, algorithm, options);
  // What stands with its parts is of another algorithm.
  const content = opened.object.content.map(({ blob, sizeBytes }) => ({ blob, sizeBytes }));
  return { ...opened.object, content, checksum };
}

/** The checksums that are kept with `algorithm`, of all bytes. */
async function readChecksum(
  opened: ObjectReading,
  algorithm: ChecksumAlgorithm,
  options: { readonly signal?: AbortSignal },
): Promise<ObjectChecksum> {
  const secondary = secondAlgorithm(algorithm);
  try {
    await prepareChecksums([algorithm]);
    const open = openChecksum(algorithm);
    const openSecond = secondary && openChecksum(secondary);
    await opened.send((chunk) => {
      open.update(chunk);
      openSecond?.update(chunk);
      return undefined;
    }, options);
    const value = formatChecksumValue(open.digest());
    const checksum = { algorithm, type: 'FULL_OBJECT', value } as const;
    if (secondary === undefined || openSecond === undefined) return checksum;
    const second = { algorithm: secondary, value: formatChecksumValue(openSecond.digest()) };
    return { ...checksum, second };
  } finally {
    await opened.close();
  }
}

async function publish(
  deps: CopyDeps,
  copy: ObjectCopy,
  { content, ...source }: StoredObject,
): Promise<ObjectVersion> {
  const { target, usage } = copy;
  const isOntoItself =
    copy.source.bucket.bucketId === target.bucket.bucketId && copy.source.key === target.key;
  const now = deps.clock.now();
  const version: ObjectVersion = {
    ...source,
    ...copy.describe(source),
    bucketId: target.bucket.bucketId,
    key: target.key,
    createdAt: now,
  };
  await deps.metadata.publishObject({
    accountId: target.bucket.accountId,
    version,
    content,
    areBlobsStanding: true,
    demands: [
      { kind: 'enabled' },
      { kind: 'conditions', conditions: target.conditions },
      ...(isOntoItself ? [{ kind: 'unchanged', version: source } as const] : []),
      { kind: 'quota', policy: deps.quota, countedBytes: versionFootprint(version).countedBytes },
    ],
    operation: undefined,
    usage: {
      accountId: target.bucket.accountId,
      hour: hourOf(now),
      meter: 'ingress',
      source: usage.source,
      bucketId: target.bucket.bucketId,
      credential: usage.credential,
      link: undefined,
      bytes: 0n,
      requests: 1,
    },
  });
  return version;
}
