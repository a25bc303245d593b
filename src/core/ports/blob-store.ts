/**
 * The blob store keeps immutable, nameless bytes. It knows no objects, buckets or accounts:
 * metadata names blobs, and a blob that no row names is swept after a grace.
 *
 * Order of a write: `stage` → `write`… → `commit` (durable, invisible) → metadata publishes the
 * row. A crash before `commit` returns leaves nothing; a crash after it leaves bytes without a row,
 * which the sweeper removes. Nothing here waits for metadata.
 */
import type { BlobId, BlobLocation, TimeMs } from '../ids.ts';

/** What metadata keeps of a blob, enough to read it again. */
export type BlobRef = {
  readonly blobId: BlobId;
  readonly sizeBytes: number;
  readonly location: BlobLocation;
};

/** Bytes `[start, end)` of a blob. */
export type ByteSpan = { readonly start: number; readonly end: number };

/**
 * Takes the bytes of a read in order. `chunk` is only valid until the returned promise resolves
 * (the store reuses its buffers); the store waits for it before it sends more than one further
 * chunk.
 */
export type ByteSink = (chunk: Uint8Array) => Promise<void> | undefined;

export type WriteEnd = { readonly isRefused: boolean };

export interface BlobWriter {
  /**
   * Appends `chunk`, whose bytes belong to the store from now on. Answers `undefined`, or a promise
   * that resolves when the store can take more. Throws `storage_full`, `read_only`.
   */
  write(chunk: Uint8Array): Promise<void> | undefined;

  /**
   * Makes the bytes durable and answers where they are. From the call on, no signal stops it.
   * The blob stays leased (not swept) until `release` is called, which the caller does once the
   * metadata that names it is published, or has failed to be. Throws `storage_full`, `read_only`.
   */
  commit(): Promise<BlobRef>;

  /**
   * Ends the lease. Removes what was staged without a commit, and what was committed when it is
   * `isRefused`: the caller knows that no row names it or ever will. Never throws; idempotent.
   */
  release(end?: WriteEnd): Promise<void>;
}

export interface BlobReader {
  readonly sizeBytes: number;

  /**
   * Sends `span` to `sink`, each block checked against its checksum before it is sent. Throws
   * `corrupt` when a block is damaged (whatever was sent before it was good), `aborted` by the
   * signal.
   */
  read(span: ByteSpan, sink: ByteSink, options?: { signal?: AbortSignal }): Promise<void>;

  /** Ends the reader's lease. Idempotent. */
  close(): Promise<void>;
}

/** What an engine keeps, as `inspect` finds it. */
export type KeptBytes =
  /** A blob that can be removed by itself and has no lease. */
  | { readonly kind: 'blob'; readonly blob: BlobRef; readonly changedAt: TimeMs }
  /** Bytes that many blobs share; `damagedAt` are offsets at which no whole record stands. */
  | {
      readonly kind: 'segment';
      readonly name: string;
      readonly sizeBytes: number;
      /** Of blobs that are removed or never were published; compaction gives them back. */
      readonly deadBytes: number;
      readonly damagedAt: readonly number[];
    };

export interface BlobStore extends AsyncDisposable {
  /**
   * Begins a blob. `sizeBytes` is the exact length when it is known (it chooses the layout; the
   * caller still counts). Throws `storage_full` below the free-space floor and `read_only`.
   */
  stage(options: { readonly sizeBytes: number | undefined }): Promise<BlobWriter>;

  /**
   * Opens a blob for reading and leases it: it stays whole until `close`, also when its last owner
   * is deleted meanwhile. Throws `object_not_found` when the bytes are gone, `corrupt` when its
   * header is damaged.
   */
  open(blob: BlobRef): Promise<BlobReader>;

  /**
   * Removes the bytes of blobs that metadata names no longer. Leased ones are removed when their
   * lease ends. Unknown ones are ignored, so it may be repeated. Answers whether it did: during a
   * `hold` it does nothing, and the caller asks again later.
   */
  remove(blobs: readonly BlobRef[]): Promise<boolean>;

  /**
   * A lease over all that rows name from now on: until it is disposed, no bytes are removed, by
   * nobody, and locations that were read stay good. For backups. Several may stand.
   */
  hold(): Promise<AsyncDisposable>;

  /** Every blob kept and not leased, in no order. */
  list(options?: { signal?: AbortSignal }): AsyncIterable<BlobRef & { readonly changedAt: TimeMs }>;

  /**
   * Looks through everything that is kept, whether or not rows name it, and checks what holds it
   * together; the bytes of a blob are checked by reading it. For `verify`.
   */
  inspect(options: { readonly signal: AbortSignal }): AsyncIterable<KeptBytes>;

  /**
   * Removes bytes that neither a row nor a lease names and that are older than the grace: what a
   * crash or a failed publication left. Answers how many blobs (or what was taken for them) went.
   */
  sweep(options: { readonly graceMs: number; readonly signal: AbortSignal }): Promise<number>;

  /**
   * Gives back the space of removed blobs where `remove` alone does not. Answers the bytes freed.
   */
  compact(options: { readonly signal: AbortSignal }): Promise<number>;

  /** Throws when the store cannot serve now; cheap enough for a readiness probe. */
  check(): Promise<void>;
}

/** Gives the store its blob numbers; implemented by the metadata engine. */
export interface BlobIdSource {
  /**
   * Reserves `count` numbers durably and answers the first. No number is ever given twice, also not
   * after a crash or a restore.
   */
  reserveBlobIds(count: number): Promise<BlobId>;

  /** A word that tells this store's metadata from every other's, as long as it lives. */
  storeId(): Promise<string>;
}
