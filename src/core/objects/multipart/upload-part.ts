/** Uploading a part: the one writing path, published as a part and not as an object. */
import { strict as assert } from 'node:assert';
import { ServiceError } from '../../errors.ts';
import { etagOf, type PartNumber } from '../../ids.ts';
import { PART_SIZE_BYTES_MAX, SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import { checkStorageQuota, type QuotaPolicy, storageLeftBytes } from '../../quota.ts';
import { hourOf, type UsageSource } from '../../usage.ts';
import { partFootprint } from '../commit/footprint.ts';
import type { PlainChecksum } from '../object.ts';
import { type BodyDemands, NO_DEMANDS } from '../write/body-demands.ts';
import { assertCapacity, type Capacity } from '../write/capacity.ts';
import {
  type Allowance,
  type KeepDeps,
  type KeepOptions,
  type KeptBytes,
  keepBytes,
} from '../write/keep-bytes.ts';
import { computed, DEFAULT_ALGORITHM, withKeptChecksums } from '../write/kept-checksums.ts';
import { type UnderWay, type UploadShare, uploadBound } from '../write/under-way.ts';
import { getLiveUpload } from './live-upload.ts';
import type { MultipartUpload, UploadAddress, UploadPart } from './upload.ts';
import { checksumMissing, checksumUnfit } from './upload-checksum.ts';

export type PartDeps = KeepDeps & {
  readonly metadata: Pick<Metadata, 'findAccount' | 'findUpload' | 'listParts' | 'savePart'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly quota: QuotaPolicy;
  readonly capacity: Capacity;
  readonly underWay: UnderWay;
};

export type PartUpload = {
  readonly address: UploadAddress;
  readonly partNumber: PartNumber;
  readonly body: ByteSource;
  /** What the sender says of its bytes; nothing unless given. */
  readonly demands?: BodyDemands;
  /** `undefined`: the bytes did not come from outside. */
  readonly usage: { readonly source: UsageSource; readonly credential: string } | undefined;
  /** Whether the checksum is the sender's to say, as it is unless the bytes are copied. */
  readonly from: 'sender' | 'copy';
};

/** `checksum` is what to tell the sender: of the part, by one algorithm. */
export type UploadedPart = {
  readonly part: UploadPart;
  readonly checksum: PlainChecksum;
};

/**
 * Stores a part under its number, in place of one that stands there; of several at once the last
 * to finish stays. Throws `upload_not_found`, `checksum_unfit`, `checksum_missing`,
 * `body_too_large`, `quota_exceeded`, and what `keepBytes` throws.
 */
export async function uploadPart(
  deps: PartDeps,
  put: PartUpload,
  options: KeepOptions = {},
): Promise<UploadedPart> {
  const upload = await getLiveUpload(deps, put.address);
  const demands = demandsOf(upload, put);
  const share = deps.underWay.open(put.address.accountId, put.body);
  try {
    const allowance = await admit(deps, put, share);
    const publishKept = (kept: KeptBytes) => publish(deps, { put, upload, kept });
    const write = { body: share.body, allowance, demands, publish: publishKept };
    return await keepBytes(deps, write, options);
  } finally {
    share.end();
  }
}

/** The checksum of every part is made by the upload's algorithm, whether its sender says it. */
function demandsOf({ checksum }: MultipartUpload, put: PartUpload): BodyDemands {
  const { demands = NO_DEMANDS } = put;
  const said = demands.checksum;
  if (checksum === undefined) {
    if (said?.algorithm === DEFAULT_ALGORITHM) return demands;
    return { ...demands, checksum: computed(DEFAULT_ALGORITHM), second: said };
  }
  const { algorithm, type } = checksum;
  if (said !== undefined && said.algorithm !== algorithm) {
    throw checksumUnfit(`The upload's checksums are of ${algorithm}.`);
  }
  if (said === undefined && type === 'COMPOSITE' && put.from === 'sender') {
    throw checksumMissing(put.partNumber);
  }
  return withKeptChecksums({ ...demands, checksum: said ?? computed(algorithm) });
}

/** As of a PUT: a small part that fits beside all that is stored replaces what it may. */
async function admit(deps: PartDeps, put: PartUpload, share: UploadShare): Promise<Allowance> {
  const { address, partNumber } = put;
  const { declaredBytes } = put.body;
  assertCapacity(deps.capacity, declaredBytes ?? 0);
  if (declaredBytes !== undefined && declaredBytes > PART_SIZE_BYTES_MAX) throw tooLarge();
  const account = await deps.metadata.findAccount(address.accountId);
  if (account === undefined) throw new ServiceError('account_not_found', 'The account is gone.');
  const rowBytes = partFootprint({ sizeBytes: 0 }).countedBytes;
  if (declaredBytes !== undefined && declaredBytes <= SMALL_BODY_BYTES_MAX) {
    const left = storageLeftBytes(deps.quota, account, 0);
    if (BigInt(rowBytes + declaredBytes) <= left) {
      return { bytes: BigInt(declaredBytes), refuse: tooLarge };
    }
  }
  const page = { uploadId: address.uploadId, after: partNumber - 1, limit: 1 };
  const [next] = await deps.metadata.listParts(page);
  const replacedBytes = next?.partNumber === partNumber ? partFootprint(next).countedBytes : 0;
  const addedBytes = rowBytes + (declaredBytes ?? 0);
  checkStorageQuota(deps.quota, account, { addedBytes, replacedBytes });
  const bound = uploadBound(deps, account, { rowBytes, replacedBytes });
  share.admit(bound);
  const { bytes } = bound;
  if (bytes > PART_SIZE_BYTES_MAX) return { bytes: BigInt(PART_SIZE_BYTES_MAX), refuse: tooLarge };
  return { bytes, refuse: () => bound.refuse(bytes + 1n) };
}

function tooLarge(): ServiceError {
  return new ServiceError('body_too_large', 'The body is larger than a part may be.', {
    details: { size_bytes_max: PART_SIZE_BYTES_MAX },
  });
}

async function publish(
  deps: PartDeps,
  write: {
    readonly put: PartUpload;
    readonly upload: MultipartUpload;
    readonly kept: KeptBytes;
  },
): Promise<UploadedPart> {
  const { put, upload, kept } = write;
  const { accountId, bucketId } = put.address;
  const { blob, sizeBytes, checksum } = kept;
  assert(checksum, 'a checksum of every part is made');
  const now = deps.clock.now();
  const part: UploadPart = {
    partNumber: put.partNumber,
    sizeBytes,
    etag: etagOf(kept.digests.md5),
    checksum: {
      value: checksum.value,
      ...(checksum.second === undefined ? {} : { second: checksum.second }),
    },
    createdAt: now,
  };
  await deps.metadata.savePart({
    address: put.address,
    part,
    blob: sizeBytes === 0 ? undefined : blob,
    demands: [
      { kind: 'enabled' },
      { kind: 'quota', policy: deps.quota, countedBytes: partFootprint(part).countedBytes },
    ],
    usage: put.usage && {
      accountId,
      hour: hourOf(now),
      meter: 'ingress',
      source: put.usage.source,
      bucketId,
      credential: put.usage.credential,
      link: undefined,
      bytes: BigInt(sizeBytes),
      requests: 1,
    },
  });
  // An upload that named none hears what the sender said, and others what they named.
  const said = upload.checksum === undefined ? checksum.second : undefined;
  return { part, checksum: said ?? checksum };
}
