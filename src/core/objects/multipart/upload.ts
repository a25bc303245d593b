/** A multipart upload: an object that comes in parts and is completed at the end. */
import type {
  AccountId,
  BucketId,
  Etag,
  ObjectKey,
  PartNumber,
  TimeMs,
  UploadId,
} from '../../ids.ts';
import type { ObjectChecksum, ObjectDescription, PartChecksum, PlainChecksum } from '../object.ts';

/** By what the parts are checked, and of what the checksum of the whole is made. */
export type UploadChecksum = Omit<ObjectChecksum, 'value' | 'second'>;

/** What names an upload; all of it must fit, whatever one knows. */
export type UploadAddress = {
  readonly accountId: AccountId;
  readonly bucketId: BucketId;
  readonly key: ObjectKey;
  readonly uploadId: UploadId;
};

export type MultipartUpload = UploadAddress & {
  /** What the object will be; said at the start. */
  readonly description: ObjectDescription;
  /** `undefined`: none was asked for, and parts keep the one that is kept of any bytes. */
  readonly checksum: UploadChecksum | undefined;
  readonly createdAt: TimeMs;
  /** When the last part came, or the start. */
  readonly changedAt: TimeMs;
  /** Of an upload that became an object; kept for clients that lost the answer. */
  readonly completion: { readonly at: TimeMs; readonly result: UploadResult } | undefined;
};

/** A part that stands; its bytes are one blob, or none when it is empty. */
export type UploadPart = {
  readonly partNumber: PartNumber;
  readonly sizeBytes: number;
  /** MD5 in hex. */
  readonly etag: Etag;
  /**
   * By the algorithm of the upload, or by the one that is kept of any bytes; what a sender said
   * without the upload naming it is then the second. `undefined`: from before that was kept.
   */
  readonly checksum: PartChecksum | undefined;
  readonly createdAt: TimeMs;
};

/** A part as the client lists it. */
export type ListedPart = {
  readonly partNumber: PartNumber;
  /** Without quotes. */
  readonly etag: string;
  readonly checksum?: PlainChecksum | undefined;
};

/** What a client says of the object that its parts make. */
export type StatedWhole = {
  readonly checksum?: PlainChecksum | undefined;
  readonly checksumType?: ObjectChecksum['type'] | undefined;
  readonly sizeBytes?: number | undefined;
};

/** The parts that are to become the object. */
export type PartList = {
  /** At least one, in ascending order of their numbers. */
  readonly listed: readonly ListedPart[];
  /** What each but the last must have. */
  readonly partBytesMin: number;
  readonly stated: StatedWhole;
  /** As in the result: tells this list from any other. */
  readonly listHash: string;
};

/** What the answer of a Complete needs, the first one and each that repeats it. */
export type UploadResult = {
  readonly etag: Etag;
  readonly checksum: ObjectChecksum | undefined;
  /** Tells the list of parts that was asked for from any other. */
  readonly listHash: string;
};
