/**
 * Proves that every limit counts an address under one name, however a trusted proxy spells it, and
 * an IPv6 client by its /64.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { call } from './http-client.ts';
import { startS3 } from './s3/start-s3.ts';
import { openAccount, startServer } from './service.ts';

const POINTS = 3;
/** Four requests of one client each: the last is one too many. */
const SAME: readonly (readonly string[])[] = [
  ['2001:DB8::1', '2001:db8::1', '2001:0db8:0000::0001', '2001:db8::1%eth0'],
  ['2001:db8:1:1::1', '2001:db8:1:1::2', '2001:db8:1:1:ffff::', '2001:DB8:1:1:1:1:1:1'],
  ['9.9.9.9', '::ffff:9.9.9.9', '::FFFF:909:909', '9.9.9.9:4711'],
  // What is no address is the proxy itself.
  ['garbage', '_hidden', 'x'.repeat(5000), '0x7f.0.0.1'],
];

const TRUSTING = { TRUSTED_PROXIES: '127.0.0.1' };

type Ask = (address: string) => Promise<number>;

/** Holds one limit to the table; each row is a client of its own. */
async function assertCountedTogether(ask: Ask, refused: number): Promise<void> {
  for (const spellings of SAME) {
    const statuses: number[] = [];
    for (const address of spellings) statuses.push(await ask(address));
    const told = `${spellings.join(' ').slice(0, 100)}: ${statuses}`;
    assert.equal(statuses.filter((status) => status === refused).length, 1, told);
    assert.equal(statuses.at(-1), refused, told);
  }
}

test('anonymous reads', async () => {
  const server = await startServer({
    ...TRUSTING,
    RATE_LIMIT_ANONYMOUS_PER_SECOND: `${POINTS}`,
  });
  // The window is a second: a busy machine may need several tries to ask four times within one.
  const ask: Ask = async (address) =>
    (await server.call('GET /getTierPricing', undefined, { 'x-forwarded-for': address })).status;
  for (const spellings of SAME) {
    let isRefused = false;
    for (let turn = 0; turn < 20 && !isRefused; turn += 1) {
      const statuses = await Promise.all([...spellings, ...spellings].map(ask));
      isRefused = statuses.includes(429);
    }
    assert(isRefused, spellings.join(' '));
  }
});

test('challenges, sign-ins and sign-ups', async () => {
  const server = await startServer({ ...TRUSTING, RATE_LIMIT_SIGN_IN_PER_MINUTE: `${POINTS}` });
  for (const route of ['POST /auth/siws/challenge', 'POST /auth/login', 'POST /users']) {
    const own = await startServer({ ...TRUSTING, RATE_LIMIT_SIGN_IN_PER_MINUTE: `${POINTS}` });
    await assertCountedTogether(
      async (address) => (await own.call(route, {}, { 'x-forwarded-for': address })).status,
      429,
    );
  }
  assert.equal((await server.call('POST /auth/login', {})).status, 400);
});

test('tries of an account password and of a link password', async () => {
  const server = await startServer({ ...TRUSTING, RATE_LIMIT_PASSWORD_PER_MINUTE: `${POINTS}` });
  const ann = await openAccount(server, 'ann');
  await assertCountedTogether(async (address) => {
    const body = { username: 'ann', password: 'a wrong password' };
    return (await server.call('POST /auth/login', body, { 'x-forwarded-for': address })).status;
  }, 429);
  await ann.upload('file', 'bytes');
  const link = { file_name: 'file', password: 'the right password' };
  const { json } = await ann.call('POST /createPublicLink', link);
  const route = `GET /publicDownload?hash=${String(json['link_hash'])}`;
  await assertCountedTogether(async (address) => {
    const headers = { 'x-forwarded-for': address, 'x-link-password': 'a wrong password' };
    return (await server.call(route, undefined, headers)).status;
  }, 429);
});

test('guesses of credentials', async () => {
  const server = await startServer({
    ...TRUSTING,
    RATE_LIMIT_ANONYMOUS_PER_SECOND: `${POINTS}`,
  });
  for (const spellings of SAME) {
    let isRefused = false;
    for (let turn = 0; turn < 20 && !isRefused; turn += 1) {
      const statuses = await Promise.all(
        [...spellings, ...spellings].map(async (address) => {
          const headers = { 'x-forwarded-for': address, authorization: 'ApiKey nobody' };
          return (await server.call('GET /user/me', undefined, headers)).status;
        }),
      );
      isRefused = statuses.includes(429);
    }
    assert(isRefused, spellings.join(' '));
  }
});

test('requests of S3 without a key', async () => {
  const s3 = await startS3({ ...TRUSTING, RATE_LIMIT_S3_PER_SECOND: `${POINTS}` });
  for (const spellings of SAME) {
    let isRefused = false;
    for (let turn = 0; turn < 20 && !isRefused; turn += 1) {
      const statuses = await Promise.all(
        [...spellings, ...spellings].map(async (address) => {
          const headers = { 'x-forwarded-for': address };
          return (await call(s3.endpoint, { route: 'GET /nothing', headers })).status;
        }),
      );
      isRefused = statuses.includes(503);
    }
    assert(isRefused, spellings.join(' '));
  }
});

test('a proxy that is not declared is named in the log, once', async () => {
  const server = await startServer();
  for (const address of ['198.51.100.1', '198.51.100.2']) {
    await server.call('GET /health', undefined, { 'x-forwarded-for': address });
  }
  const warnings = server.lines.filter((line) => line.includes('PINFOLD_TRUSTED_PROXIES'));
  assert.equal(warnings.length, 1, server.lines.join(''));
  assert.equal((JSON.parse(warnings[0] ?? '') as { level: string }).level, 'warn');
});
