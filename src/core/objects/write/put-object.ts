/**
 * The one way by which bytes become an object, whatever the dialect (ARCHITECTURE.md, "The way of a
 * PUT"): admit, then what every write shares (`keep-bytes.ts`), then publish.
 */
import { ServiceError } from '../../errors.ts';
import type { UploadOperation } from '../../files/operation.ts';
import { type AccountId, type BucketId, contentHashOf, etagOf, type ObjectKey } from '../../ids.ts';
import { OBJECT_BYTES_MAX, SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import { checkStorageQuota, type QuotaPolicy, storageLeftBytes } from '../../quota.ts';
import { hourOf, type UsageSource } from '../../usage.ts';
import { checkWriteConditions, hasConditions, type WriteConditions } from '../commit/condition.ts';
import { versionFootprint } from '../commit/footprint.ts';
import type { ObjectDescription, ObjectVersion } from '../object.ts';
import { type BodyDemands, NO_DEMANDS } from './body-demands.ts';
import { assertCapacity, type Capacity } from './capacity.ts';
import {
  type Allowance,
  type KeepDeps,
  type KeepOptions,
  type KeptBytes,
  keepBytes,
} from './keep-bytes.ts';
import { type UnderWay, type UploadShare, uploadBound } from './under-way.ts';

export type PutDeps = KeepDeps & {
  readonly metadata: Pick<Metadata, 'findAccount' | 'findObject' | 'publishObject'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly quota: QuotaPolicy;
  readonly capacity: Capacity;
  readonly underWay: UnderWay;
};

export type ObjectPut = {
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly description: ObjectDescription;
  readonly body: ByteSource;
  /** What the sender says of its bytes; nothing unless given. */
  readonly demands?: BodyDemands;
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
  options: KeepOptions = {},
): Promise<ObjectVersion> {
  const share = deps.underWay.open(put.accountId, put.body);
  try {
    return await keep(deps, put, share, options);
  } finally {
    share.end();
  }
}

async function keep(
  deps: PutDeps,
  put: ObjectPut,
  share: UploadShare,
  options: KeepOptions,
): Promise<ObjectVersion> {
  const allowance = await admit(deps, put, share);
  const { demands = NO_DEMANDS } = put;
  const { body } = share;
  const publishKept = (kept: KeptBytes) => publish(deps, put, kept);
  return await keepBytes(deps, { body, allowance, demands, publish: publishKept }, options);
}

/**
 * Refuses what can already be refused, and answers how many bytes may come. A small body that fits
 * beside all that is stored needs no look at what it replaces; `publish` checks everything again.
 */
async function admit(deps: PutDeps, put: ObjectPut, share: UploadShare): Promise<Allowance> {
  assertCapacity(deps.capacity, put.body.declaredBytes ?? 0);
  const { declaredBytes } = put.body;
  if (declaredBytes !== undefined && declaredBytes > OBJECT_BYTES_MAX) {
    throw tooLarge();
  }
  const account = await deps.metadata.findAccount(put.accountId);
  if (account === undefined) throw new ServiceError('account_not_found', 'The account is gone.');
  const rowBytes = versionFootprint({
    ...put.description,
    key: put.key,
    sizeBytes: 0,
  }).countedBytes;
  const isSmall = declaredBytes !== undefined && declaredBytes <= SMALL_BODY_BYTES_MAX;
  if (isSmall && !put.isExpectingContinue && !hasConditions(put.conditions)) {
    const left = storageLeftBytes(deps.quota, account, 0);
    if (BigInt(rowBytes + declaredBytes) <= left) {
      return { bytes: BigInt(declaredBytes), refuse: tooLarge };
    }
  }
  const current = await deps.metadata.findObject(put.bucketId, put.key);
  checkWriteConditions(put.conditions, current);
  const replacedBytes = current === undefined ? 0 : versionFootprint(current).countedBytes;
  const addedBytes = rowBytes + (declaredBytes ?? 0);
  checkStorageQuota(deps.quota, account, { addedBytes, replacedBytes });
  const bound = uploadBound(deps, account, { rowBytes, replacedBytes });
  share.admit(bound);
  const { bytes } = bound;
  if (bytes > OBJECT_BYTES_MAX) return { bytes: BigInt(OBJECT_BYTES_MAX), refuse: tooLarge };
  return { bytes, refuse: () => bound.refuse(bytes + 1n) };
}

function tooLarge(): ServiceError {
  return new ServiceError('body_too_large', 'The body is larger than an object may be.');
}

async function publish(
  deps: PutDeps,
  put: ObjectPut,
  { blob, sizeBytes, digests, checksum }: KeptBytes,
): Promise<ObjectVersion> {
  const now = deps.clock.now();
  const version: ObjectVersion = {
    ...put.description,
    bucketId: put.bucketId,
    key: put.key,
    versionId: 'null',
    sizeBytes,
    etag: etagOf(digests.md5),
    contentHash: contentHashOf(digests.blake3),
    checksum,
    createdAt: now,
  };
  await deps.metadata.publishObject({
    accountId: put.accountId,
    version,
    content: [{ blob, sizeBytes }],
    demands: [
      { kind: 'enabled' },
      { kind: 'conditions', conditions: put.conditions },
      { kind: 'quota', policy: deps.quota, countedBytes: versionFootprint(version).countedBytes },
    ],
    operation: put.describeOperation?.(version),
    usage: {
      accountId: put.accountId,
      hour: hourOf(now),
      meter: 'ingress',
      source: put.usage.source,
      bucketId: put.bucketId,
      credential: put.usage.credential,
      link: undefined,
      bytes: BigInt(sizeBytes),
      requests: 1,
    },
  });
  return version;
}
