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

test('who waits with most gives up the newest place to who waits with less', async () => {
  const gate = new Gate({ atOnceMax: 1, waitingMax: 3 });
  const first = controlled();
  const running = gate.run(first.run, { owner: 'much' });
  const begun: string[] = [];
  const wait = (name: string, owner?: string) => gate.run(async () => begun.push(name), { owner });
  const waiting = ['one', 'two', 'three'].map((name) => wait(name, 'much'));
  await assert.rejects(wait('four', 'much'), GateFullError);
  const little = wait('little', 'little');
  await assert.rejects(waiting[2] ?? assert.fail(), GateFullError);
  const nobody = wait('nobody');
  await assert.rejects(waiting[1] ?? assert.fail(), GateFullError);
  await assert.rejects(wait('too late'), GateFullError);
  await assert.rejects(wait('little again', 'little'), GateFullError);
  first.resolve('done');
  await Promise.all([running, waiting[0], little, nobody]);
  assert.deepEqual(begun, ['one', 'little', 'nobody']);
});

test('owners have their turns one after the other, however much each of them wants', async () => {
  const gate = new Gate({ atOnceMax: 1, waitingMax: 10 });
  const first = controlled();
  const running = gate.run(first.run, { owner: 'a' });
  const begun: string[] = [];
  const wait = (name: string) => gate.run(async () => begun.push(name), { owner: name[0] });
  const waiting = ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'].map(wait);
  first.resolve('done');
  await Promise.all([running, ...waiting]);
  assert.deepEqual(begun, ['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
});
