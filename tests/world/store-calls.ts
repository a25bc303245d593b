/** What a simulated life does with its store: the calls of the core, and what a key holds. */
import { strict as assert } from 'node:assert';
import { isServiceError } from '../../src/core/errors.ts';
import type { AccountId, BucketId, Etag, ObjectKey, TimeMs } from '../../src/core/ids.ts';
import type { ContentPart } from '../../src/core/objects/object.ts';
import { putObject } from '../../src/core/objects/put-object.ts';
import { openObject } from '../../src/core/objects/read-object.ts';
import type { BlobStore, BlobWriter } from '../../src/core/ports/blob-store.ts';
import type { ByteSource } from '../../src/core/ports/byte-source.ts';
import type { Digester } from '../../src/core/ports/digesters.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { StreamDigester } from '../../src/kit/digests.ts';

/** What a key may hold: a body, or nothing. */
export type Held = Buffer | undefined;

export const CLOCK = { now: () => 1_800_000_000_000 as TimeMs };

const NO_ETAG = '0'.repeat(32) as Etag;
/** Without threads, whose turns no seed decides. */
const DIGESTERS = { open: digestInPlace };
const QUOTA = { freeStorageBytes: 10n ** 12n, freeEgressBytes: 10n ** 12n };
const CAPACITY = { storedBytes: () => 0n, capacityBytes: undefined };
const DESCRIPTION = {
  contentType: 'application/octet-stream',
  headers: {},
  userMetadata: {},
  tags: {},
  storageClass: 'STANDARD',
  tier: 'normal',
  origin: 'files',
} as const;

export class StoreCalls {
  readonly #metadata: Metadata;
  readonly #blobs: BlobStore;
  readonly #owner: { readonly accountId: AccountId; readonly bucketId: BucketId };

  constructor(
    store: { readonly metadata: Metadata; readonly blobs: BlobStore },
    owner: { readonly accountId: AccountId; readonly bucketId: BucketId },
  ) {
    this.#metadata = store.metadata;
    this.#blobs = store.blobs;
    this.#owner = owner;
  }

  async put(
    key: ObjectKey,
    bytes: Buffer,
    { isDeclared }: { readonly isDeclared: boolean },
  ): Promise<void> {
    await putObject(
      {
        metadata: this.#metadata,
        blobs: this.#blobs,
        clock: CLOCK,
        digesters: DIGESTERS,
        faults: NO_FAULTS,
        quota: QUOTA,
        capacity: CAPACITY,
      },
      {
        ...this.#owner,
        key,
        description: DESCRIPTION,
        body: sourceOf(bytes, isDeclared),
        conditions: {},
        usage: { source: 'files', credential: 'test' },
        isExpectingContinue: false,
        describeOperation: undefined,
      },
    );
  }

  /** One object of several blobs, as a multipart upload makes it. */
  async putParts(key: ObjectKey, parts: readonly Buffer[]): Promise<void> {
    const writers: BlobWriter[] = [];
    try {
      const content: ContentPart[] = [];
      for (const bytes of parts) {
        const writer = await this.#blobs.stage({ sizeBytes: undefined });
        writers.push(writer);
        await writer.write(Buffer.from(bytes));
        content.push({ blob: await writer.commit(), sizeBytes: bytes.length });
      }
      await this.#publish(key, content);
    } finally {
      for (const writer of writers) await writer.release();
    }
  }

  /** Another key for the same bytes; answers whether there were any. */
  async copy(from: ObjectKey, to: ObjectKey): Promise<boolean> {
    const found = await this.#metadata.findObject(this.#owner.bucketId, from);
    if (found === undefined) return false;
    await this.#publish(to, found.content);
    return true;
  }

  async delete(key: ObjectKey): Promise<void> {
    const at = CLOCK.now();
    await this.#metadata.deleteObject({ ...this.#owner, key, at, check: () => undefined });
  }

  async rename(from: ObjectKey, to: ObjectKey): Promise<void> {
    const { bucketId } = this.#owner;
    await this.#metadata.transact((tx) => tx.moveObject({ bucketId, from, to, at: CLOCK.now() }));
  }

  async read(key: ObjectKey): Promise<Held> {
    const find = () => this.#metadata.findObject(this.#owner.bucketId, key);
    try {
      const opened = await openObject({ blobs: this.#blobs }, find, {
        conditions: {},
        range: undefined,
      });
      assert(opened.kind === 'content');
      const chunks: Buffer[] = [];
      try {
        await opened.send((chunk) => void chunks.push(Buffer.from(chunk)));
      } finally {
        await opened.close();
      }
      return Buffer.concat(chunks);
    } catch (error) {
      if (isServiceError(error, 'object_not_found')) return undefined;
      throw error;
    }
  }

  async listKeys(): Promise<ReadonlySet<string>> {
    const { entries } = await this.#metadata.listObjects({
      bucketId: this.#owner.bucketId,
      prefix: '',
      delimiter: '',
      after: undefined,
      limit: 1000,
    });
    return new Set(
      entries.map((entry) => (entry.kind === 'object' ? entry.object.key : entry.prefix)),
    );
  }

  async #publish(key: ObjectKey, content: readonly ContentPart[]): Promise<void> {
    const { accountId, bucketId } = this.#owner;
    await this.#metadata.publishObject({
      accountId,
      version: {
        ...DESCRIPTION,
        bucketId,
        key,
        versionId: 'null',
        sizeBytes: content.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        etag: NO_ETAG,
        contentHash: undefined,
        checksum: undefined,
        createdAt: CLOCK.now(),
      },
      content,
      check: () => undefined,
      operation: undefined,
      usage: undefined,
    });
  }
}

function digestInPlace(): Digester {
  const digester = new StreamDigester();
  return {
    update: (chunk) => void digester.update(chunk),
    finish: () => digester.finish(),
    abandon: () => undefined,
  };
}

function sourceOf(bytes: Buffer, isDeclared: boolean): ByteSource {
  return {
    declaredBytes: isDeclared ? bytes.length : undefined,
    pipeTo: async (sink) => {
      for (let at = 0; at < bytes.length; at += 50_000) {
        await sink(Buffer.from(bytes.subarray(at, at + 50_000)));
      }
    },
  };
}
