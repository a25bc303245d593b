/** A small store on a simulated disk, worked on by several actors until the power is cut. */
import { strict as assert } from 'node:assert';
import { isServiceError } from '../../src/core/errors.ts';
import type { ObjectKey } from '../../src/core/ids.ts';
import type { Metadata } from '../../src/core/ports/metadata/metadata.ts';
import { Findings } from '../../src/core/upkeep/finding.ts';
import { verifyRows } from '../../src/core/upkeep/verify-rows.ts';
import { DiskBlobStore } from '../../src/engines/blobs/disk/disk-blob-store.ts';
import { MemoryMetadata } from '../../src/engines/metadata/memory-metadata.ts';
import { sweepDeadBlobs } from '../../src/jobs/sweep-blobs.ts';
import { openBlobRows } from '../world/blob-rows.ts';
import { type Chance, SimulatedDisk } from '../world/simulated-disk.ts';
import { UNWATCHED } from '../world/small-store.ts';
import { CLOCK, type Held, StoreCalls } from '../world/store-calls.ts';
import { ContestedKey } from './contested-key.ts';
import { DiskWeather } from './disk-weather.ts';
import { OpenUpload } from './open-upload.ts';

/**
 * Keys of one actor, whose calls follow each other: as acknowledged, and what they may be once the
 * call is done, or the calls of a batch, some of which may be.
 */
type Shelf = {
  readonly acknowledged: Map<ObjectKey, Held>;
  next: readonly ReadonlyMap<ObjectKey, Held>[];
  upload: OpenUpload | undefined;
};

/** A process over the store, from its start to the power cut. */
type Life = {
  readonly metadata: Metadata;
  readonly blobs: DiskBlobStore;
  readonly calls: StoreCalls;
  readonly weather: DiskWeather;
};

const ACTORS = 4;
const KEYS_AN_ACTOR = 3;
const CONTENDERS = 2;
/** Of an actor's calls, those that are of multipart uploads. */
const MULTIPART_SHARE = 0.25;
const PARTS_OF_UPLOAD_MAX = 4;
const CONTESTED_KEYS = ['contested-1', 'contested-2'] as ObjectKey[];
/** Small, so that segments roll and compact within a life. */
const SEGMENT_BYTES_MAX = 24_000;
/** How many turns of the loop a publication may wait while its bytes are there already. */
const PUBLISH_TURNS_MAX = 150;
/** What a store whose sync has failed may still do until the power goes. */
const OPERATIONS_AFTER_FAILURE_MAX = 40;
const NEVER = AbortSignal.any([]);

export class PowerCutWorld {
  readonly #chance: Chance;
  readonly #rows: Awaited<ReturnType<typeof openBlobRows>>;
  readonly #shelves: Shelf[] = [];
  readonly #contested = new Map(CONTESTED_KEYS.map((key) => [key, new ContestedKey()]));
  readonly #damage: string[] = [];
  #disk: SimulatedDisk;
  /** Lives so far; calls of an earlier life go nowhere. */
  #life = 0;
  /** Whether a sync has failed in this life. */
  #isReadOnly = false;

  static async open(chance: Chance): Promise<PowerCutWorld> {
    return new PowerCutWorld(chance, await openBlobRows(await MemoryMetadata.open()));
  }

  private constructor(chance: Chance, rows: Awaited<ReturnType<typeof openBlobRows>>) {
    this.#chance = chance;
    this.#rows = rows;
    this.#disk = new SimulatedDisk(chance);
    for (let actor = 0; actor < ACTORS; actor += 1) {
      this.#shelves.push({ acknowledged: new Map(), next: [], upload: undefined });
    }
  }

