/** A small store on a simulated disk, worked on by several actors until the power is cut. */
import { strict as assert } from 'node:assert';
import { isServiceError } from '../../src/core/errors.ts';
import type { ObjectKey, TimeMs } from '../../src/core/ids.ts';
import { putObject } from '../../src/core/objects/put-object.ts';
import { openObject } from '../../src/core/objects/read-object.ts';
import type { ByteSource } from '../../src/core/ports/byte-source.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { DiskBlobStore } from '../../src/engines/blobs/disk/disk-blob-store.ts';
import { ThreadDigesters } from '../../src/engines/digests/thread-digesters.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';
import { sweepDeadBlobs } from '../../src/jobs/sweep-blobs.ts';
import { openBlobRows } from '../world/blob-rows.ts';
import { type Chance, SimulatedDisk } from '../world/simulated-disk.ts';

/** What a key may hold: a body, or nothing. */
type Held = Buffer | undefined;

/**
 * Keys of one actor, whose operations follow each other: what is acknowledged, and what is not yet.
 */
type Shelf = {
  readonly acknowledged: Map<ObjectKey, Held>;
  /** The state once the operation under way is done. */
  next: Map<ObjectKey, Held> | undefined;
};

const ACTORS = 5;
const KEYS_AN_ACTOR = 3;
/** Small, so that segments roll and compact within a run. */
const SEGMENT_BYTES_MAX = 24_000;

export class PowerCutWorld {
  readonly #chance: Chance;
  readonly #rows: Awaited<ReturnType<typeof openBlobRows>>;
  readonly #metadata: Metadata;
  readonly #shelves: Shelf[] = [];
  #disk: SimulatedDisk;
  /** Lives so far; calls of an earlier life go nowhere. */
  #life = 0;
  readonly damage: string[] = [];

  static async open(chance: Chance): Promise<PowerCutWorld> {
    const metadata = await MemoryMetadata.open();
    return new PowerCutWorld(chance, metadata, await openBlobRows(metadata));
  }

  private constructor(
    chance: Chance,
    metadata: Metadata,
    rows: Awaited<ReturnType<typeof openBlobRows>>,
  ) {
    this.#chance = chance;
    this.#metadata = metadata;
    this.#rows = rows;
    this.#disk = new SimulatedDisk(chance);
    for (let actor = 0; actor < ACTORS; actor += 1) {
      this.#shelves.push({ acknowledged: new Map(), next: undefined });
    }
  }

  /** Works until the power is cut before the disk's operation number `crashAfter` from now. */
  async liveUntilCrash(crashAfter: number): Promise<void> {
    const metadata = this.#metadataOfThisLife();
    const crashed = new Promise<void>((resolve) => {
      this.#disk.crashAt(this.#disk.operations + crashAfter, resolve);
    });
    const working = (async () => {
      const store = await this.#openStore(metadata);
      await Promise.all([
        ...this.#shelves.map((shelf, actor) => this.#act(metadata, store, shelf, actor)),
        this.#maintain(metadata, store),
      ]);
    })();
    await Promise.race([crashed, working]);
    this.#life += 1;
    // What was under way in memory ends now; nothing of it is acknowledged any more.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    this.#disk.crash();
    this.#disk = this.#disk.afterCrash(this.#chance);
  }

  /** Opens the store on what the crash left and checks everything that was promised. */
  async checkAfterCrash(): Promise<void> {
    const metadata = this.#metadataOfThisLife();
    const store = await this.#openStore(metadata);
    await this.#checkObjects(store);
    const never = AbortSignal.any([]);
    await sweepDeadBlobs({ metadata, blobs: store, clock: CLOCK }, { signal: never });
    await store.sweep({ graceMs: 0, signal: never });
    await store.compact({ signal: never });
    const found = await this.#checkObjects(store);
    await this.#checkNothingIsLeft(store);
    assert.deepEqual(this.damage, [], 'nothing that a row names is damaged');
    await store[Symbol.asyncDispose]();
    // Whatever the crash decided is the state from now on.
    for (const [shelf, state] of found) {
      for (const [key, held] of state) shelf.acknowledged.set(key, held);
      shelf.next = undefined;
    }
  }

