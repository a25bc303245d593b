/**
 * Blobs in memory: the fake of tests, and what stands behind the API when it only describes itself.
 */
import { strict as assert } from 'node:assert';
import { ServiceError } from '../../../core/errors.ts';
import type { BlobId, BlobLocation, TimeMs } from '../../../core/ids.ts';
import type {
  BlobIdSource,
  BlobReader,
  BlobRef,
  BlobStore,
  BlobWriter,
  KeptBytes,
} from '../../../core/ports/blob-store.ts';
import type { BlobRows } from '../../../core/ports/metadata/objects.ts';

const MEMORY_LOCATION = 'm1' as BlobLocation;
/** Sinks see several chunks, as from a disk. */
const READ_BYTES = 262_144;

type Kept = { readonly bytes: Buffer; readonly changedAt: TimeMs };

export class MemoryBlobStore implements BlobStore {
  readonly #ids: BlobIdSource;
  readonly #rows: Pick<BlobRows, 'findBlobs'>;
  readonly #now: () => TimeMs;
  readonly #kept = new Map<BlobId, Kept>();
  readonly #leased = new Set<BlobId>();
  #holds = 0;

  constructor(options: {
    readonly ids: BlobIdSource;
    readonly rows: Pick<BlobRows, 'findBlobs'>;
    readonly now: () => TimeMs;
  }) {
    this.#ids = options.ids;
    this.#rows = options.rows;
    this.#now = options.now;
  }

  async stage(): Promise<BlobWriter> {
    const blobId = await this.#ids.reserveBlobIds(1);
    let chunks: Uint8Array[] = [];
    let state: 'open' | 'committed' | 'released' = 'open';
    return {
      write: (chunk) => {
        assert.equal(state, 'open');
        chunks.push(chunk);
        return undefined;
      },
      commit: async () => {
        assert.equal(state, 'open');
        state = 'committed';
        const bytes = Buffer.concat(chunks);
        this.#kept.set(blobId, { bytes, changedAt: this.#now() });
        this.#leased.add(blobId);
        return { blobId, sizeBytes: bytes.length, location: MEMORY_LOCATION };
      },
      release: async ({ isRefused } = { isRefused: false }) => {
        if (state === 'released') return;
        state = 'released';
        chunks = [];
        this.#leased.delete(blobId);
        if (isRefused) this.#kept.delete(blobId);
      },
    };
  }

  async open(blob: BlobRef): Promise<BlobReader> {
    if (blob.location !== MEMORY_LOCATION) {
      throw new ServiceError('corrupt', `Blob ${blob.blobId} is not kept in memory.`);
    }
    const bytes = this.#kept.get(blob.blobId)?.bytes;
    if (bytes === undefined) throw new ServiceError('object_not_found', 'The bytes are gone.');
    return {
      sizeBytes: bytes.length,
      read: async (span, sink, options = {}) => {
        for (let at = span.start; at < span.end; at += READ_BYTES) {
          if (options.signal?.aborted) throw new ServiceError('aborted', 'The reader went away.');
          await sink(bytes.subarray(at, Math.min(at + READ_BYTES, span.end)));
        }
      },
      close: async () => undefined,
    };
  }

  async remove(blobs: readonly BlobRef[]): Promise<boolean> {
    if (this.#holds > 0) return false;
    for (const { blobId } of blobs) this.#kept.delete(blobId);
    return true;
  }

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

  async *inspect(): AsyncGenerator<KeptBytes> {
    for await (const { changedAt, ...blob } of this.list()) yield { kind: 'blob', blob, changedAt };
  }

  async *list(): AsyncGenerator<BlobRef & { readonly changedAt: TimeMs }> {
    for (const [blobId, { bytes, changedAt }] of this.#kept) {
      if (this.#leased.has(blobId)) continue;
      yield { blobId, sizeBytes: bytes.length, location: MEMORY_LOCATION, changedAt };
    }
  }

  async sweep({ graceMs }: { readonly graceMs: number }): Promise<number> {
    const oldest = this.#now() - graceMs;
    const old: BlobRef[] = [];
    for await (const blob of this.list()) if (blob.changedAt <= oldest) old.push(blob);
    const rows = await this.#rows.findBlobs(old.map((blob) => blob.blobId));
    const named = new Set(rows.map((row) => row.blobId));
    const orphans = old.filter((blob) => !named.has(blob.blobId));
    return (await this.remove(orphans)) ? orphans.length : 0;
  }

  /** Removal gives space back at once. */
  async compact(): Promise<number> {
    return 0;
  }

  async check(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
