/** Proves how long a body may take, and that only time counts in which the server would read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../../tests/world/fake-clock.ts';
import type { ServiceError } from '../../core/errors.ts';
import { type BodyTerms, BodyWatch } from './body-watch.ts';

function watched(terms: BodyTerms = {}) {
  const clock = new FakeClock();
  const watch = new BodyWatch(clock);
  const state = { isReady: true, failures: [] as string[] };
  const fail = ({ code }: ServiceError) => void state.failures.push(code);
  const pace = watch.begin({ ...terms, isReady: () => state.isReady, fail });
  return { clock, watch, state, pace };
}

test('a body of less than a KiB a second over a minute is too slow', () => {
  const { clock, state, pace } = watched();
  for (let minute = 0; minute < 3; minute += 1) {
    pace.add(60 * 1024);
    clock.advance(60_000);
  }
  assert.deepEqual(state.failures, []);
  pace.add(60 * 1024 - 1);
  clock.advance(59_000);
  assert.deepEqual(state.failures, []);
  clock.advance(1000);
  assert.deepEqual(state.failures, ['body_too_slow']);
  clock.advance(600_000);
  assert.equal(state.failures.length, 1);
});

test('time in which the server does not read is not the sender’s', () => {
  const { clock, state } = watched({ withinMs: 30_000 });
  state.isReady = false;
  clock.advance(3_600_000);
  state.isReady = true;
  clock.advance(29_000);
  assert.deepEqual(state.failures, []);
  clock.advance(1000);
  assert.deepEqual(state.failures, ['body_too_slow']);
});

test('what must come soon may take its time once it has come', () => {
  let isOver = false;
  const { clock, state, pace } = watched({ withinMs: 60_000, isOver: () => isOver });
  clock.advance(59_000);
  isOver = true;
  pace.add(1e6);
  clock.advance(59_000);
  assert.deepEqual(state.failures, []);
});

test('a body that has ended is looked at no more, and one that comes later is', () => {
  const { clock, watch, state, pace } = watched();
  pace.end();
  clock.advance(120_000);
  assert.deepEqual(state.failures, []);
  const fail = () => void state.failures.push('later');
  watch.begin({ isReady: () => true, fail });
  clock.advance(60_000);
  assert.deepEqual(state.failures, ['later']);
});
