/** Proves how many accounts an address may make in an hour, by whatever way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { walletOf } from '../world/wallets.ts';
import { assertRefused } from './http-client.ts';
import { type Service, startServer } from './service.ts';

const TRUSTING = { TRUSTED_PROXIES: '127.0.0.1' };
let count = 0;

const from = (address: string) => ({ 'x-forwarded-for': address });

async function openByName(service: Service, address: string, username = `user-${count++}`) {
  return await service.call('POST /users', { username }, from(address));
}

async function openByWallet(service: Service, address: string, name = `wallet ${count++}`) {
  const wallet = walletOf(name);
  const asked = { wallet_public_key: wallet.address };
  const { json } = await service.call('POST /auth/siws/challenge', asked, from(address));
  const signature = wallet.sign(String(json['message']));
  const answer = { ...json, ...asked, signature_b64: signature };
  return await service.call('POST /auth/siws/verify', answer, from(address));
}

test('an address makes ten accounts an hour, by name or by wallet', async () => {
  const server = await startServer({ ...TRUSTING, SIGNUPS_PER_HOUR: '10' });
  const address = (at: number) => `2001:db8::${at + 1}`;
  for (let at = 0; at < 10; at += 1) {
    const open = at % 2 === 0 ? openByName : openByWallet;
    assert.equal((await open(server, address(at))).status, 200);
  }
  for (const open of [openByName, openByWallet]) {
    const refused = await open(server, address(10));
    assertRefused(refused, 429, 'RATE_LIMIT');
    const retryAfter = Number(refused.headers['retry-after']);
    assert(retryAfter > 3000 && retryAfter <= 3600, String(retryAfter));
  }
  // Who has an account signs in, and others sign up.
  assert.equal((await openByWallet(server, address(0), 'wallet 1')).status, 200);
  assert.equal((await openByName(server, '2001:db8:0:1::1')).status, 200);
});

test('an account that was not made does not count', async () => {
  const server = await startServer({ ...TRUSTING, SIGNUPS_PER_HOUR: '2' });
  assert.equal((await openByName(server, '192.0.2.1', 'taken')).status, 200);
  for (let at = 0; at < 5; at += 1) {
    assert.equal((await openByName(server, '192.0.2.1', 'taken')).status, 409);
  }
  assert.equal((await openByName(server, '192.0.2.1')).status, 200);
  assert.equal((await openByName(server, '192.0.2.1')).status, 429);
});

test('the machine itself may make any number, and 0 lets everybody', async () => {
  const server = await startServer({ SIGNUPS_PER_HOUR: '2' });
  for (let at = 0; at < 4; at += 1) {
    assert.equal((await openByName(server, '192.0.2.1')).status, 200);
  }
  const open = await startServer({ ...TRUSTING, SIGNUPS_PER_HOUR: '0' });
  for (let at = 0; at < 12; at += 1) {
    assert.equal((await openByName(open, '192.0.2.1')).status, 200);
  }
});
