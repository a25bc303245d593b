/** The group writer forgets nobody, whenever a record comes, and tells all of a failure. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { BlobId } from '../../../core/ids.ts';
import type { DiskFile, DiskIo } from './disk-io.ts';
import { LoopPace } from './loop-pace.ts';
import { Segment } from './segment.ts';
import { SegmentWriter } from './segment-writer.ts';
import { Warmth } from './warmth.ts';

function openWriter(
  syncBytes: () => Promise<void>,
  options: { readonly segmentBytesMax?: number; readonly onRoll?: () => void } = {},
): SegmentWriter {
  const length = (chunks: readonly Uint8Array[]) =>
    chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0);
  const file: DiskFile = {
    write: async (chunks) => length(chunks),
    writeNow: length,
    read: async () => 0,
    syncBytes,
    sizeBytes: async () => 0,
    truncate: async () => undefined,
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
    failSync: (error) => error,
    onGroup: () => undefined,
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
