/** Proves that what comes by the thousand is said once a minute, with how often it came. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock } from '../../tests/world/fake-clock.ts';
import { Occasions } from './occasions.ts';

test('the first is told at once, the rest once a minute with their count', () => {
  const clock = new FakeClock();
  const lines: unknown[] = [];
  const warn = (facts: unknown, sentence?: string) =>
    void lines.push({ ...(facts as object), sentence });
  const log = { warn };
  const occasions = new Occasions({ log, after: (ms, run) => clock.after(ms, run) });
  const told = () => lines.splice(0);
  for (let at = 0; at < 1000; at += 1) occasions.warn({ at }, 'refused', 'a');
  occasions.warn({ at: 'b' }, 'refused', 'b');
  assert.deepEqual(told(), [
    { at: 0, count: 1, sentence: 'refused' },
    { at: 'b', count: 1, sentence: 'refused' },
  ]);
  clock.advance(60_000);
  assert.deepEqual(told(), [{ at: 999, count: 999, sentence: 'refused' }]);
  clock.advance(600_000);
  assert.deepEqual(told(), []);
  occasions.warn({ at: 'again' }, 'refused', 'a');
  assert.deepEqual(told(), [{ at: 'again', count: 1, sentence: 'refused' }]);
});
