/**
 * Proves that calls are read from a trace also where threads come between, and that none is
 * dropped.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSystemCalls } from './system-calls.ts';

test('a call that others interrupt is one call, from its start to its end', () => {
  const calls = parseSystemCalls(
    [
      '12    pwritev(7</d/segment>, [{iov_base="a) = 3", iov_len=6}], 1, 0) = 6',
      '13    fdatasync(7</d/segment> <unfinished ...>',
      '12    openat(AT_FDCWD</>, "/d/log", O_RDWR|O_CLOEXEC <unfinished ...>',
      '13    <... fdatasync resumed>)          = 0',
      '12    <... openat resumed>) = 9</d/log>',
      '14    fsync(9</d/log>) = -1 EIO (Input/output error)',
      '15    fdatasync(9</d/log> <unfinished ...>',
      '12    --- SIGTERM {si_signo=SIGTERM} ---',
      '12    +++ killed by SIGKILL +++',
      '',
    ].join('\n'),
  );
  const facts = calls.map(({ thread, name, path, result, startedAt, endedAt }) =>
    [thread, name, path, result, startedAt, endedAt].join(' '),
  );
  assert.deepEqual(facts, [
    '12 pwritev /d/segment 6 0 0',
    '13 fdatasync /d/segment 0 1 3',
    '12 openat /d/log 9</d/log> 2 4',
    '14 fsync /d/log -1 EIO (Input/output error) 5 5',
    '15 fdatasync /d/log ? 6 Infinity',
  ]);
});

test('what is not understood is an error', () => {
  assert.throws(() => parseSystemCalls('12 nonsense'), /not understood/);
  assert.throws(() => parseSystemCalls('12 <... read resumed>) = 0'), /has not begun/);
});
