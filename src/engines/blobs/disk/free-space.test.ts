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

const MIB = 1024 * 1024;

test('announced bytes are taken until they are written or given back, also over a second', async () => {
  const { space, state } = openSpace(1000);
  const first = await space.claim(600);
  state.now += 5000;
  await assert.rejects(async () => space.claim(600), isFull);
  first.end();
  first.end();
  const second = await space.claim(600);
  assert.equal(second.take(600), undefined);
  second.wrote(600);
  state.freeBytes = 400;
  state.now += 5000;
  await assert.rejects(async () => space.claim(400), isFull);
  await space.claim(300);
});

test('who announces much and sends little takes no room from others', async () => {
  const { space } = openSpace(100 * MIB + 100);
  const silent = await Promise.all(Array.from({ length: 152 }, () => space.claim(99 * MIB)));
  const honest = await space.claim(50 * MIB);
  for (let taken = 0; taken < 50; taken += 1) {
    await honest.take(MIB);
    honest.wrote(MIB);
  }
  await assert.rejects(async () => space.claim(51 * MIB), isFull, 'as a whole it can never fit');
  for (const claim of silent) claim.end();
  await space.claim(50 * MIB);
});

test('a claim runs as far ahead as has arrived, at most 64 MiB', async () => {
  const { space } = openSpace(1000 * MIB + 100);
  /** What another could still announce: the largest single claim, found by halving. */
  const held = () => {
    let claims = 0;
    const others = [];
    try {
      for (;;) {
        others.push(space.claim(MIB / 4));
        claims += 1;
      }
    } catch {
      for (const other of others) if (!(other instanceof Promise)) other.end();
    }
    return 1000 - claims / 4;
  };
  const claim = await space.claim(900 * MIB);
  assert.equal(held(), 0.25);
  await claim.take(10 * MIB);
  claim.wrote(10 * MIB);
  assert.equal(held(), 20);
  for (let arrived = 10; arrived < 200; arrived += 10) {
    await claim.take(10 * MIB);
    claim.wrote(10 * MIB);
  }
  assert.equal(held(), 264);
  claim.end();
  assert.equal(held(), 200);
});

test('a writer that announced nothing is stopped at the floor', async () => {
  const { space } = openSpace(1000);
  const claim = await space.claim(0);
  for (let taken = 0; taken < 900; taken += 100) {
    await claim.take(100);
    claim.wrote(100);
  }
  const { space: full } = openSpace(100);
  const other = await full.claim(0);
  await assert.rejects(async () => other.take(1), isFull);
});

test('a body under way is refused by what the system says then, not by what it said before', async () => {
  const { space, state } = openSpace(1000);
  const claim = await space.claim(0);
  await claim.take(900);
  claim.wrote(900);
  state.freeBytes = 300;
  await claim.take(200);
  await assert.rejects(async () => claim.take(1), isFull);
  assert.equal(state.asked, 3);
});

test('a clock that is set back does not freeze what is known', async () => {
  const { space, state } = openSpace(1000);
  await space.claim(0);
  state.now -= 3_600_000;
  state.freeBytes = 50;
  await assert.rejects(async () => space.claim(0), isFull);
  assert.equal(state.asked, 2);
});

test('what a body began with is its own, also when the disk has filled meanwhile', async () => {
  const { space, state } = openSpace(MIB);
  const claim = await space.claim(512 * 1024);
  state.freeBytes = 50;
  state.now += 1001;
  await assert.rejects(async () => space.claim(0), isFull);
  // Nothing ahead of it any more, and not a byte beyond.
  assert.equal(claim.take(256 * 1024), undefined);
  await assert.rejects(async () => claim.take(1), isFull);
});

test('what the system said is good for a second and no longer', async () => {
  const { space, state } = openSpace(1000);
  await space.claim(0);
  state.now += 1000;
  await space.claim(0);
  assert.equal(state.asked, 1);
  state.now += 1;
  await space.claim(0);
  assert.equal(state.asked, 2);
});

test('a body may take all down to the floor, announced or not', async () => {
  for (const announced of [0, 900]) {
    const { space } = openSpace(1000);
    const claim = await space.claim(announced);
    await claim.take(900);
    await assert.rejects(async () => claim.take(1), isFull);
    claim.end();
    await assert.rejects(async () => space.claim(901), isFull);
    await space.claim(900);
  }
});
