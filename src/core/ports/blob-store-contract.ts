/** The contract suite of `BlobStore`: every engine runs it. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { isServiceError } from '../errors.ts';
import type { BlobId, BlobLocation } from '../ids.ts';
import type { BlobRef, BlobStore } from './blob-store.ts';

export type BlobStoreFixture = {
  readonly store: BlobStore;
  /** Makes a row name the blob, as a publication does. */
  readonly publish: (blob: BlobRef) => Promise<void>;
  /** Takes the row away; the bytes stay until `remove`. */
  readonly forget: (blob: BlobRef) => Promise<void>;
  /** Where the rows say that the blob is by now. */
  readonly locate: (blob: BlobRef) => Promise<BlobRef>;
  /** Closes the store and opens it anew on what it kept. */
  readonly reopen: () => Promise<BlobStore>;
  readonly close: () => Promise<void>;
};

const SIZES = [0, 1, 4096, 65_535, 65_536, 65_537, 262_144, 262_145, 1_048_576, 5_000_011];

export function testBlobStore(name: string, open: () => Promise<BlobStoreFixture>): void {
  const withStore = (title: string, run: (fixture: BlobStoreFixture) => Promise<void>) =>
    test(`${name}: ${title}`, async () => {
      const fixture = await open();
      try {
        await run(fixture);
      } finally {
        await fixture.close();
      }
    });

  withStore('gives back what was committed, of every size and chunking', async ({ store }) => {
    for (const size of SIZES) {
      for (const chunk of [size || 1, 65_536, 1000]) {
        if (size / chunk > 2000) continue;
        const bytes = patternBytes(size);
        const blob = await keep(store, bytes, chunk);
        assert.equal(blob.sizeBytes, size);
        assert.deepEqual(await readAll(store, blob), bytes);
      }
    }
  });

  withStore('reads any span like slice', async ({ store }) => {
    const bytes = patternBytes(300_001);
    const blob = await keep(store, bytes);
    for (const [start, end] of [
      [0, 1],
      [0, 0],
      [65_535, 65_537],
      [65_536, 131_072],
      [131_071, 300_001],
      [300_000, 300_001],
      [12_345, 250_000],
    ] as const) {
      assert.deepEqual(await readAll(store, blob, start, end), bytes.subarray(start, end));
    }
  });

  withStore('keeps published blobs over a restart and never gives an id again', async (fixture) => {
    const sizes = [70_000, 0, 4096, 262_144, 262_145, 300_000];
    const before: BlobRef[] = [];
    for (const size of sizes) before.push(await keep(fixture.store, patternBytes(size)));
    for (const blob of before) await fixture.publish(blob);
    const store = await fixture.reopen();
    const after: BlobRef[] = [];
    for (const size of sizes) after.push(await keep(store, patternBytes(size)));
    const ids = [...before, ...after].map((blob) => blob.blobId);
    assert.equal(new Set(ids).size, ids.length);
    for (const blob of [...before, ...after]) {
      assert.deepEqual(await readAll(store, blob), patternBytes(blob.sizeBytes));
    }
  });

  withStore('takes a body of unknown length into either layout', async ({ store }) => {
    for (const size of SIZES) {
      const writer = await store.stage({ sizeBytes: undefined });
      const bytes = patternBytes(size);
      for (let at = 0; at < size; at += 50_000) {
        await writer.write(Buffer.from(bytes.subarray(at, at + 50_000)));
      }
      const blob = await writer.commit();
      await writer.release();
      assert.deepEqual(await readAll(store, blob), bytes);
    }
  });

  withStore('sweeps what no row names, and nothing else', async (fixture) => {
    const { store } = fixture;
    const named: BlobRef[] = [];
    for (const size of [10, 100_000, 400_000, 10, 400_000]) {
      const blob = await keep(store, patternBytes(size));
      named.push(blob);
      await fixture.publish(blob);
      await keep(store, patternBytes(size));
    }
    const staged = await store.stage({ sizeBytes: 400_000 });
    await staged.write(patternBytes(400_000));
    const leased = await staged.commit();
    const never = AbortSignal.any([]);
    assert.equal(await store.sweep({ graceMs: 3_600_000, signal: never }), 0);
    await store.sweep({ graceMs: 0, signal: never });
    for (const blob of [...named, leased]) {
      assert.deepEqual(await readAll(store, blob), patternBytes(blob.sizeBytes));
    }
    await staged.release();
  });

  withStore('compacts under readers: each gets whole bytes, rows follow', async (fixture) => {
    let { store } = fixture;
    const kept: BlobRef[] = [];
    const removed: BlobRef[] = [];
    for (let index = 0; index < 60; index += 1) {
      const blob = await keep(store, patternBytes(30_000, index));
      await fixture.publish(blob);
      (index % 5 === 0 ? kept : removed).push(blob);
    }
    const reader = await store.open(kept[0] ?? assert.fail());
    for (const blob of removed) {
      await fixture.forget(blob);
      await store.remove([blob]);
    }
    const never = AbortSignal.any([]);
    await store.sweep({ graceMs: 0, signal: never });
    await store.compact({ signal: never });
    const chunks: Uint8Array[] = [];
    await reader.read({ start: 0, end: 30_000 }, (chunk) => {
      chunks.push(Uint8Array.from(chunk));
      return undefined;
    });
    await reader.close();
    assert.deepEqual(Buffer.concat(chunks), patternBytes(30_000, 0));
    for (const [index, blob] of kept.entries()) {
      const moved = await fixture.locate(blob);
      assert.deepEqual(await readAll(store, moved), patternBytes(30_000, index * 5));
    }
    store = await fixture.reopen();
    for (const [index, blob] of kept.entries()) {
      const moved = await fixture.locate(blob);
      assert.deepEqual(await readAll(store, moved), patternBytes(30_000, index * 5));
    }
  });

  withStore('leaves nothing of a blob that was released before its commit', async ({ store }) => {
    const writer = await store.stage({ sizeBytes: undefined });
    await writer.write(patternBytes(2_000_000));
    await writer.release();
    await writer.release();
    assert.deepEqual(await listIds(store), []);
  });

  withStore('leaves nothing of a blob whose publication was refused', async ({ store }) => {
    for (const sizeBytes of [300_000, undefined]) {
      const writer = await store.stage({ sizeBytes });
      await writer.write(patternBytes(300_000));
      const blob = await writer.commit();
      await writer.release({ isRefused: true });
      await writer.release({ isRefused: true });
      assert.deepEqual(await listIds(store), []);
      await assert.rejects(store.open(blob), (error) => isServiceError(error, 'object_not_found'));
    }
  });

  withStore('lists committed blobs once their lease has ended', async ({ store }) => {
    const writer = await store.stage({ sizeBytes: 3 });
    await writer.write(Buffer.from('abc'));
    const blob = await writer.commit();
    assert.deepEqual(await listIds(store), []);
    await writer.release();
    assert.deepEqual(await listIds(store), [blob.blobId]);
  });

  withStore('lets a reader finish although the blob is removed under it', async ({ store }) => {
    const bytes = patternBytes(1_500_000);
    const blob = await keep(store, bytes);
    const reader = await store.open(blob);
    await store.remove([blob]);
    const chunks: Uint8Array[] = [];
    await reader.read({ start: 0, end: bytes.length }, (chunk) => {
      chunks.push(Uint8Array.from(chunk));
      return undefined;
    });
    await reader.close();
    await reader.close();
    assert.deepEqual(Buffer.concat(chunks), bytes);
    await assert.rejects(readAll(store, blob), (error) =>
      isServiceError(error, 'object_not_found'),
    );
  });

  withStore('ignores the removal of what is gone, and repeats it', async ({ store }) => {
    const blob = await keep(store, patternBytes(10));
    await store.remove([blob]);
    await store.remove([blob, { ...blob, blobId: (blob.blobId + 500) as BlobId }]);
  });

  withStore('removes nothing while it is held, and says so', async (fixture) => {
    const { store } = fixture;
    const never = AbortSignal.any([]);
    const named: BlobRef[] = [];
    const removed: BlobRef[] = [];
    for (let index = 0; index < 40; index += 1) {
      const blob = await keep(store, patternBytes(index % 4 === 0 ? 300_000 : 30_000, index));
      await fixture.publish(blob);
      named.push(blob);
      if (index % 5 !== 0) removed.push(blob);
    }
    const unnamed = await keep(store, patternBytes(400_000));
    const hold = await store.hold();
    const other = await store.hold();
    for (const blob of removed) await fixture.forget(blob);
    assert.equal(await store.remove(removed), false);
    assert.equal(await store.sweep({ graceMs: -1, signal: never }), 0);
    assert.equal(await store.compact({ signal: never }), 0);
    for (const [index, blob] of named.entries()) {
      assert.deepEqual(await readAll(store, blob), patternBytes(blob.sizeBytes, index));
    }
    await hold[Symbol.asyncDispose]();
    await hold[Symbol.asyncDispose]();
    assert.equal(await store.remove(removed), false);
    await other[Symbol.asyncDispose]();
    assert.equal(await store.remove(removed), true);
    assert.equal(await store.sweep({ graceMs: -1, signal: never }), 1);
    await assert.rejects(readAll(store, unnamed), (error) =>
      isServiceError(error, 'object_not_found'),
    );
  });

  withStore('inspects all that it keeps and finds whole stores whole', async (fixture) => {
    const { store } = fixture;
    const large: BlobId[] = [];
    for (let index = 0; index < 20; index += 1) {
      const blob = await keep(store, patternBytes(index % 5 === 0 ? 300_000 : 30_000, index));
      if (index % 3 === 0) await fixture.publish(blob);
      if (blob.sizeBytes === 300_000) large.push(blob.blobId);
    }
    const writer = await store.stage({ sizeBytes: 300_000 });
    await writer.write(patternBytes(300_000));
    const leased = await writer.commit();
    const found = new Set<BlobId>();
    for await (const kept of store.inspect({ signal: AbortSignal.any([]) })) {
      if (kept.kind === 'blob') found.add(kept.blob.blobId);
      else assert.deepEqual(kept.damagedAt, []);
    }
    for (const blobId of large) assert.ok(found.has(blobId));
    assert.ok(!found.has(leased.blobId));
    await writer.release();
  });

  withStore('refuses a location that no engine of its kind made', async ({ store }) => {
    const blob = { ...(await keep(store, patternBytes(10))), location: '?' as BlobLocation };
    await assert.rejects(store.open(blob), (error) => isServiceError(error, 'corrupt'));
  });

  withStore('stops a read when its signal aborts', async ({ store }) => {
    const blob = await keep(store, patternBytes(5_000_000));
    const reader = await store.open(blob);
    const abort = new AbortController();
    let sent = 0;
    const reading = reader.read(
      { start: 0, end: blob.sizeBytes },
      (chunk) => {
        sent += chunk.byteLength;
        abort.abort();
        return undefined;
      },
      { signal: abort.signal },
    );
    await assert.rejects(reading, (error) => isServiceError(error, 'aborted'));
    assert.ok(sent < blob.sizeBytes);
    await reader.close();
  });

  withStore('keeps its buffer until a slow sink is done with it', async ({ store }) => {
    const bytes = patternBytes(2_500_000);
    const blob = await keep(store, bytes);
    const reader = await store.open(blob);
    const digest = createHash('sha256');
    await reader.read({ start: 0, end: bytes.length }, async (chunk) => {
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
      digest.update(chunk);
    });
    await reader.close();
    assert.equal(digest.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  });

  withStore('passes a failing sink on', async ({ store }) => {
    const blob = await keep(store, patternBytes(2_500_000));
    const reader = await store.open(blob);
    const read = reader.read({ start: 0, end: blob.sizeBytes }, () =>
      Promise.reject(new Error('the socket broke')),
    );
    await assert.rejects(read, /the socket broke/);
    await reader.close();
  });

  withStore('takes many writers at once', async ({ store }) => {
    const blobs = await Promise.all(
      Array.from({ length: 40 }, (_, index) => keep(store, patternBytes(1000 * index, index))),
    );
    assert.equal(new Set(blobs.map((blob) => blob.blobId)).size, blobs.length);
    for (const [index, blob] of blobs.entries()) {
      assert.deepEqual(await readAll(store, blob), patternBytes(1000 * index, index));
    }
    await store.check();
  });
}

/** Stages, commits and releases `bytes` in chunks. */
export async function keep(
  store: BlobStore,
  bytes: Uint8Array,
  chunkBytes = 65_536,
): Promise<BlobRef> {
  const writer = await store.stage({ sizeBytes: bytes.length });
  try {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      await writer.write(Buffer.from(bytes.subarray(at, at + chunkBytes)));
    }
    return await writer.commit();
  } finally {
    await writer.release();
  }
}

export async function readAll(
  store: BlobStore,
  blob: BlobRef,
  start = 0,
  end = blob.sizeBytes,
): Promise<Buffer> {
  const reader = await store.open(blob);
  try {
    const chunks: Uint8Array[] = [];
    await reader.read({ start, end }, (chunk) => {
      chunks.push(Uint8Array.from(chunk));
      return undefined;
    });
    return Buffer.concat(chunks);
  } finally {
    await reader.close();
  }
}

/** Bytes that differ at every place, from a seed. */
export function patternBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed + 1) * 2_654_435_761;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

async function listIds(store: BlobStore): Promise<readonly BlobId[]> {
  const ids: BlobId[] = [];
  for await (const blob of store.list()) ids.push(blob.blobId);
  return ids;
}
