/** What a simulated life does with its store: the calls of the core, and what a key holds. */

import { strict as assert } from 'node:assert';
import { isServiceError } from '../../src/core/errors.ts';
import type {
  AccountId,
  BlobId,
  BucketId,
  Etag,
  ObjectKey,
  PartNumber,
  TimeMs,
} from '../../src/core/ids.ts';
import { abortUpload } from '../../src/core/objects/multipart/abort-upload.ts';
import { createUpload } from '../../src/core/objects/multipart/create-upload.ts';
import type { MultipartUpload } from '../../src/core/objects/multipart/upload.ts';
import { uploadPart } from '../../src/core/objects/multipart/upload-part.ts';
import type { ContentPart, ObjectVersion } from '../../src/core/objects/object.ts';
import { openObject } from '../../src/core/objects/read/read-object.ts';
import { putObject } from '../../src/core/objects/write/put-object.ts';
import type { BlobStore, BlobWriter } from '../../src/core/ports/blob-store.ts';
import { readAll } from '../../src/core/ports/blob-store-contract.ts';
import type { ByteSource } from '../../src/core/ports/byte-source.ts';
import type { Digester } from '../../src/core/ports/digesters.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import { inTransaction } from '../../src/core/ports/metadata/contract/in-transaction.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { systemRandom } from '../../src/engines/random/system-random.ts';
import { type DigestWishes, StreamDigester } from '../../src/kit/digests.ts';
import { md5Of } from './multipart-world.ts';
import { openUnderWay } from './under-way.ts';

/** What a store tells of an upload; `parts` by their numbers. */
export type FoundUpload = {
  readonly upload: MultipartUpload | undefined;
  readonly parts: ReadonlyMap<number, Buffer>;
};

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
    // Whatever else the caller's value has would cross the port with it.
    this.#owner = { accountId: owner.accountId, bucketId: owner.bucketId };
  }

  async put(
    key: ObjectKey,
    bytes: Buffer,
    { isDeclared }: { readonly isDeclared: boolean },
  ): Promise<void> {
    await putObject(this.#writeDeps(), {
      ...this.#owner,
      key,
      description: DESCRIPTION,
      body: sourceOf(bytes, isDeclared),
      conditions: {},
      usage: { source: 'files', credential: 'test' },
      isExpectingContinue: false,
      describeOperation: undefined,
    });
  }

  #writeDeps() {
    return {
      metadata: this.#metadata,
      blobs: this.#blobs,
      clock: CLOCK,
      digesters: DIGESTERS,
      faults: NO_FAULTS,
      quota: QUOTA,
      capacity: CAPACITY,
      underWay: openUnderWay(),
    };
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

  async beginUpload(key: ObjectKey): Promise<MultipartUpload> {
    const deps = { metadata: this.#metadata, clock: CLOCK, random: systemRandom, quota: QUOTA };
    return await createUpload(deps, {
      ...this.#owner,
      key,
      description: DESCRIPTION,
      checksum: undefined,
    });
  }

  async uploadPart(upload: MultipartUpload, number: number, bytes: Buffer): Promise<void> {
    await uploadPart(this.#writeDeps(), {
      address: upload,
      partNumber: number as PartNumber,
      body: sourceOf(bytes, true),
      usage: undefined,
      from: 'sender',
    });
  }

  /** By the port, since parts that a client may complete are too large for a simulated disk. */
  async completeUpload(upload: MultipartUpload, numbers: readonly number[]): Promise<void> {
    const { uploadId } = upload;
    const parts = await this.#metadata.listParts({ uploadId, after: 0, limit: 1000 });
    const listed = parts.filter(({ partNumber }) => numbers.includes(partNumber));
    assert.equal(listed.length, numbers.length, 'all listed parts stand');
    await this.#metadata.completeUpload({
      address: upload,
      listed: listed.map(({ partNumber, etag }) => ({ partNumber, etag })),
      partBytesMin: 0,
      stated: {},
      listHash: numbers.join(),
      at: CLOCK.now(),
      demands: [],
      resultsKept: 1000,
    });
  }

  async abortUpload(upload: MultipartUpload): Promise<void> {
    await abortUpload({ metadata: this.#metadata, clock: CLOCK }, upload);
  }

  /** What stands of an upload: a part is known by the MD5 of its bytes. */
  async findUpload({ uploadId }: MultipartUpload): Promise<FoundUpload> {
    const bytesByMd5 = new Map<string, Buffer>([[md5Of(Buffer.alloc(0)), Buffer.alloc(0)]]);
    const blobIds = await this.#metadata.snapshot(async (snapshot) => {
      const found: BlobId[] = [];
      for await (const page of snapshot.owners()) {
        for (const { kind, content } of page) {
          if (kind === 'part' && content.kind === 'blob') found.push(content.blobId);
        }
      }
      return found;
    });
    for (const blob of await this.#metadata.findBlobs(blobIds)) {
      const bytes = await readAll(this.#blobs, blob);
      bytesByMd5.set(md5Of(bytes), bytes);
    }
    const parts = await this.#metadata.listParts({ uploadId, after: 0, limit: 1000 });
    return {
      upload: await this.#metadata.findUpload(uploadId),
      parts: new Map(
        parts.map(({ partNumber, etag }) => [
          Number(partNumber),
          bytesByMd5.get(etag) ?? assert.fail(`part ${partNumber} has its bytes`),
        ]),
      ),
    };
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
    await this.#metadata.deleteObject({ ...this.#owner, key, at, demands: [] });
  }

  async rename(from: ObjectKey, to: ObjectKey): Promise<void> {
    const { bucketId } = this.#owner;
    await inTransaction(this.#metadata, (tx) =>
      tx.moveObject({ bucketId, from, to, at: CLOCK.now() }),
    );
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
    const bytes = content.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    await this.#metadata.publishObject({
      accountId: this.#owner.accountId,
      version: this.#versionOf(key, bytes),
      content,
      demands: [],
      operation: undefined,
      usage: undefined,
    });
  }

  #versionOf(key: ObjectKey, sizeBytes: number): ObjectVersion {
    return {
      ...DESCRIPTION,
      bucketId: this.#owner.bucketId,
      key,
      versionId: 'null',
      sizeBytes,
      etag: NO_ETAG,
      contentHash: undefined,
      checksum: undefined,
      createdAt: CLOCK.now(),
    };
  }
}

function digestInPlace(_sizeBytes: number | undefined, wishes?: DigestWishes): Digester {
  const digester = new StreamDigester(wishes);
  return {
    update: (chunk) => void digester.update(chunk),
    finish: () => digester.finish(),
    release: () => undefined,
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
