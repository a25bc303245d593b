/**
 * Proves on a real disk, with writers, deleters and readers at work, that compaction gives back
 * nine tenths and more of what is dead in segments that are over half dead, that readers meanwhile
 * get whole bytes or a clean "not there", also of blobs that are moved or deleted while they are
 * open, and that after a restart all rows, counts and bytes fit each other.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type OpenStore, openStore } from '../../src/compose/open-store.ts';
import type { ObjectKey } from '../../src/core/ids.ts';
import type { BlobReader, KeptBytes } from '../../src/core/ports/blob-store.ts';
import { verifyStore } from '../../src/core/upkeep/verify-store.ts';
import { sweepDeadBlobs } from '../../src/jobs/sweep-blobs.ts';
import { SILENT_LOG } from '../../src/observe/log.ts';
import { openBlobRows } from '../world/blob-rows.ts';
import { seededChance } from '../world/seeded-chance.ts';
import { freshDirectory, testConfig } from '../world/server.ts';
import { StoreCalls } from '../world/store-calls.ts';

const SEGMENT_BYTES_MAX = 512 * 1024;
const OBJECTS = 1500;
/** Every sixth stays, so that each segment has something to move. */
const KEPT_EVERY = 6;
const SIZE_BYTES_MAX = 12_000;
const READERS = 4;
const HELD_READERS = 40;
const ROUNDS_MAX = 100;
const GIVEN_BACK_SHARE_MIN = 0.9;
const NEVER = AbortSignal.any([]);

type DeadSegment = { readonly name: string; readonly deadBytes: number };

