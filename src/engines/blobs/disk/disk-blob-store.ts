/**
 * Blobs on one machine's disk: small ones share segments, large ones have a file each. Files beside
 * this one: `segment-*` and `blob-file*` keep the two layouts, `compaction` gives space back.
 */
import { dirname, join } from 'node:path';
import { ServiceError } from '../../../core/errors.ts';
import type { BlobId, TimeMs } from '../../../core/ids.ts';
import type {
  BlobIdSource,
  BlobReader,
  BlobRef,
  BlobStore,
  BlobWriter,
  KeptBytes,
} from '../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../core/ports/metadata/objects.ts';
import { SyncUnreached } from '../../data-directory/durable-file.ts';
import { isErrno, translateWriteError } from '../../errno.ts';
import { ClaimedWriter } from './claimed-writer.ts';
import { corruptBlob } from './corrupt-blob.ts';
import type { DiskIo } from './disk-io.ts';
import { FILE_LOCATION } from './files/blob-file.ts';
import { BlobFiles, type ListedBlob } from './files/blob-files.ts';
import { FreeSpace } from './free-space.ts';
import { claimDirectory } from './owner-file.ts';
import { compactSegments } from './segments/compaction.ts';
import { inspectSegments } from './segments/inspect-segments.ts';
import { RecordReader } from './segments/record-reader.ts';
import {
  formatPlace,
  HEAD_BYTES,
  parsePlace,
  SEGMENT_BLOB_BYTES_MAX,
} from './segments/segment-format.ts';
import { scanSegment } from './segments/segment-recovery.ts';
import { SegmentSet, type SlowCall } from './segments/segment-set.ts';
import { SmallWriter } from './segments/small-writer.ts';

/** Ids reserved at once: a restart wastes at most so many of 2^53. */
const ID_BLOCK = 4096;
const SEGMENT_BYTES_MAX = 128 * 1024 * 1024;
const ORPHANS_A_PAGE = 500;

export type DiskBlobStoreOptions = {
  readonly io: DiskIo;
  readonly directory: string;
  readonly ids: BlobIdSource;
  readonly rows: Pick<BlobRows, 'findBlobs' | 'listBlobsAt' | 'listBlobs' | 'moveBlobs'>;
  /** Writes that would leave less than this are refused. */
  readonly minFreeBytes: number;
  readonly now: () => TimeMs;
  /** Called once when a sync has failed: nothing can be promised any more. */
  readonly onSyncFailure: (error: Error) => void;
  /** Called with what is damaged where; nothing is cut for it. */
  readonly onDamage: (segment: number, offsets: readonly number[]) => void;
  readonly onGroup?: (records: number, bytes: number) => void;
  /** Called when chunks of bodies with so many bytes were written and are referred to no longer. */
  readonly onWritten?: (bytes: number) => void;
  readonly onSlowCall?: (kind: SlowCall) => void;
  readonly segmentBytesMax?: number;
  /** Fitted to the descriptors of the process. */
  readonly openReadersMax?: number;
  readonly openSegmentsMax?: number;
};

const OPEN_READERS_MAX = 2048;
/** Segments whose files are kept open; more are closed when nobody reads them. */
const OPEN_SEGMENTS_MAX = 512;

/** What an operator watches of the store. */
export type DiskBlobStatistics = {
  readonly segments: number;
  readonly segmentBytes: number;
  readonly deadBytes: number;
  readonly leases: number;
  /** `undefined` until they were counted. */
  readonly blobFiles: number | undefined;
};

export class DiskBlobStore implements BlobStore {
  readonly #options: DiskBlobStoreOptions;
  readonly #freeSpace: FreeSpace;
  readonly #files: BlobFiles;
  readonly #segments: SegmentSet;
  #nextId = 0;
  #idsEnd = 0;
  #reserving: Promise<void> | undefined;
  readonly #health: StoreHealth;
  #holds = 0;

