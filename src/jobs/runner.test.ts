/**
 * Proves that jobs run again and again, one run at a time, survive failures, and stop when told.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FakeClock } from '../../tests/world/fake-clock.ts';
import { SILENT_LOG } from '../observe/log.ts';
import { createMetrics } from '../observe/metrics.ts';
import { type Job, JobRunner } from './runner.ts';

function startRunner(...jobs: readonly Job[]) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const runner = new JobRunner({ clock, log: SILENT_LOG, metrics }, jobs);
  runner.start();
  const pass = async (ms: number) => {
    clock.advance(ms);
    await turn();
  };
  return { runner, metrics, pass };
}

test('a job runs after its pause, and again a pause after each run', async () => {
  let runs = 0;
  const { pass } = startRunner({
    name: 'a',
    everyMs: 10,
    run: async () => {
      runs += 1;
    },
  });
  await pass(9);
  assert.equal(runs, 0);
  await pass(1);
  assert.equal(runs, 1);
  await pass(10);
  await pass(10);
  assert.equal(runs, 3);
});

test('a job that takes long is not started again meanwhile, and holds no other up', async () => {
  const gate = Promise.withResolvers<void>();
  let slow = 0;
  let quick = 0;
  const { pass } = startRunner(
    {
      name: 'slow',
      everyMs: 10,
      run: async () => {
        slow += 1;
        await gate.promise;
      },
    },
    {
      name: 'quick',
      everyMs: 10,
      run: async () => {
        quick += 1;
      },
    },
  );
  for (let count = 0; count < 5; count += 1) await pass(10);
  assert.deepEqual([slow, quick], [1, 5]);
  gate.resolve();
  await turn();
  await pass(10);
  assert.equal(slow, 2);
});

test('a job that fails is counted, and runs again', async () => {
  let runs = 0;
  const { pass, metrics } = startRunner({
    name: 'frail',
    everyMs: 10,
    run: async () => {
      runs += 1;
      if (runs === 1) throw new Error('once');
    },
  });
  await pass(10);
  await pass(10);
  assert.equal(runs, 2);
  const text = await metrics.render();
  assert.match(text, /pinfold_job_runs_total\{job="frail",outcome="failed"\} 1/);
  assert.match(text, /pinfold_job_runs_total\{job="frail",outcome="done"\} 1/);
});

test('closing tells the run under way to stop, waits for it, and starts no other', async () => {
  let runs = 0;
  let isDone = false;
  const { runner, pass } = startRunner({
    name: 'a',
    everyMs: 10,
    run: async (signal) => {
      runs += 1;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      await turn();
      isDone = true;
    },
  });
  await pass(10);
  await runner[Symbol.asyncDispose]();
  assert.equal(isDone, true);
  await pass(100);
  assert.equal(runs, 1);
});
