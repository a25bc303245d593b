/** Proves what a reader gets whose object is replaced, removed or damaged while it is opened. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { listed, sourceOf } from '../../../../tests/world/multipart-world.ts';
import { openObjectWorld } from '../../../../tests/world/object-world.ts';
import { isServiceError, ServiceError } from '../../errors.ts';
import { PART_SIZE_BYTES_MIN } from '../../limits.ts';
import type { BlobReader, BlobRef } from '../../ports/blob-store.ts';
import { countParts, findChecksum, partsOf, resolvePart } from './object-parts.ts';
import { openObject, viewObject } from './read-object.ts';

const ALL = { conditions: {}, range: undefined };
const BIG = Buffer.alloc(PART_SIZE_BYTES_MIN, 'b');
const TAIL = Buffer.from('tail');

async function openWorld() {
  const world = await openObjectWorld();
  const { put, find, begin, upload, complete, deps } = world;
  const found = async (key: string) => {
    const object = await find(key);
    assert(object);
    return object;
  };
  const make = async (key: string, parts: readonly Buffer[]) => {
    const started = await begin(key);
    for (const [at, bytes] of parts.entries()) await upload(started, at + 1, bytes);
    await complete(
      started,
      parts.map((bytes, at) => listed(at + 1, bytes)),
    );
    return await found(key);
  };
  /** A store that counts what is open and fails as `refuse` says. */
  const store = (refuse: (blob: BlobRef) => Error | undefined) => {
    const counts = { open: 0, asked: 0 };
    const open = async (blob: BlobRef): Promise<BlobReader> => {
      counts.asked += 1;
      const error = refuse(blob);
      if (error !== undefined) throw error;
      const reader = await deps.blobs.open(blob);
      counts.open += 1;
      return {
        sizeBytes: reader.sizeBytes,
        read: (...asked) => reader.read(...asked),
        close: async () => {
          counts.open -= 1;
          await reader.close();
        },
      };
    };
    return { counts, deps: { blobs: { open } } };
  };
  return { ...world, put, found, make, store };
}

const gone = () => new ServiceError('object_not_found', 'There are no such bytes.');

test('bytes that are gone are looked for once more, and then the row is to blame', async () => {
  const { put, find, found, store } = await openWorld();
  await put('k', TAIL);
  const first = await found('k');
  const missing = store(() => gone());
  await assert.rejects(
    openObject(missing.deps, () => find('k'), ALL),
    (error) => isServiceError(error, 'corrupt'),
  );
  assert.deepEqual(missing.counts, { open: 0, asked: 2 });
  await put('k', Buffer.from('newer'));
  const rows = [first, await found('k')];
  const stale = store(({ blobId }) =>
    blobId === first.content[0]?.blob.blobId ? gone() : undefined,
  );
  const opened = await openObject(stale.deps, async () => rows.shift(), ALL);
  assert.equal(opened.object.sizeBytes, 5);
  assert(opened.kind === 'content');
  await opened.close();
  assert.equal(stale.counts.open, 0);
  await assert.rejects(
    openObject(missing.deps, async () => undefined, ALL),
    (error) => isServiceError(error, 'object_not_found'),
  );
  const removed = [first, undefined];
  await assert.rejects(
    openObject(missing.deps, async () => removed.shift(), ALL),
    (error) => isServiceError(error, 'object_not_found'),
  );
});

test('a store that fails otherwise is asked once, and what was open is closed', async () => {
  const { make, found, store } = await openWorld();
  const { content } = await make('k', [BIG, BIG, TAIL]);
  const last = content.at(-1)?.blob.blobId;
  const failing = store(({ blobId }) =>
    blobId === last ? new ServiceError('corrupt', 'Damaged.') : undefined,
  );
  await assert.rejects(
    openObject(failing.deps, () => found('k'), ALL),
    (error) => isServiceError(error, 'corrupt'),
  );
  assert.deepEqual(failing.counts, { open: 0, asked: 3 });
});

test('only the pieces that a range touches are opened', async () => {
  const { make, found, store } = await openWorld();
  await make('k', [BIG, BIG, TAIL]);
  const size = BIG.length;
  for (const [range, count] of [
    [`bytes=0-${size - 1}`, 1],
    [`bytes=${size}-${2 * size - 1}`, 1],
    [`bytes=${size - 1}-${size}`, 2],
    [`bytes=${2 * size - 1}-`, 2],
    [undefined, 3],
  ] as const) {
    const { counts, deps } = store(() => undefined);
    const opened = await openObject(deps, () => found('k'), { conditions: {}, range });
    assert(opened.kind === 'content');
    assert.deepEqual(counts, { open: count, asked: count });
    let bytes = 0;
    await opened.send((chunk) => {
      bytes += chunk.byteLength;
      return undefined;
    });
    assert.equal(bytes, opened.span.end - opened.span.start);
    await opened.close();
    assert.equal(counts.open, 0);
  }
});

