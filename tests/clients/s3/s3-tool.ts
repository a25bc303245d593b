/** What a user does with a tool that speaks S3; each tool's own words for it are its adapter's. */
import type { ChecksumAlgorithm } from '../../../src/kit/checksums/checksum-algorithms.ts';

export type StoredFile = {
  readonly bucket: string;
  readonly key: string;
  /** On the disk: read by `put`, written by `get`. */
  readonly file: string;
};

export type Listing = {
  readonly keys: readonly string[];
  /** The common prefixes; none without a delimiter. */
  readonly prefixes: readonly string[];
};

export type CheckedFile = StoredFile & { readonly algorithm: ChecksumAlgorithm };

/** The steps of a round trip. Each resolves when the tool says that it is done. */
export type S3Steps = {
  makeBucket(input: { readonly bucket: string }): Promise<void>;
  listBuckets(): Promise<readonly string[]>;
  removeBucket(input: { readonly bucket: string }): Promise<void>;
  put(input: StoredFile): Promise<void>;
  /** Rejects when there is no such object. */
  get(input: StoredFile): Promise<void>;
  /** Both ends are part of the range. */
  getRange(input: StoredFile & { readonly first: number; readonly last: number }): Promise<void>;
  copy(input: {
    readonly bucket: string;
    readonly from: string;
    readonly to: string;
  }): Promise<void>;
  /** All pages of it. */
  list(input: {
    readonly bucket: string;
    readonly prefix: string;
    readonly delimiter?: string;
  }): Promise<Listing>;
  /** Sends a checksum of this kind, and checks it when it reads the object back into `file`. */
  putChecked(input: CheckedFile): Promise<void>;
  /** A URL that reads the object. */
  presign(input: { readonly bucket: string; readonly key: string }): Promise<string>;
  /** In as few requests as the tool can. */
  deleteKeys(input: { readonly bucket: string; readonly keys: readonly string[] }): Promise<void>;
  /** Makes what is below the prefix (ends in `/`) the same as the folder: new, changed and gone. */
  syncUp(input: SyncedFolder): Promise<void>;
  syncDown(input: SyncedFolder): Promise<void>;
};

export type SyncedFolder = {
  readonly bucket: string;
  readonly prefix: string;
  readonly folder: string;
};

export type StepName = keyof S3Steps;

/** A tool has the steps that it can express; what it lacks stands in the table of gaps. */
export type S3Tool = AsyncDisposable & {
  readonly steps: Partial<S3Steps>;
  /** How many steps may run side by side; more than one pays where each starts a program. */
  readonly stepsAtOnce: number;
};
