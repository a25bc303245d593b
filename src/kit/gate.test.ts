/** Proves that a gate runs few at once, in order, and refuses what would wait too long. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate, GateFullError } from './gate.ts';

function controlled() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  return { run: () => promise, resolve, reject };
}

test('what waits runs in order, one for each that ends, and the rest is refused at once', async () => {
  const gate = new Gate({ atOnceMax: 1, waitingMax: 2 });
  const begun: string[] = [];
  const first = controlled();
  const running = gate.run(first.run);
  const second = gate.run(async () => begun.push('second'));
  const third = gate.run(async () => begun.push('third'));
  await assert.rejects(gate.run(first.run), GateFullError);
  assert.deepEqual(begun, []);
  first.resolve('done');
  assert.equal(await running, 'done');
  await Promise.all([second, third]);
  assert.deepEqual(begun, ['second', 'third']);
  assert.equal(await gate.run(async () => 'free again'), 'free again');
});

test('work that fails frees its place', async () => {
  const gate = new Gate({ atOnceMax: 1, waitingMax: 0 });
  const first = controlled();
  const running = gate.run(first.run);
  await assert.rejects(gate.run(first.run), GateFullError);
  first.reject(new Error('failed'));
  await assert.rejects(running, /failed/);
  assert.equal(await gate.run(async () => 1), 1);
});

test('who gives up leaves the queue, and their place is free for others', async () => {
  const gate = new Gate({ atOnceMax: 1, waitingMax: 1 });
  const first = controlled();
  const running = gate.run(first.run);
  const stop = new AbortController();
  const waiting = gate.run(async () => assert.fail('must not run'), { signal: stop.signal });
  stop.abort(new Error('gone'));
  await assert.rejects(waiting, /gone/);
  const next = gate.run(async () => 'next');
  first.resolve('done');
  await running;
  assert.equal(await next, 'next');
  await assert.rejects(
    gate.run(async () => 1, { signal: stop.signal }),
    /gone/,
  );
});
