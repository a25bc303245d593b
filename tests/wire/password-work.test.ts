/** Proves that who asks for much of the slow work of passwords is in nobody else's way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { assertRefused } from './http-client.ts';
import { openAccount, startApi } from './service.ts';

const PASSWORD = 'correct horse battery staple';

test('who makes links with passwords in a loop keeps nobody from signing in', async () => {
  const api = await startApi();
  const ann = await openAccount(api, 'ann');
  const ben = await openAccount(api, 'ben');
  const proof = { user_id: ben.userId, user_app_key: ben.appKey, new_password: PASSWORD };
  assert.equal((await api.call('POST /auth/set-password', proof)).status, 200);
  await ann.upload('file', 'bytes');
  const link = { file_name: 'file', password: 'open sesame' };
  let isOver = false;
  let refused = 0;
  const loop = async () => {
    while (!isOver) {
      const { status } = await ann.call('POST /createPublicLink', link);
      if (status !== 429) continue;
      refused += 1;
      await wait(5);
    }
  };
  const loops = Array.from({ length: 100 }, loop);
  while (refused < 50) await wait(5);
  const statuses: number[] = [];
  for (let at = 0; at < 2; at += 1) {
    const signIn = await api.call('POST /auth/login', { username: 'ben', password: PASSWORD });
    statuses.push(signIn.status);
  }
  isOver = true;
  await Promise.all(loops);
  assert.deepEqual(statuses, [200, 200]);
});

test('a link to what is not there costs no hash', async () => {
  const api = await startApi({
    change: () => ({
      passwords: { hash: () => assert.fail('it is hashed'), verify: async () => false },
    }),
  });
  const ann = await openAccount(api, 'ann');
  const absent = { file_name: 'absent', password: 'open sesame' };
  assertRefused(await ann.call('POST /createPublicLink', absent), 404, 'not_found');
});