  async #openStore(metadata: Metadata): Promise<DiskBlobStore> {
    return await DiskBlobStore.open({
      io: this.#disk,
      directory: '/blobs',
      ids: metadata,
      rows: metadata,
      minFreeBytes: 0,
      now: CLOCK.now,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      onSyncFailure: (error) => this.damage.push(error.message),
      onDamage: (segment, offsets) => this.damage.push(`segment ${segment} at ${offsets.join()}`),
    });
  }

  /** Metadata whose answers stop with this life, as a killed process hears none. */
  #metadataOfThisLife(): Metadata {
    const life = this.#life;
    const isOver = () => this.#life !== life;
    return new Proxy(this.#metadata, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...input: unknown[]) => {
          if (isOver()) await new Promise(() => undefined);
          const answer: unknown = await value.apply(target, input);
          if (isOver()) await new Promise(() => undefined);
          return answer;
        };
      },
    });
  }

  async #act(metadata: Metadata, store: DiskBlobStore, shelf: Shelf, actor: number): Promise<void> {
    const keys = Array.from(
      { length: KEYS_AN_ACTOR },
      (_, index) => `actor-${actor}/key-${index}` as ObjectKey,
    );
    const pick = () => keys[Math.floor(this.#chance() * keys.length)] ?? assert.fail();
    for (let round = 0; round < 200; round += 1) {
      const dice = this.#chance();
      if (dice < 0.55) await this.#put(metadata, store, shelf, pick());
      else if (dice < 0.7) await this.#delete(metadata, shelf, pick());
      else if (dice < 0.8) await this.#rename(metadata, shelf, pick(), pick());
      else await this.#read(metadata, store, shelf, pick());
    }
  }

  async #put(
    metadata: Metadata,
    store: DiskBlobStore,
    shelf: Shelf,
    key: ObjectKey,
  ): Promise<void> {
    const bytes = this.#body();
    await change(shelf, [[key, bytes]], async () => {
      const { accountId, bucketId } = this.#rows;
      await putObject(
        {
          metadata,
          blobs: store,
          clock: CLOCK,
          digesters: DIGESTERS,
          faults: NO_FAULTS,
          quota: QUOTA,
          capacity: CAPACITY,
        },
        {
          accountId,
          bucketId,
          key,
          description: DESCRIPTION,
          body: sourceOf(bytes, this.#chance() < 0.5),
          conditions: {},
          usage: { source: 'files', credential: 'test' },
          isExpectingContinue: false,
          describeOperation: undefined,
        },
      );
    });
  }

  async #delete(metadata: Metadata, shelf: Shelf, key: ObjectKey): Promise<void> {
    await change(shelf, [[key, undefined]], async () => {
      const { accountId, bucketId } = this.#rows;
      const at = CLOCK.now();
      await metadata.deleteObject({ accountId, bucketId, key, at, check: () => undefined });
    });
  }

  async #rename(metadata: Metadata, shelf: Shelf, from: ObjectKey, to: ObjectKey): Promise<void> {
    const held = shelf.acknowledged.get(from);
    if (held === undefined || from === to) return;
    const states = [
      [to, held],
      [from, undefined],
    ] as const;
    await change(shelf, states, async () => {
      const { bucketId } = this.#rows;
      await metadata.transact((tx) => tx.moveObject({ bucketId, from, to, at: CLOCK.now() }));
    });
  }

  async #read(
    metadata: Metadata,
    store: DiskBlobStore,
    shelf: Shelf,
    key: ObjectKey,
  ): Promise<void> {
    const found = await readKey(metadata, store, this.#rows.bucketId, key);
    assertSame(found, shelf.acknowledged.get(key), `${key} while alive`);
  }

  async #maintain(metadata: Metadata, store: DiskBlobStore): Promise<void> {
    const never = AbortSignal.any([]);
    for (let round = 0; round < 50; round += 1) {
      await sweepDeadBlobs({ metadata, blobs: store, clock: CLOCK }, { signal: never });
      await store.sweep({ graceMs: 0, signal: never });
      await store.compact({ signal: never });
    }
  }

  /** Each key holds what was acknowledged last, or what was under way; never anything else. */
  async #checkObjects(store: DiskBlobStore): Promise<ReadonlyMap<Shelf, Map<ObjectKey, Held>>> {
    const { bucketId } = this.#rows;
    const states = new Map<Shelf, Map<ObjectKey, Held>>();
    const listed = await this.#metadata.listObjects({
      bucketId,
      prefix: '',
      delimiter: '',
      after: undefined,
      limit: 1000,
    });
    const names = new Set(
      listed.entries.map((entry) => (entry.kind === 'object' ? entry.object.key : entry.prefix)),
    );
    for (const shelf of this.#shelves) {
      const found = new Map<ObjectKey, Held>();
      for (const key of new Set([...shelf.acknowledged.keys(), ...(shelf.next?.keys() ?? [])])) {
        const held = await readKey(this.#metadata, store, bucketId, key);
        assert.equal(names.has(key), held !== undefined, `${key} is listed when it can be read`);
        found.set(key, held);
      }
      const isLast = isSameShelf(found, shelf.acknowledged);
      const isNext = shelf.next !== undefined && isSameShelf(found, shelf.next);
      assert.ok(isLast || isNext, 'a shelf is as it was acknowledged, or one whole step on');
      states.set(shelf, found);
    }
    return states;
  }

  /** No file without a row is left (invariant 2). */
  async #checkNothingIsLeft(store: DiskBlobStore): Promise<void> {
    for await (const blob of store.list()) {
      if (blob.location.startsWith('s')) continue;
      const rows = await this.#metadata.findBlobs([blob.blobId]);
      assert.equal(rows.length, 1, `blob ${blob.blobId} has a file and a row`);
    }
  }

  #body(): Buffer {
    const dice = this.#chance();
    const length =
      dice < 0.9 ? Math.floor(this.#chance() * 6000) : 262_000 + Math.floor(dice * 999);
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1 + Math.floor(at / 64)) bytes[at] = this.#chance() * 256;
    return bytes;
  }
}

