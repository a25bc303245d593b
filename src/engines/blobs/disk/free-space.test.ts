/** The floor of free space holds for many writers, silent ones, and clocks that go back. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { isServiceError } from '../../../core/errors.ts';
import type { TimeMs } from '../../../core/ids.ts';
import type { DiskIo } from './disk-io.ts';
import { FreeSpace } from './free-space.ts';

function openSpace(freeBytes: number) {
  const state = { freeBytes, now: 1_000_000, asked: 0 };
  const io = {
    freeBytes: async () => {
      state.asked += 1;
      return state.freeBytes;
    },
  } as unknown as DiskIo;
  const space = new FreeSpace({
    io,
    directory: '/',
    minFreeBytes: 100,
    now: () => state.now as TimeMs,
  });
  return { space, state };
}

const isFull = (error: unknown) => isServiceError(error, 'storage_full');

test('announced bytes are taken until they are written or given back, also over a second', async () => {
  const { space, state } = openSpace(1000);
  const first = await space.claim(600);
  state.now += 5000;
  await assert.rejects(async () => space.claim(600), isFull);
  first.end();
  first.end();
  const second = await space.claim(600);
  second.take(600);
  second.wrote(600);
  state.freeBytes = 400;
  state.now += 5000;
  await assert.rejects(async () => space.claim(400), isFull);
  await space.claim(300);
});

test('a writer that announced nothing is stopped at the floor', async () => {
  const { space } = openSpace(1000);
  const claim = await space.claim(0);
  for (let taken = 0; taken < 900; taken += 100) {
    claim.take(100);
    claim.wrote(100);
  }
  assert.throws(() => claim.take(1), isFull);
});

test('a clock that is set back does not freeze what is known', async () => {
  const { space, state } = openSpace(1000);
  await space.claim(0);
  state.now -= 3_600_000;
  state.freeBytes = 50;
  await assert.rejects(async () => space.claim(0), isFull);
  assert.equal(state.asked, 2);
});
