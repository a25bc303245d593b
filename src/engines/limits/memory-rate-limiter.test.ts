/** Proves that counters of requests hold a bounded number of keys, and not those at work go. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitKey, type TimeMs } from '../../core/ids.ts';
import { createMemoryRateLimiter } from './memory-rate-limiter.ts';

test('a flood of addresses makes the limiter forget the flood, not who is at work', async () => {
  const none = { credential: [], s3: [], signIn: [], signUp: [], password: [], walletAnswer: [] };
  const limiter = createMemoryRateLimiter(
    { ...none, anonymous: [{ points: 3, seconds: 600 }] },
    () => 0 as TimeMs,
  );
  const ask = (name: string) => limiter.consume('anonymous', limitKey({ name }));
  assert.equal((await ask('first'))?.remaining, 2);
  assert.equal((await ask('working'))?.remaining, 2);
  for (let at = 0; at < 19_999; at += 1) await ask(`flood ${at}`);
  assert.equal((await ask('working'))?.remaining, 1);
  for (let at = 0; at < 19_000; at += 1) await ask(`second flood ${at}`);
  assert.equal((await ask('working'))?.remaining, 0);
  assert.equal((await ask('first'))?.remaining, 2, 'it is remembered for ever');
  assert.equal((await ask('working'))?.isAllowed, false);
});
