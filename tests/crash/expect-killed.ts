import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { ChildServer } from '../world/server.ts';

/** Far beyond what a life takes. */
const LIFE_MS_MAX = 30_000;

/** Waits for the server's death by `kill`; one that lives on, or ends otherwise, fails the test. */
export async function expectKilled({ exited }: ChildServer, kill: object): Promise<void> {
  const limit = new AbortController();
  const late = pause(LIFE_MS_MAX, 'never', { signal: limit.signal }).catch(() => 'never');
  const end = await Promise.race([exited, late]);
  limit.abort();
  assert.equal(end, 'SIGKILL', `killed by ${JSON.stringify(kill)}`);
}
