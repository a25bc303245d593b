/**
 * Metadata in memory: the fake of the tests and the model that the other engines are held to. It
 * keeps every promise of the port but durability. Inputs and answers of transactions and commits
 * are structured-cloned on the way, so that every test over this engine proves that they are data.
 */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../../core/errors.ts';
import type { BlobId } from '../../core/ids.ts';
import type { ObjectVersion } from '../../core/objects/object.ts';
import type { BlobIdSource } from '../../core/ports/blob-store.ts';
import type {
  MetadataReads,
  MetadataTx,
  Transaction,
  Transactions,
} from '../../core/ports/metadata/metadata.ts';
import type {
  BlobRows,
  Deletion,
  ObjectCommits,
  ObjectWrites,
  Publication,
} from '../../core/ports/metadata/objects.ts';
import type { MetadataSnapshot, Snapshots } from '../../core/ports/metadata/snapshot.ts';
import type { UploadCommits, UploadWrites } from '../../core/ports/metadata/uploads.ts';
import { retryConflicts, SerialConflict } from './conflict.ts';
import {
  memoryAccessReads,
  memoryAccessWrites,
  memoryAccountReads,
  memoryAccountWrites,
} from './memory/memory-accounts.ts';
import { memoryBlobReads, memoryBlobWrites } from './memory/memory-blobs.ts';
import { memoryBucketReads, memoryBucketWrites } from './memory/memory-buckets.ts';
import { memoryContentHashReads, memoryContentHashWrites } from './memory/memory-content-hashes.ts';
import {
  memoryFileReads,
  memoryFileWrites,
  memoryTrailWrites,
  memoryUsageReads,
} from './memory/memory-files.ts';
import { memoryObjectReads, memoryObjectWrites } from './memory/memory-objects.ts';
import { memorySnapshot } from './memory/memory-snapshot.ts';
import { copyOf, emptyState, type Holder } from './memory/memory-state.ts';
import { memoryUploadReads, memoryUploadWrites } from './memory/memory-uploads.ts';
import { Mutex } from './mutex.ts';

type BlobReads = Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'listDeadBlobs'>;

/** An open engine: the class holds the writes, its reads are joined to it by subject. */
export type OpenMemoryMetadata = MemoryMetadata & MetadataReads & BlobReads;

export class MemoryMetadata
  implements
    Transactions,
    ObjectCommits,
    UploadCommits,
    Omit<BlobRows, keyof BlobReads>,
    Snapshots,
    BlobIdSource
{
  /** What is committed; a transaction works on a copy and puts it here. */
  readonly #holder: Holder;
  readonly #mutex = new Mutex();
  #nextBlobId = 1;
  #isClosed = false;

  static async open(): Promise<OpenMemoryMetadata> {
    const holder: Holder = { current: emptyState() };
    return Object.assign(new MemoryMetadata(holder), readsOf(holder), memoryBlobReads(holder));
  }

  private constructor(holder: Holder) {
    this.#holder = holder;
  }

  transact<Input, Answer>(
    { run }: Transaction<Input, Answer>,
    input: NoInfer<Input>,
  ): Promise<Answer> {
    return retryConflicts(
      () =>
        this.#write(async (holder) =>
          structuredClone(await run(txOf(holder), structuredClone<Input>(input))),
        ),
      (error) => error instanceof SerialConflict,
      async () => {},
    );
  }

  publishObject(publication: Publication): Promise<ObjectVersion | undefined> {
    return this.#commit(publication, (given, { objects }) => objects.publishObject(given));
  }

  deleteObject(deletion: Deletion): Promise<ObjectVersion | undefined> {
    return this.#commit(deletion, (given, { objects }) => objects.deleteObject(given));
  }

  insertUpload: UploadCommits['insertUpload'] = (beginning) =>
    this.#commit(beginning, (given, { uploads }) => uploads.insertUpload(given));

  savePart: UploadCommits['savePart'] = (publication) =>
    this.#commit(publication, (given, { uploads }) => uploads.savePart(given));

  completeUpload: UploadCommits['completeUpload'] = (completion) =>
    this.#commit(completion, (given, { uploads }) => uploads.completeUpload(given));

  abortUpload: UploadCommits['abortUpload'] = (abortion) =>
    this.#commit(abortion, (given, { uploads }) => uploads.abortUpload(given));

  forgetDeadBlobs: BlobRows['forgetDeadBlobs'] = (blobIds) =>
    this.#write((holder) => memoryBlobWrites(holder).forgetDeadBlobs(blobIds));

  moveBlobs: BlobRows['moveBlobs'] = (moves) =>
    this.#write((holder) => memoryBlobWrites(holder).moveBlobs(moves));

  async snapshot<T>(work: (snapshot: MetadataSnapshot) => Promise<T>): Promise<T> {
    const snapshot = await this.#mutex.run(() => {
      this.#requireOpen();
      return memorySnapshot(this.#holder.current);
    });
    return await work(snapshot);
  }

  readonly #storeId = randomUUID();

  async storeId(): Promise<string> {
    return this.#storeId;
  }

  async reserveBlobIds(count: number): Promise<BlobId> {
    this.#requireOpen();
    const first = this.#nextBlobId as BlobId;
    this.#nextBlobId += count;
    return first;
  }

  async check(): Promise<void> {
    this.#requireOpen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#mutex.run(() => {
      this.#isClosed = true;
    });
  }

  #write<T>(work: (holder: Holder) => Promise<T>): Promise<T> {
    return this.#mutex.run(async () => {
      this.#requireOpen();
      const draft: Holder = { current: copyOf(this.#holder.current) };
      const result = await work(draft);
      this.#holder.current = draft.current;
      return result;
    });
  }

  /**
   * Without a copy of what is kept: these writes refuse before they change anything, and never
   * wait.
   */
  #commit<Input, Answer>(
    input: Input,
    work: (
      input: Input,
      writes: { readonly objects: ObjectWrites; readonly uploads: UploadWrites },
    ) => Promise<Answer>,
  ): Promise<Answer> {
    return this.#mutex.run(async () => {
      this.#requireOpen();
      const objects = memoryObjectWrites(this.#holder);
      const uploads = memoryUploadWrites(this.#holder);
      return structuredClone(await work(structuredClone(input), { objects, uploads }));
    });
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ServiceError('unavailable', 'The metadata engine is closed.');
  }
}

function readsOf(holder: Holder): MetadataReads {
  return {
    ...memoryAccountReads(holder),
    ...memoryAccessReads(holder),
    ...memoryBucketReads(holder),
    ...memoryObjectReads(holder),
    ...memoryUploadReads(holder),
    ...memoryContentHashReads(holder),
    ...memoryFileReads(holder),
    ...memoryUsageReads(holder),
  };
}

function txOf(holder: Holder): MetadataTx {
  return {
    ...readsOf(holder),
    ...memoryAccountWrites(holder),
    ...memoryAccessWrites(holder),
    ...memoryBucketWrites(holder),
    ...memoryObjectWrites(holder),
    ...memoryUploadWrites(holder),
    ...memoryContentHashWrites(holder),
    ...memoryFileWrites(holder),
    ...memoryTrailWrites(holder),
  };
}