test('a reader whose copy is fresh opens nothing; one part goes before a range', async () => {
  const { make, found, store } = await openWorld();
  const object = await make('k', [BIG, TAIL]);
  const { counts, deps } = store(() => undefined);
  const fresh = { conditions: { ifNoneMatch: [object.etag] }, range: undefined };
  assert.equal((await openObject(deps, () => found('k'), fresh)).kind, 'fresh');
  assert.equal(counts.asked, 0);
  const part = viewObject(object, { ...ALL, range: 'bytes=0-0', partNumber: 2 });
  assert(part.kind === 'content');
  assert.deepEqual(part.span, { start: BIG.length, end: BIG.length + 4 });
  const stale = viewObject(object, { ...ALL, range: 'bytes=0-0', ifRange: '"other"' });
  assert(stale.kind === 'content' && !stale.isPartial);
});

test('parts are those that were completed, an empty last one too', async () => {
  const { make, put, found } = await openWorld();
  const object = await make('k', [BIG, Buffer.alloc(0)]);
  assert.equal(countParts(object), 2);
  const [first, last] = partsOf(object);
  assert.deepEqual([first?.start, first?.sizeBytes], [0, BIG.length]);
  assert.deepEqual([last?.start, last?.sizeBytes, last?.partNumber], [BIG.length, 0, 2]);
  // CRC64NVME of nothing.
  assert.deepEqual(last?.checksum, { value: 'AAAAAAAAAAA=' });
  const bare = { ...object, checksum: undefined };
  assert.equal(partsOf(bare)[1]?.checksum, undefined);
  const old = {
    ...object,
    content: object.content.map(({ blob, sizeBytes }) => ({ blob, sizeBytes })),
  };
  assert.equal(partsOf(old)[1]?.checksum, undefined);
  for (const number of [0, 3]) {
    assert.throws(() => resolvePart(object, number), { code: 'part_not_found' });
  }
  await put('plain', TAIL);
  const plain = await found('plain');
  assert.equal(countParts(plain), undefined);
  assert.deepEqual(resolvePart(plain, 1).span, { start: 0, end: TAIL.length });
  assert.throws(() => resolvePart(plain, 2), { code: 'part_not_found' });
});

test('a checksum is told of exactly the bytes that are answered', async () => {
  const { make, put, found } = await openWorld();
  const object = await make('k', [BIG, TAIL]);
  const whole = { start: 0, end: object.sizeBytes };
  const sumOf = (span: { start: number; end: number }, partNumber?: number, of = object) =>
    findChecksum(of, { span, isPartial: true }, partNumber)?.value;
  const [first, last] = object.content.map(({ checksum }) => checksum?.value);
  assert(first !== undefined && last !== undefined && first !== last);
  assert.equal(findChecksum(object, { span: whole, isPartial: false }, undefined), object.checksum);
  assert.equal(sumOf(whole), object.checksum?.value);
  assert.equal(sumOf({ start: 0, end: BIG.length }), first);
  assert.equal(sumOf({ start: BIG.length, end: object.sizeBytes }), last);
  assert.equal(sumOf({ start: BIG.length, end: object.sizeBytes }, 2), last);
  for (const span of [
    { start: 1, end: BIG.length },
    { start: 0, end: BIG.length - 1 },
    { start: 1, end: object.sizeBytes },
    { start: 0, end: object.sizeBytes - 1 },
  ]) {
    assert.equal(sumOf(span), undefined);
  }
  const old = {
    ...object,
    content: object.content.map(({ blob, sizeBytes }) => ({ blob, sizeBytes })),
  };
  assert.equal(sumOf({ start: 0, end: BIG.length }, 1, old), undefined);
  assert.equal(sumOf(whole, undefined, old), object.checksum?.value);
  // Of a part that is asked for by its number only its own is told.
  const one = await make('one', [TAIL]);
  const bare = { ...one, content: one.content.map(({ blob, sizeBytes }) => ({ blob, sizeBytes })) };
  assert.equal(sumOf({ start: 0, end: TAIL.length }, 1, bare), undefined);
  // Of the whole its own is told, also where it is that of its one part.
  const part = { value: 'AAAAAA==' };
  const sum = { algorithm: 'CRC32', type: 'COMPOSITE', value: 'AAAAAQ==-1' } as const;
  const composite = {
    ...one,
    checksum: sum,
    content: bare.content.map((piece) => ({ ...piece, checksum: part })),
  };
  const all = { span: { start: 0, end: TAIL.length }, isPartial: false };
  assert.deepEqual(findChecksum(composite, all, undefined), sum);
  const none = { ...composite, checksum: undefined };
  assert.equal(findChecksum(none, { ...all, isPartial: true }, undefined), undefined);
  const crc = { algorithm: 'CRC32', declared: () => undefined } as const;
  await put('plain', Buffer.from('x'), { body: sourceOf(TAIL), demands: { checksum: crc } });
  const plain = await found('plain');
  assert.equal(sumOf({ start: 0, end: 4 }, undefined, plain), plain.checksum?.value);
  // It is its own part 1.
  assert.equal(sumOf({ start: 0, end: 4 }, 1, plain), plain.checksum?.value);
  assert.notEqual(plain.checksum?.value, undefined);
  for (const span of [
    { start: 0, end: 3 },
    { start: 1, end: 4 },
  ]) {
    assert.equal(sumOf(span, undefined, plain), undefined);
  }
});
