/** Proves that the operator's ceiling holds to the byte, and that none is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertCapacity } from './capacity.ts';

test('what is stored and what comes may reach the ceiling, and not pass it', () => {
  const capacity = { storedBytes: () => 6n, capacityBytes: 10n };
  assertCapacity(capacity, 4);
  assert.throws(() => assertCapacity(capacity, 5), { code: 'storage_full' });
  assertCapacity({ ...capacity, capacityBytes: undefined }, Number.MAX_SAFE_INTEGER);
});
