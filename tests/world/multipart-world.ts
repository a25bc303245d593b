/** A store in memory, or any that is given, with the use cases of multipart uploads over it. */
import { createHash } from 'node:crypto';
import type { AccountId, BucketId, ObjectKey, PartNumber } from '../../src/core/ids.ts';
import { abortUpload } from '../../src/core/objects/multipart/abort-upload.ts';
import {
  completeUpload,
  type UploadToComplete,
} from '../../src/core/objects/multipart/complete-upload.ts';
import { copyPart, type PartCopy } from '../../src/core/objects/multipart/copy-part.ts';
import { createUpload, type NewUpload } from '../../src/core/objects/multipart/create-upload.ts';
import type { ListedPart, UploadAddress } from '../../src/core/objects/multipart/upload.ts';
import { type PartUpload, uploadPart } from '../../src/core/objects/multipart/upload-part.ts';
import { openObject } from '../../src/core/objects/read/read-object.ts';
import {
  type ObjectPut,
  type PutDeps,
  putObject,
} from '../../src/core/objects/write/put-object.ts';
import type { BlobStore } from '../../src/core/ports/blob-store.ts';
import type { ByteSource } from '../../src/core/ports/byte-source.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import type { Random } from '../../src/core/ports/random.ts';

export const DESCRIPTION = {
  contentType: 'text/plain',
  headers: {},
  userMetadata: {},
  tags: {},
  storageClass: 'STANDARD',
  tier: 'normal',
  origin: 's3',
} as const;

export type MultipartDeps = PutDeps & {
  readonly metadata: Metadata;
  readonly blobs: BlobStore;
  readonly random: Random;
};

export type MultipartCalls = ReturnType<typeof multipartCalls>;

/** The calls on `owner`'s bucket, with everything that tests rarely vary filled in. */
export function multipartCalls(
  deps: MultipartDeps,
  owner: { readonly accountId: AccountId; readonly bucketId: BucketId },
) {
  const keyOf = (key: string) => key as ObjectKey;
  const usage = { source: 's3', credential: 'test' } as const;
  const find = (key: string) => deps.metadata.findObject(owner.bucketId, keyOf(key));
  return {
    begin: (key: string, change: Partial<NewUpload> = {}) =>
      createUpload(deps, {
        ...owner,
        key: keyOf(key),
        description: DESCRIPTION,
        checksum: undefined,
        ...change,
      }),
    upload: (
      address: UploadAddress,
      number: number,
      body: Uint8Array | ByteSource,
      change: Partial<PartUpload> = {},
    ) =>
      uploadPart(deps, {
        address,
        partNumber: number as PartNumber,
        body: body instanceof Uint8Array ? sourceOf(body) : body,
        usage,
        from: 'sender',
        ...change,
      }),
    copy: (
      address: UploadAddress,
      number: number,
      source: string,
      change: Partial<PartCopy> = {},
    ) =>
      copyPart(deps, {
        address,
        partNumber: number as PartNumber,
        find: () => find(source),
        conditions: {},
        range: undefined,
        ...change,
      }),
    complete: (
      address: UploadAddress,
      parts: readonly ListedPart[],
      change: Partial<UploadToComplete> = {},
    ) => completeUpload(deps, { address, parts, conditions: {}, ...change }),
    abort: (address: UploadAddress) => abortUpload(deps, address),
    put: (key: string, bytes: Uint8Array, change: Partial<ObjectPut> = {}) =>
      putObject(deps, {
        ...owner,
        key: keyOf(key),
        description: DESCRIPTION,
        body: sourceOf(bytes),
        conditions: {},
        usage,
        isExpectingContinue: false,
        describeOperation: undefined,
        ...change,
      }),
    find,
    read: async (key: string): Promise<Buffer> => {
      const opened = await openObject(deps, () => find(key), {
        conditions: {},
        range: undefined,
      });
      if (opened.kind === 'fresh') throw new Error('there were no conditions');
      const chunks: Buffer[] = [];
      try {
        await opened.send((chunk) => void chunks.push(Buffer.from(chunk)));
      } finally {
        await opened.close();
      }
      return Buffer.concat(chunks);
    },
  };
}

/** A part as its uploader lists it. */
export function listed(number: number, bytes: Uint8Array): ListedPart {
  return { partNumber: number as PartNumber, etag: md5Of(bytes) };
}

export function md5Of(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** Bytes that come in chunks. */
export function sourceOf(bytes: Uint8Array, chunkBytes = 65_536): ByteSource {
  return {
    declaredBytes: bytes.length,
    pipeTo: async (sink) => {
      for (let at = 0; at < bytes.length; at += chunkBytes) {
        await sink(Buffer.from(bytes.subarray(at, at + chunkBytes)));
      }
    },
  };
}