  /** Makes the folders, recovers the newest segment; ready to serve when it resolves. */
  static async open(options: DiskBlobStoreOptions): Promise<DiskBlobStore> {
    const { io, directory, segmentBytesMax = SEGMENT_BYTES_MAX } = options;
    const { onWritten = () => undefined } = options;
    const segmentDirectory = join(directory, 'segments');
    for (const path of [directory, segmentDirectory]) {
      await io.makeDirectory(path);
      await io.syncDirectory(dirname(path));
    }
    await claimDirectory(options, await options.ids.storeId());
    const health = new StoreHealth(options.onSyncFailure);
    const failures = {
      assertWritable: () => health.assertWritable(),
      failWrite: translateWriteError,
      failSync: (error: unknown) => health.failSync(error),
    };
    const segments = await SegmentSet.open({
      ...failures,
      io,
      directory: segmentDirectory,
      rows: options.rows,
      segmentBytesMax,
      openFilesMax: options.openSegmentsMax ?? OPEN_SEGMENTS_MAX,
      now: options.now,
      onGroup: (records, bytes) => {
        options.onGroup?.(records, bytes);
        onWritten(bytes);
      },
      onSlowCall: options.onSlowCall ?? (() => undefined),
      onDamage: options.onDamage,
    });
    return new DiskBlobStore(options, {
      health,
      segments,
      files: new BlobFiles({
        ...failures,
        io,
        directory,
        onWritten,
        openReadersMax: options.openReadersMax ?? OPEN_READERS_MAX,
      }),
    });
  }

  private constructor(
    options: DiskBlobStoreOptions,
    parts: {
      readonly health: StoreHealth;
      readonly segments: SegmentSet;
      readonly files: BlobFiles;
    },
  ) {
    this.#options = options;
    this.#freeSpace = new FreeSpace(options);
    this.#health = parts.health;
    this.#segments = parts.segments;
    this.#files = parts.files;
  }

  async stage(options: { readonly sizeBytes: number | undefined }): Promise<BlobWriter> {
    this.#health.assertWritable();
    const { sizeBytes } = options;
    const claimed = this.#freeSpace.claim(sizeBytes ?? 0);
    const claim = claimed instanceof Promise ? await claimed : claimed;
    try {
      const isLarge = sizeBytes !== undefined && sizeBytes > SEGMENT_BLOB_BYTES_MAX;
      const writer = isLarge ? await this.#createFile() : this.#smallWriter();
      return new ClaimedWriter(writer, claim);
    } catch (error) {
      claim.end();
      throw error;
    }
  }

  async open(blob: BlobRef): Promise<BlobReader> {
    if (blob.location === FILE_LOCATION) return await this.#files.open(blob);
    if (parsePlace(blob.location) === undefined) {
      throw corruptBlob(blob, `its location ${blob.location} is not known to this engine`);
    }
    const { segment, offset } = await this.#segments.leaseOf(blob.location);
    return new RecordReader(segment, blob, offset);
  }

