/** The group writer forgets nobody, whenever a record comes, and tells all of a failure. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { BlobId } from '../../../../core/ids.ts';
import type { DiskFile, DiskIo } from '../disk-io.ts';
import { LoopPace } from '../loop-pace.ts';
import { Segment } from './segment.ts';
import { RECORD_HEADER_BYTES } from './segment-format.ts';
import { SegmentWriter } from './segment-writer.ts';
import { Warmth } from './warmth.ts';

function openWriter(
  syncBytes: () => Promise<void>,
  options: {
    readonly segmentBytesMax?: number;
    readonly onRoll?: () => void;
    readonly onGroup?: (records: number, bytes: number) => void;
    readonly onWrite?: (how: 'now' | 'pool') => void;
    readonly onTruncate?: (sizeBytes: number) => void;
  } = {},
): SegmentWriter {
  const length = (chunks: readonly Uint8Array[]) =>
    chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const file: DiskFile = {
    write: async (chunks) => {
      options.onWrite?.('pool');
      return length(chunks);
    },
    writeNow: (chunks) => {
      options.onWrite?.('now');
      return length(chunks);
    },
    read: async () => 0,
    syncBytes,
    sizeBytes: async () => 0,
    truncate: async (sizeBytes) => options.onTruncate?.(sizeBytes),
    close: async () => undefined,
  };
  const pace = new LoopPace({ onSlow: () => undefined });
  const at = { number: 1, path: '/1', endBytes: 32, warmth: new Warmth(), readPace: pace };
  return new SegmentWriter({
    roll: async () => {
      options.onRoll?.();
      return { segment: new Segment({} as DiskIo, at, file), file };
    },
    segmentBytesMax: options.segmentBytesMax ?? 1_000_000,
    writePace: pace,
    assertWritable: () => undefined,
    failWrite: (error) => error,
    failSync: (cause) => new Error('the sync failed', { cause }),
    onGroup: (records, bytes) => options.onGroup?.(records, bytes),
  });
}

const EMPTY = Buffer.alloc(0);

test('a record that comes at any moment of a group before it is written', async () => {
  for (let turns = 0; turns < 40; turns += 1) {
    const writer = openWriter(async () => undefined);
    const first = writer.append(1 as BlobId, Buffer.from('first'));
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    const second = writer.append(2 as BlobId, Buffer.from('second'));
    const late = new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`forgotten after ${turns} turns`)), 500).unref(),
    );
    await Promise.race([Promise.all([first, second]), late]);
    await writer.close();
  }
});

test('a failed sync is told to every record that waited for it', async () => {
  const writer = openWriter(() => Promise.reject(new Error('i/o error')));
  const outcomes = await Promise.allSettled(
    [1, 2, 3].map((id) => writer.append(id as BlobId, Buffer.from('x'))),
  );
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'rejected'],
  );
  await writer.close();
});

test('a segment takes only so many records as a start can read, however small they are', async () => {
  let rolls = 0;
  const onRoll = () => {
    rolls += 1;
  };
  const writer = openWriter(async () => undefined, { segmentBytesMax: 1e9, onRoll });
  const append = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, id) => writer.append(id as BlobId, EMPTY)));
  await append(65_536);
  assert.equal(rolls, 1);
  await append(1);
  assert.equal(rolls, 2);
  await writer.close();
});

test('a group is cut above 8 MiB and after 256 records', async () => {
  const MIB = 1024 * 1024;
  for (const [sizes, written] of [
    [Array.from({ length: 256 }, () => 1), 1],
    [Array.from({ length: 257 }, () => 1), 2],
    // The headers of two records are within the limit too.
    [[4 * MIB, 4 * MIB - 2 * RECORD_HEADER_BYTES], 1],
    [[4 * MIB, 4 * MIB - 2 * RECORD_HEADER_BYTES + 1], 2],
    // One record is always taken, however large it is.
    [[9 * MIB, 1], 2],
  ] as const) {
    let writes = 0;
    const onWrite = () => {
      writes += 1;
    };
    const writer = openWriter(async () => undefined, { segmentBytesMax: 1e9, onWrite });
    await Promise.all(sizes.map((size, id) => writer.append(id as BlobId, Buffer.alloc(size))));
    assert.equal(writes, written);
    await writer.close();
  }
});

test('a group of a mebibyte is written at once, and a larger one in the pool', async () => {
  const MIB = 1024 * 1024;
  const ways: string[] = [];
  const writer = openWriter(async () => undefined, {
    segmentBytesMax: 1e9,
    onWrite: (how) => ways.push(how),
  });
  for (const size of [MIB - RECORD_HEADER_BYTES, MIB - RECORD_HEADER_BYTES + 1]) {
    await writer.append(1 as BlobId, Buffer.alloc(size));
  }
  assert.deepEqual(ways, ['now', 'pool']);
  await writer.close();
});

test('a segment is filled to its last byte, and the next record begins another', async () => {
  let rolls = 0;
  const groups: number[][] = [];
  const segmentBytesMax = 32 + 2 * (RECORD_HEADER_BYTES + 10);
  const writer = openWriter(async () => undefined, {
    segmentBytesMax,
    onRoll: () => {
      rolls += 1;
    },
    onGroup: (...group) => groups.push(group),
  });
  const append = () => writer.append(1 as BlobId, Buffer.alloc(10));
  const [first, second] = [await append(), await append()];
  assert.equal(rolls, 1);
  assert.notEqual(first.location, second.location);
  assert.equal(second.segment.endBytes, segmentBytesMax);
  assert.deepEqual(
    [second.segment.unpublished, second.segment.liveBytes],
    [2, 2 * (RECORD_HEADER_BYTES + 10)],
  );
  await append();
  assert.equal(rolls, 2);
  assert.deepEqual(groups, [
    [1, 10],
    [1, 10],
    [1, 10],
  ]);
  await writer.close();
});

test('only what a failed write left is cut when a segment is left, and a failed cut is told', async () => {
  const recordBytes = RECORD_HEADER_BYTES + 10;
  for (const isFailing of [false, true]) {
    for (const isSyncFailing of isFailing ? [false, true] : [false]) {
      const cuts: number[] = [];
      let writes = 0;
      const writer = openWriter(
        () =>
          isSyncFailing && cuts.length > 0 ? Promise.reject(new Error('i/o')) : Promise.resolve(),
        {
          segmentBytesMax: 32 + recordBytes,
          onTruncate: (sizeBytes) => cuts.push(sizeBytes),
          onWrite: () => {
            writes += 1;
            if (isFailing && writes === 1) throw new Error('no space');
          },
        },
      );
      const append = (length: number) => writer.append(1 as BlobId, Buffer.alloc(length));
      if (isFailing) await assert.rejects(append(10), /no space/);
      else await append(10);
      // It does not fit into the first segment.
      if (isSyncFailing) await assert.rejects(append(11), /the sync failed/);
      else await append(11);
      assert.deepEqual(cuts, isFailing ? [32] : []);
      await writer.close();
    }
  }
});