const CLOCK = { now: () => 1_800_000_000_000 as TimeMs };
const DIGESTERS = new ThreadDigesters();
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

async function change(
  shelf: Shelf,
  states: readonly (readonly [ObjectKey, Held])[],
  run: () => Promise<void>,
): Promise<void> {
  shelf.next = new Map([...shelf.acknowledged, ...states]);
  await run();
  for (const [key, held] of states) shelf.acknowledged.set(key, held);
  shelf.next = undefined;
}

async function readKey(
  metadata: Metadata,
  store: DiskBlobStore,
  bucketId: Parameters<Metadata['findObject']>[0],
  key: ObjectKey,
): Promise<Held> {
  try {
    const opened = await openObject({ blobs: store }, () => metadata.findObject(bucketId, key), {
      conditions: {},
      range: undefined,
    });
    assert.equal(opened.kind, 'content');
    if (opened.kind !== 'content') return undefined;
    const chunks: Buffer[] = [];
    try {
      await opened.send(
        (chunk) => {
          chunks.push(Buffer.from(chunk));
          return undefined;
        },
        { signal: AbortSignal.any([]) },
      );
    } finally {
      await opened.close();
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (isServiceError(error, 'object_not_found')) return undefined;
    throw error;
  }
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

function isSameShelf(
  found: ReadonlyMap<ObjectKey, Held>,
  expected: ReadonlyMap<ObjectKey, Held>,
): boolean {
  return [...found].every(([key, held]) => {
    const wanted = expected.get(key);
    return wanted === undefined ? held === undefined : held?.equals(wanted) === true;
  });
}

function assertSame(found: Held, expected: Held, what: string): void {
  assert.equal(found?.toString('hex'), expected?.toString('hex'), what);
}