  /** Works until the power is cut before the disk's operation number `crashAfter` from now. */
  async liveUntilCrash(crashAfter: number): Promise<void> {
    const { promise: crashed, resolve: onCrash } = Promise.withResolvers<void>();
    let crashAt = this.#disk.operations + crashAfter;
    this.#disk.crashAt(crashAt, onCrash);
    this.#isReadOnly = false;
    const onSyncFailure = () => {
      this.#isReadOnly = true;
      const last = Math.floor(this.#chance() * OPERATIONS_AFTER_FAILURE_MAX);
      crashAt = Math.min(crashAt, this.#disk.operations + last);
      this.#disk.crashAt(crashAt, onCrash);
    };
    await Promise.race([crashed, this.#work(onSyncFailure)]);
    this.#life += 1;
    // What was under way in memory ends now; nothing of it is acknowledged any more.
    for (let turn = 0; turn < 10; turn += 1) await nextTurn();
    this.#disk.crash();
    this.#disk = this.#disk.afterCrash(this.#chance);
  }

  /** Opens the store on what the crash left and checks everything that was promised. */
  async checkAfterCrash(): Promise<void> {
    const metadata = this.#metadataOfThisLife();
    const blobs = await this.#openBlobs(metadata, (error) => this.#damage.push(error.message));
    const calls = new StoreCalls({ metadata, blobs }, this.#rows);
    await this.#checkObjects(calls);
    await sweepDeadBlobs({ metadata, blobs, clock: CLOCK }, { signal: NEVER });
    await blobs.sweep({ graceMs: 0, signal: NEVER });
    await blobs.compact({ signal: NEVER });
    const found = await this.#checkObjects(calls);
    await this.#checkNothingIsLeft(metadata, blobs);
    await this.#checkSums(metadata);
    assert.deepEqual(this.#damage, [], 'nothing that a row names is damaged');
    await blobs[Symbol.asyncDispose]();
    // Whatever the crash decided is the state from now on.
    for (const [shelf, state] of found) {
      for (const [key, held] of state) shelf.acknowledged.set(key, held);
      shelf.next = [];
    }
  }

  async #work(onSyncFailure: () => void): Promise<void> {
    const metadata = this.#metadataOfThisLife();
    const weather = new DiskWeather(this.#chance);
    const blobs = await this.#openBlobs(metadata, onSyncFailure);
    const calls = new StoreCalls({ metadata, blobs }, this.#rows);
    const life: Life = { metadata, blobs, calls, weather };
    // A start on a failing disk fails, and has nothing to lose.
    this.#disk.failWith(weather.failing);
    await Promise.all([
      ...this.#shelves.map((shelf, actor) => this.#act(life, shelf, actor)),
      ...Array.from({ length: CONTENDERS }, () => this.#contend(life)),
      this.#sweep(life),
      this.#compact(life),
    ]);
  }

  async #openBlobs(
    metadata: Metadata,
    onSyncFailure: (error: Error) => void,
  ): Promise<DiskBlobStore> {
    return await DiskBlobStore.open({
      io: this.#disk,
      directory: '/blobs',
      ids: metadata,
      rows: metadata,
      minFreeBytes: 0,
      now: CLOCK.now,
      segmentBytesMax: SEGMENT_BYTES_MAX,
      onSyncFailure,
      onDamage: (segment, offsets) => this.#damage.push(`segment ${segment} at ${offsets.join()}`),
    });
  }

  /** Metadata whose answers stop with this life, as a killed process hears none. */
  #metadataOfThisLife(): Metadata {
    const life = this.#life;
    const isOver = () => this.#life !== life;
    return new Proxy(this.#rows.metadata, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...input: unknown[]) => {
          if (name === 'publishObject' || name === 'savePart') await this.#waitBeforePublishing();
          if (isOver()) await new Promise(() => undefined);
          const answer: unknown = await value.apply(target, input);
          if (isOver()) await new Promise(() => undefined);
          return answer;
        };
      },
    });
  }

  /** Bytes may wait for their row while their segment fills, dies by half and is looked at. */
  async #waitBeforePublishing(): Promise<void> {
    if (this.#chance() < 0.7) return;
    const turns = Math.floor(this.#chance() * PUBLISH_TURNS_MAX);
    for (let turn = 0; turn < turns; turn += 1) await nextTurn();
  }

  async #act(life: Life, shelf: Shelf, actor: number): Promise<void> {
    const keys = Array.from(
      { length: KEYS_AN_ACTOR },
      (_, index) => `actor-${actor}/key-${index}` as ObjectKey,
    );
    const { calls } = life;
    for (let round = 0; round < 200; round += 1) {
      const key = this.#pick(keys);
      if (this.#chance() < MULTIPART_SHARE) {
        await this.#uploadInParts(life, shelf, key);
        continue;
      }
      const other = this.#pick(keys);
      const held = shelf.acknowledged.get(key);
      const dice = this.#chance();
      if (dice < 0.45) await this.#put(life, shelf, key);
      else if (dice < 0.55) await this.#putParts(life, shelf, key);
      else if (dice < 0.6) await this.#deleteAll(life, shelf, keys);
      else if (dice < 0.7) {
        await this.#change(life, shelf, [[key, undefined]], () => calls.delete(key));
      } else if (dice < 0.8) {
        assertSame(await calls.read(key), held, `${key} while alive`);
      } else if (held === undefined || key === other) {
        // There is nothing to move or to copy.
      } else if (dice < 0.9) {
        const states = [[other, held] as const, [key, undefined] as const];
        await this.#change(life, shelf, states, () => calls.rename(key, other));
      } else {
        await this.#change(life, shelf, [[other, held]], async () => {
          assert.ok(await calls.copy(key, other), `${key} is there to be copied`);
        });
      }
    }
  }

  async #put(life: Life, shelf: Shelf, key: ObjectKey): Promise<void> {
    const bytes = this.#body();
    const isDeclared = this.#chance() < 0.5;
    await this.#change(life, shelf, [[key, bytes]], () =>
      this.#writing(() => life.calls.put(key, bytes, { isDeclared })),
    );
  }

  async #putParts(life: Life, shelf: Shelf, key: ObjectKey): Promise<void> {
    const parts = [this.#body(), this.#body(), this.#body()].slice(Math.floor(this.#chance() * 2));
    await this.#change(life, shelf, [[key, Buffer.concat(parts)]], () =>
      this.#writing(() => life.calls.putParts(key, parts)),
    );
  }

  /** Runs what writes bytes; asserts that none is acknowledged that began after a failed sync. */
  async #writing(run: () => Promise<void>): Promise<void> {
    const wasReadOnly = this.#isReadOnly;
    await run();
    assert.ok(!wasReadOnly, 'after a failed sync nothing is written');
  }

  async #change(
    life: Life,
    shelf: Shelf,
    states: readonly (readonly [ObjectKey, Held])[],
    run: () => Promise<void>,
  ): Promise<void> {
    shelf.next = [new Map([...shelf.acknowledged, ...states])];
    if (await mayFail(life, run)) {
      for (const [key, held] of states) shelf.acknowledged.set(key, held);
    }
    shelf.next = [];
  }

  /** A batch, of which any part may be done when the power goes. */
  async #deleteAll(life: Life, shelf: Shelf, keys: readonly ObjectKey[]): Promise<void> {
    let states: readonly Map<ObjectKey, Held>[] = [shelf.acknowledged];
    for (const key of keys) {
      const without = (state: Map<ObjectKey, Held>) => new Map([...state, [key, undefined]]);
      states = [...states, ...states.map(without)];
    }
    shelf.next = states;
    await Promise.all(keys.map((key) => life.calls.delete(key)));
    for (const key of keys) shelf.acknowledged.set(key, undefined);
    shelf.next = [];
  }

  /** The next step of the shelf's upload, which outlives the cuts. */
  async #uploadInParts(life: Life, shelf: Shelf, key: ObjectKey): Promise<void> {
    const { calls } = life;
    const open = shelf.upload;
    if (open === undefined) {
      shelf.upload = new OpenUpload(await calls.beginUpload(key));
      return;
    }
    const { upload, numbers } = open;
    const dice = this.#chance();
    if (dice < 0.7 || numbers.length === 0) {
      const number = 1 + Math.floor(this.#chance() * PARTS_OF_UPLOAD_MAX);
      const bytes = this.#body();
      await mayFail(life, () =>
        open.addPart(number, bytes, () =>
          this.#writing(() => calls.uploadPart(upload, number, bytes)),
        ),
      );
    } else if (dice < 0.9) {
      const some = numbers.filter(() => this.#chance() < 0.8);
      const listed = some.length === 0 ? numbers : some;
      await this.#change(life, shelf, [[upload.key, open.wholeOf(listed)]], () =>
        open.complete(listed, () => calls.completeUpload(upload, listed)),
      );
      shelf.upload = undefined;
    } else {
      await open.abort(() => calls.abortUpload(upload));
      shelf.upload = undefined;
    }
  }

  async #contend(life: Life): Promise<void> {
    const { calls } = life;
    for (let round = 0; round < 200; round += 1) {
      const key = this.#pick(CONTESTED_KEYS);
      const contested = this.#contested.get(key);
      assert.ok(contested);
      const dice = this.#chance();
      const bytes = this.#body();
      await mayFail(life, () => {
        if (dice < 0.3) return contested.read(() => calls.read(key));
        if (dice < 0.45) return contested.write(undefined, () => calls.delete(key));
        return contested.write(bytes, () =>
          this.#writing(() => calls.put(key, bytes, { isDeclared: dice < 0.7 })),
        );
      });
    }
  }

  async #sweep(life: Life): Promise<void> {
    const { metadata, blobs } = life;
    for (let round = 0; round < 50; round += 1) {
      await mayFail(life, async () => {
        await sweepDeadBlobs({ metadata, blobs, clock: CLOCK }, { signal: NEVER });
        await blobs.sweep({ graceMs: 0, signal: NEVER });
      });
    }
  }

  async #compact(life: Life): Promise<void> {
    for (let round = 0; round < 200; round += 1) {
      await nextTurn();
      await mayFail(life, async () => void (await life.blobs.compact({ signal: NEVER })));
    }
  }

  /** Each key holds what was acknowledged last, or what was under way; never anything else. */
  async #checkObjects(calls: StoreCalls): Promise<ReadonlyMap<Shelf, Map<ObjectKey, Held>>> {
    const states = new Map<Shelf, Map<ObjectKey, Held>>();
    const names = await calls.listKeys();
    const read = async (key: ObjectKey) => {
      const held = await calls.read(key);
      assert.equal(names.has(key), held !== undefined, `${key} is listed when it can be read`);
      return held;
    };
    for (const shelf of this.#shelves) {
      const found = new Map<ObjectKey, Held>();
      const asked = shelf.next.flatMap((state) => [...state.keys()]);
      for (const key of new Set([...shelf.acknowledged.keys(), ...asked])) {
        found.set(key, await read(key));
      }
      const isLast = isSameShelf(found, shelf.acknowledged);
      const isNext = shelf.next.some((state) => isSameShelf(found, state));
      assert.ok(isLast || isNext, 'a shelf is as it was acknowledged, or one whole step on');
      states.set(shelf, found);
      await this.#checkUpload(calls, shelf, found);
    }
    for (const [key, contested] of this.#contested) contested.settle(await read(key));
    return states;
  }

  /** Its parts are there with their bytes, or it has ended as it was asked to. */
  async #checkUpload(
    calls: StoreCalls,
    shelf: Shelf,
    found: ReadonlyMap<ObjectKey, Held>,
  ): Promise<void> {
    const { upload: open } = shelf;
    if (open === undefined) return;
    const { key } = open.upload;
    const settled = open.settle(await calls.findUpload(open.upload));
    if (settled.kind === 'completed') assertSame(found.get(key), settled.whole, `${key} completed`);
    if (settled.kind !== 'open') shelf.upload = undefined;
  }

  /** No file without a row is left (invariant 2). */
  async #checkNothingIsLeft(metadata: Metadata, blobs: DiskBlobStore): Promise<void> {
    for await (const blob of blobs.list()) {
      if (blob.location.startsWith('s')) continue;
      const rows = await metadata.findBlobs([blob.blobId]);
      assert.equal(rows.length, 1, `blob ${blob.blobId} has a file and a row`);
    }
  }

  /** Owners of blobs and stored bytes are what rows add up to. */
  async #checkSums(metadata: Metadata): Promise<void> {
    const findings = new Findings();
    await metadata.snapshot((snapshot) => verifyRows(snapshot, findings, UNWATCHED));
    assert.deepEqual(findings.kept, []);
  }

  #body(): Buffer {
    const dice = this.#chance();
    const length =
      dice < 0.93 ? Math.floor(this.#chance() * 6000) : 262_000 + Math.floor(dice * 999);
    const bytes = Buffer.alloc(length);
    for (let at = 0; at < length; at += 1 + Math.floor(at / 64)) bytes[at] = this.#chance() * 256;
    return bytes;
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#chance() * list.length)] ?? assert.fail();
  }
}

/** What a failing disk makes of a write. */
const DISK_CODES: ReadonlySet<string> = new Set(['storage_full', 'read_only', 'unavailable']);

/** Runs a call; answers whether it was done. On a failing disk it may be refused. */
async function mayFail({ weather }: Life, run: () => Promise<void>): Promise<boolean> {
  try {
    await run();
    return true;
  } catch (error) {
    if (weather.kind !== 'fair' && isOfDisk(error)) return false;
    throw error;
  }
}

function isOfDisk(error: unknown): boolean {
  if (isServiceError(error) && DISK_CODES.has(error.code)) return true;
  return error instanceof Error && 'code' in error && error.code === 'EIO';
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
