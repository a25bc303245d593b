/** Proves which bytes a `Range` field means; the property tests hold it against slices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isServiceError } from '../../errors.ts';
import { resolveRange } from './range.ts';

const SIZE = 10;

function spanOf(text: string | undefined, sizeBytes = SIZE) {
  const { span, isPartial } = resolveRange(text, sizeBytes);
  return isPartial ? [span.start, span.end] : 'whole';
}

test('a range is a part, also where it is all bytes; what is no range means the whole', () => {
  for (const [text, expected] of [
    [undefined, 'whole'],
    ['bytes=0-0', [0, 1]],
    ['bytes=0-9', [0, 10]],
    ['bytes=0-', [0, 10]],
    ['bytes=9-', [9, 10]],
    ['bytes=9-9', [9, 10]],
    ['bytes=5-100', [5, 10]],
    ['bytes=-1', [9, 10]],
    ['bytes=-10', [0, 10]],
    ['bytes=-11', [0, 10]],
    [' bytes=1-2 ', [1, 3]],
    ['bytes=2-1', 'whole'],
    ['bytes=20-11', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,3-4', 'whole'],
    ['items=0-1', 'whole'],
    ['', 'whole'],
  ] as const) {
    assert.deepEqual(spanOf(text), expected, text ?? 'none');
  }
  // The last bytes of nothing are all of it.
  assert.equal(spanOf('bytes=-5', 0), 'whole');
});

test('a range of which the object has no byte is refused with its size', () => {
  for (const [text, sizeBytes] of [
    ['bytes=10-', 10],
    ['bytes=10-10', 10],
    ['bytes=11-20', 10],
    ['bytes=-0', 10],
    ['bytes=-0', 0],
    ['bytes=0-', 0],
    ['bytes=0-0', 0],
  ] as const) {
    assert.throws(
      () => resolveRange(text, sizeBytes),
      (error) =>
        isServiceError(error, 'range_not_satisfiable') && error.details['sizeBytes'] === sizeBytes,
      text,
    );
  }
});