  async remove(blobs: readonly BlobRef[]): Promise<boolean> {
    if (this.#holds > 0) return false;
    for (const blob of blobs) {
      if (blob.location === FILE_LOCATION) await this.#files.remove(blob.blobId);
      else this.#segments.drop(blob);
    }
    return true;
  }

  /** What was being unlinked when it began is named by no row that is read from now on. */
  async hold(): Promise<AsyncDisposable> {
    this.#holds += 1;
    let isOver = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (!isOver) this.#holds -= 1;
        isOver = true;
      },
    };
  }

  async *inspect(options: { readonly signal: AbortSignal }): AsyncGenerator<KeptBytes> {
    for await (const { changedAt, ...blob } of this.#files.list(options.signal)) {
      yield { kind: 'blob', blob, changedAt };
    }
    yield* inspectSegments(this.#segments, options.signal);
  }

  async *list(options: { signal?: AbortSignal } = {}): AsyncGenerator<ListedBlob> {
    yield* this.#files.list(options.signal);
    for (const segment of this.#segments.all) {
      if (options.signal?.aborted) return;
      if (segment.unpublished > 0) continue;
      await segment.lease();
      try {
        const { records } = await scanSegment(await segment.file(), segment.number);
        for (const { blobId, sizeBytes, offset, isWhole } of records) {
          const location = formatPlace({ segment: segment.number, offset });
          if (isWhole) yield { blobId, sizeBytes, location, changedAt: 0 as TimeMs };
        }
      } finally {
        await segment.release();
      }
    }
  }

  /** Files go; records that no row names are counted as dead, and compaction takes them. */
  async sweep(options: {
    readonly graceMs: number;
    readonly signal: AbortSignal;
  }): Promise<number> {
    const oldest = this.#options.now() - options.graceMs;
    let removed = 0;
    let page: ListedBlob[] = [];
    for await (const blob of this.#files.list(options.signal)) {
      if (blob.changedAt > oldest) continue;
      page.push(blob);
      if (page.length < ORPHANS_A_PAGE) continue;
      removed += await this.#removeUnnamed(page);
      page = [];
    }
    removed += await this.#removeUnnamed(page);
    await this.#segments.recount(options.signal);
    return removed;
  }

  async compact(options: { readonly signal: AbortSignal }): Promise<number> {
    const { rows, onDamage } = this.#options;
    // What stood at the start is taken for alive until it is counted.
    if (!this.#segments.isCounted) await this.#segments.recount(options.signal);
    const isHeld = () => this.#holds > 0;
    return await compactSegments({ segments: this.#segments, rows, onDamage, isHeld }, options);
  }

  async check(): Promise<void> {
    this.#health.assertWritable();
    await this.#options.io.freeBytes(this.#options.directory);
  }

  statistics(): DiskBlobStatistics {
    const all = this.#segments.all;
    const segmentBytes = all.reduce((sum, segment) => sum + segment.endBytes, 0);
    const liveBytes = all.reduce((sum, segment) => sum + HEAD_BYTES + segment.liveBytes, 0);
    return {
      segments: all.length,
      segmentBytes,
      deadBytes: segmentBytes - liveBytes,
      leases: all.reduce((sum, segment) => sum + segment.leases, 0),
      blobFiles: this.#files.count,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reserving;
    await this.#segments.close();
  }

  async #removeUnnamed(page: readonly ListedBlob[]): Promise<number> {
    const rows = await this.#options.rows.findBlobs(page.map((blob) => blob.blobId));
    const named = new Set(rows.map((row) => row.blobId));
    const orphans = page.filter((blob) => !named.has(blob.blobId));
    return (await this.remove(orphans)) ? orphans.length : 0;
  }

  #smallWriter(): BlobWriter {
    return new SmallWriter({
      takeId: () => this.#takeId(),
      append: (blobId, bytes) => this.#segments.append(blobId, bytes),
      drop: (blob) => this.#segments.drop(blob),
      createFile: () => this.#createFile(),
    });
  }

  /**
   * A database that was restored from an older copy gives ids anew whose files stand: they are
   * passed.
   */
  async #createFile(): Promise<BlobWriter> {
    for (;;) {
      const blobId = await this.#takeId();
      try {
        return await this.#files.create(blobId);
      } catch (error) {
        if (!isErrno(error, 'EEXIST')) throw error;
      }
    }
  }

  #takeId(): BlobId | Promise<BlobId> {
    if (this.#nextId >= this.#idsEnd) return this.#reserveIds().then(() => this.#takeId());
    const blobId = this.#nextId as BlobId;
    this.#nextId += 1;
    return blobId;
  }

  #reserveIds(): Promise<void> {
    this.#reserving ??= this.#options.ids
      .reserveBlobIds(ID_BLOCK)
      .then((first) => {
        this.#nextId = first;
        this.#idsEnd = first + ID_BLOCK;
      })
      .finally(() => {
        this.#reserving = undefined;
      });
    return this.#reserving;
  }
}

/** Whether the store may still promise that what it wrote is durable. */
class StoreHealth {
  readonly #onSyncFailure: (error: Error) => void;
  #failedSync: Error | undefined;

  constructor(onSyncFailure: (error: Error) => void) {
    this.#onSyncFailure = onSyncFailure;
  }

  assertWritable(): void {
    if (this.#failedSync === undefined) return;
    throw new ServiceError('read_only', 'A sync to disk has failed; nothing more is written.', {
      cause: this.#failedSync,
    });
  }

  /**
   * A failed sync is never tried again: the system may have dropped the dirty pages, and a second
   * `fdatasync` would then promise what is not there. One that was never asked for fails its write
   * alone.
   */
  failSync(error: unknown): unknown {
    if (error instanceof SyncUnreached) return translateWriteError(error.cause);
    const failure = error instanceof Error ? error : new Error(String(error));
    if (this.#failedSync === undefined) {
      this.#failedSync = failure;
      this.#onSyncFailure(failure);
    }
    return new ServiceError('read_only', 'A sync to disk has failed.', { cause: failure });
  }
}
