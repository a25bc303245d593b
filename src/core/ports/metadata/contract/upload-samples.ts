/** Multipart uploads for the contract suites and for tests that need some. */
import type { Account } from '../../../identity/account/account.ts';
import type { Etag, PartNumber, TimeMs, UploadId } from '../../../ids.ts';
import type { UploadDemands } from '../../../objects/commit/commit-demands.ts';
import { multipartEtag } from '../../../objects/multipart/multipart-etag.ts';
import type { MultipartUpload, UploadResult } from '../../../objects/multipart/upload.ts';
import type { PartChecksum } from '../../../objects/object.ts';
import type { PartPublication, UploadBeginning, UploadCompletion } from '../uploads.ts';
import { keyOf, NOW, samplePart, timeAt } from './samples.ts';

/** Ids in the order of `number`, as in that of the uploads' starts. */
export function sampleUploadId(number: number): UploadId {
  return String(number).padStart(44, '0') as UploadId;
}

/** Upload `number` of a key; each differs in its id and its start. */
export function sampleUpload(
  account: Account,
  sample: { readonly key: string; readonly number?: number },
  change: Partial<MultipartUpload> = {},
): MultipartUpload {
  const { key, number = 1 } = sample;
  return {
    uploadId: sampleUploadId(number),
    accountId: account.accountId,
    bucketId: account.defaultBucketId,
    key: keyOf(key),
    description: {
      contentType: 'text/plain',
      headers: {},
      userMetadata: {},
      tags: {},
      storageClass: 'STANDARD',
      tier: 'normal',
      origin: 's3',
    },
    checksum: undefined,
    createdAt: timeAt(number),
    changedAt: timeAt(number),
    completion: undefined,
    ...change,
  };
}

/** What begins `upload`. */
export function sampleBeginning(
  upload: MultipartUpload,
  demands: UploadDemands = [],
): UploadBeginning {
  return { upload, demands };
}

/** Part `number` of an upload, whose bytes are blob `blobId`; none: the part is empty. */
export function samplePartOf(
  upload: MultipartUpload,
  sample: {
    readonly number: number;
    readonly blobId: number | undefined;
    readonly sizeBytes?: number;
    readonly checksum?: PartChecksum;
    readonly at?: TimeMs;
  },
  change: Partial<PartPublication> = {},
): PartPublication {
  const { number, blobId, checksum, at = NOW } = sample;
  const sizeBytes = blobId === undefined ? 0 : (sample.sizeBytes ?? 10);
  return {
    address: upload,
    part: {
      partNumber: number as PartNumber,
      sizeBytes,
      etag: sampleEtag(number),
      checksum,
      createdAt: at,
    },
    blob: blobId === undefined ? undefined : samplePart(blobId, sizeBytes).blob,
    demands: [],
    usage: undefined,
    ...change,
  };
}

export function sampleEtag(number: number): Etag {
  return String(number).padStart(32, '0') as Etag;
}

/** The answer of a completion by parts `numbers`; differs from others by `word` too. */
export function sampleResult(
  numbers: readonly number[],
  word: string = numbers.join(),
): UploadResult {
  const etag = multipartEtag(numbers.map((number) => ({ etag: sampleEtag(number) })));
  return { etag, checksum: undefined, listHash: word };
}

/** The completion of an upload by some of its parts, in the order of their numbers. */
export function sampleCompletion(
  upload: MultipartUpload,
  numbers: readonly number[],
  change: Partial<UploadCompletion> = {},
): UploadCompletion {
  return {
    address: upload,
    listed: numbers.map((number) => ({
      partNumber: number as PartNumber,
      etag: sampleEtag(number),
    })),
    partBytesMin: 0,
    stated: {},
    listHash: numbers.join(),
    at: NOW,
    demands: [],
    resultsKept: 1000,
    ...change,
  };
}