test('compaction under load gives space back, and readers see whole bytes or none', async (t) => {
  const directory = await freshDirectory();
  try {
    await using world = await CompactionWorld.open(directory);
    await world.fill();
    const held = await world.holdReaders();
    let isOver = false;
    const work = world.work(() => isOver);
    await world.deleteMost();
    const dead = await world.deadSegments();
    assert.ok(dead.length > 10, `${dead.length} segments are over half dead`);
    const freedBytes = await world.compactAway(dead);
    isOver = true;
    const { reads, writes } = await work;
    const deadBytes = dead.reduce((sum, segment) => sum + segment.deadBytes, 0);
    t.diagnostic(
      `${dead.length} segments gave back ${freedBytes} of ${deadBytes} dead bytes ` +
        `beside ${reads} reads and ${writes} writes`,
    );
    assert.ok(freedBytes >= GIVEN_BACK_SHARE_MIN * deadBytes, 'nine tenths are given back');
    assert.ok(reads > 100 && writes > 20, 'there was a load');
    for (const [blobKey, reader] of held) await world.finish(blobKey, reader);
    assert.deepEqual(unlinkedSegments(), [], 'nobody keeps what was given back');
    await world.verify();
    await world.reopen();
    await world.verify();
    await world.readAll();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

class CompactionWorld implements AsyncDisposable {
  readonly #directory: string;
  readonly #chance = seededChance(4);
  readonly #rows: Awaited<ReturnType<typeof openBlobRows>>;
  /** Last version asked for, and last acknowledged; 0 is nothing. */
  readonly #asked = new Map<ObjectKey, number>();
  readonly #acknowledged = new Map<ObjectKey, number>();
  /** Keys whose deletion was asked for. */
  readonly #deleted = new Set<ObjectKey>();
  #store: OpenStore;
  #calls: StoreCalls;

  static async open(directory: string): Promise<CompactionWorld> {
    const store = await openSmallSegments(directory);
    return new CompactionWorld(directory, store, await openBlobRows(store.metadata));
  }

  private constructor(
    directory: string,
    store: OpenStore,
    rows: Awaited<ReturnType<typeof openBlobRows>>,
  ) {
    this.#directory = directory;
    this.#store = store;
    this.#rows = rows;
    this.#calls = new StoreCalls(store, rows);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async reopen(): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
    this.#store = await openSmallSegments(this.#directory);
    this.#calls = new StoreCalls(this.#store, this.#rows);
  }

  async fill(): Promise<void> {
    const keys = Array.from({ length: OBJECTS }, (_, index) => `object-${index}` as ObjectKey);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(keys.slice(at, at + 50).map((key) => this.#write(key)));
    }
  }

  /** Opens readers of objects that will be deleted and of such that will be moved. */
  async holdReaders(): Promise<readonly (readonly [ObjectKey, BlobReader])[]> {
    const held: [ObjectKey, BlobReader][] = [];
    for (let count = 0; count < HELD_READERS; count += 1) {
      const key = this.#pick();
      const found = await this.#store.metadata.findObject(this.#rows.bucketId, key);
      const [part] = found?.content ?? [];
      assert.ok(part);
      held.push([key, await this.#store.blobs.open(part.blob)]);
    }
    return held;
  }

  /** Reads what is held, after all that happened to its key. */
  async finish(key: ObjectKey, reader: BlobReader): Promise<void> {
    const chunks: Buffer[] = [];
    await reader.read({ start: 0, end: reader.sizeBytes }, (chunk) => {
      chunks.push(Buffer.from(chunk));
      return undefined;
    });
    await reader.close();
    assert.equal(versionIn(key, Buffer.concat(chunks)), 1, `${key} as it was when it was opened`);
  }

  async deleteMost(): Promise<void> {
    const keys = [...this.#asked.keys()].filter((_, index) => index % KEPT_EVERY !== 0);
    for (let at = 0; at < keys.length; at += 50) {
      await Promise.all(
        keys.slice(at, at + 50).map(async (key) => {
          this.#deleted.add(key);
          await this.#calls.delete(key);
        }),
      );
    }
    await this.#sweep();
  }

  /** Segments that are over half dead, but for the one that is written to. */
  async deadSegments(): Promise<readonly DeadSegment[]> {
    const kept: KeptBytes[] = [];
    for await (const one of this.#store.blobs.inspect({ signal: NEVER })) kept.push(one);
    const segments = kept.flatMap((one) => (one.kind === 'segment' ? [one] : []));
    const last = segments
      .map(({ name }) => name)
      .toSorted()
      .at(-1);
    return segments.filter(
      ({ name, sizeBytes, deadBytes }) => name !== last && deadBytes * 2 > sizeBytes,
    );
  }

  /** Compacts until all of `dead` are gone, and answers what that has given back. */
  async compactAway(dead: readonly DeadSegment[]): Promise<number> {
    const segments = join(this.#directory, 'data', 'blobs', 'segments');
    let freedBytes = 0;
    for (let round = 0; round < ROUNDS_MAX; round += 1) {
      freedBytes += await this.#store.blobs.compact({ signal: NEVER });
      const left = new Set(readdirSync(segments));
      if (!dead.some(({ name }) => left.has(name))) return freedBytes;
      await this.#sweep();
    }
    return assert.fail('segments that are over half dead stay');
  }

  /** Readers of everything and writers of what stays, until it is over. */
  async work(isOver: () => boolean): Promise<{ readonly reads: number; readonly writes: number }> {
    let reads = 0;
    let writes = 0;
    const read = async () => {
      while (!isOver()) {
        await this.#read(this.#pick());
        reads += 1;
        await nextTurn();
      }
    };
    const write = async () => {
      while (!isOver()) {
        await this.#write(`object-${KEPT_EVERY * (writes % 50)}` as ObjectKey);
        await this.#write(`fresh-${writes}` as ObjectKey);
        writes += 2;
        await nextTurn();
      }
    };
    await Promise.all([...Array.from({ length: READERS }, read), write()]);
    return { reads, writes };
  }

  async readAll(): Promise<void> {
    for (const key of this.#asked.keys()) await this.#read(key);
  }

  async verify(): Promise<void> {
    await this.#sweep();
    const { checked, findings } = await verifyStore(
      this.#store,
      { orphanGraceMs: 0 },
      { signal: NEVER, onProgress: () => undefined },
    );
    assert.deepEqual(findings, []);
    const standing = [...this.#acknowledged.keys()].filter((key) => !this.#deleted.has(key));
    assert.equal(checked.owners, standing.length);
    assert.equal(checked.blobs, standing.length);
  }

  async #sweep(): Promise<void> {
    await sweepDeadBlobs(this.#store, { signal: NEVER });
  }

  async #write(key: ObjectKey): Promise<void> {
    const version = (this.#asked.get(key) ?? 0) + 1;
    this.#asked.set(key, version);
    const sizeBytes = 100 + Math.floor(this.#chance() * SIZE_BYTES_MAX);
    await this.#calls.put(key, bodyOf(key, version, sizeBytes), { isDeclared: true });
    this.#acknowledged.set(key, version);
  }

  async #read(key: ObjectKey): Promise<void> {
    const atLeast = this.#acknowledged.get(key) ?? 0;
    const mayBeGone = () => this.#deleted.has(key);
    const held = await this.#calls.read(key);
    if (held === undefined) {
      assert.ok(mayBeGone() || atLeast === 0, `${key} is there`);
      return;
    }
    const version = versionIn(key, held);
    const isPossible = version >= atLeast && version <= (this.#asked.get(key) ?? 0);
    assert.ok(isPossible, `${key} has version ${version}`);
  }

  #pick(): ObjectKey {
    const index = Math.floor(this.#chance() * OBJECTS);
    return `object-${index}` as ObjectKey;
  }
}

function openSmallSegments(directory: string): Promise<OpenStore> {
  const parts = { blobs: { segmentBytesMax: SEGMENT_BYTES_MAX } };
  return openStore(testConfig(directory), { log: SILENT_LOG, parts });
}

/** Bytes that say whose they are, all of them. */
function bodyOf(key: string, version: number, sizeBytes: number): Buffer {
  return Buffer.alloc(sizeBytes, `${key}#${version}#${sizeBytes};`);
}

function versionIn(key: string, bytes: Buffer): number {
  const [, name, version, size] = /^([^#]+)#(\d+)#(\d+);/.exec(bytes.toString('latin1')) ?? [];
  assert.equal(name, key);
  assert.ok(bytes.equals(bodyOf(key, Number(version), Number(size))), `${key} is whole`);
  return Number(version);
}

/** Descriptors of this process on segments that have no name any more; where Linux shows them. */
function unlinkedSegments(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return /\/segments\/.* \(deleted\)$/.test(target) ? [target] : [];
    } catch {
      // The one by which the folder was read is closed by now.
      return [];
    }
  });
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
