/** Proves that the admin socket and the store itself answer alike, and only its owner gets in. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { AdminServer } from '../../src/dialects/admin/admin-server.ts';
import type { Administration } from '../../src/dialects/admin/administration.ts';
import { storeAdministration } from '../../src/dialects/admin/store-administration.ts';
import type { Upkeep } from '../../src/dialects/admin/upkeep.ts';
import { runLine } from '../world/cli-line.ts';
import { openIdentityWorld, refusedAs, signIn } from '../world/identity-world.ts';
import { walletOf } from '../world/wallets.ts';

const root = mkdtempSync(join(tmpdir(), 'pinfold-admin-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** Proved by tests of its own. */
const NO_UPKEEP: Upkeep = {
  verify: () => Promise.reject(new Error('the test verifies nothing')),
  backup: () => Promise.reject(new Error('the test backs nothing up')),
};

let made = 0;
/** A store with Ann in it, and a served data directory that looks as after a first start. */
async function openServed(options: { readonly folder?: string } = {}) {
  made += 1;
  const directory = join(root, options.folder ?? `case-${made}`);
  mkdirSync(join(directory, 'data', 'run'), { recursive: true });
  writeFileSync(join(directory, 'data', 'FORMAT'), 'pinfold 1\n');
  const world = await openIdentityWorld();
  const administration = storeAdministration(world);
  const ann = await administration.createAccount({ username: 'Ann' });
  const socketFile = join(directory, 'data', 'run', 'admin.sock');
  const faults: object[] = [];
  const open = (served: Administration = administration) =>
    AdminServer.open(
      {
        administration: served,
        upkeep: NO_UPKEEP,
        clock: world.clock,
        newRequestId: () => 'R1',
        log: { error: (facts) => void faults.push(facts) },
      },
      { socketFile },
    );
  return { directory, world, administration, ann, socketFile, open, faults };
}

/** What the client of the socket, and the store itself, both must do. */
async function assertAdministers(admin: Administration, userId: string): Promise<void> {
  const shown = await admin.getAccount(userId);
  assert.equal(shown.username, 'Ann');
  assert.equal(shown.stored_bytes, 0);
  assert.deepEqual(shown.limits, { storage_bytes: null, egress_bytes: null, buckets: null });
  for (const name of [shown.account, 'ann', 'ANN']) {
    assert.deepEqual(await admin.getAccount(name), shown);
  }

  const limited = await admin.changeLimits('ann', { storage_bytes: 5_000_000_000, buckets: 0 });
  assert.deepEqual(limited.limits, {
    storage_bytes: 5_000_000_000,
    egress_bytes: null,
    buckets: 0,
  });
  const unlimited = await admin.changeLimits('ann', { storage_bytes: null });
  assert.deepEqual(unlimited.limits, { storage_bytes: null, egress_bytes: null, buckets: 0 });

  assert.notEqual((await admin.disableAccount('ann')).disabled_at, null);
  assert.equal((await admin.enableAccount('ann')).disabled_at, null);
  assert.equal((await admin.addOperator('ann')).role, 'operator');
  assert.equal((await admin.removeOperator('ann')).role, 'user');
  await admin.endSessions('ann');

  const token = await admin.createToken('ann', {
    name: 'backup',
    scopes: ['files:read'],
    expires_in_days: 30,
  });
  assert.match(token.token, /^pft_/);
  assert.deepEqual(token.scopes, ['files:read']);
  assert.notEqual(token.expires_at, null);
  await assert.rejects(admin.createToken('ann', { name: 'backup' }), refusedAs('token_name_taken'));

  const second = await admin.createToken('ann', { name: 'a/b %' });
  const { tokens } = await admin.listTokens('ann');
  const shownOf = new Map(tokens.map(({ name, created_at: _at, ...rest }) => [name, rest]));
  const asMade = { expires_at: token.expires_at, ip_allowlist: [], last_used_at: null };
  assert.deepEqual(shownOf.get('backup'), {
    ...asMade,
    prefix: token.token.slice(0, 8),
    scopes: ['files:read'],
  });
  assert.deepEqual(shownOf.get('a/b %'), {
    ...asMade,
    expires_at: null,
    prefix: second.token.slice(0, 8),
    scopes: ['files:read', 'files:write'],
  });
  assert.deepEqual(await admin.revokeToken('ann', 'a/b %'), { name: 'a/b %', revoked: true });
  await assert.rejects(admin.revokeToken('ann', 'a/b %'), refusedAs('token_not_found'));
  assert.equal((await admin.listTokens('ann')).tokens.length, 1);

  await assert.rejects(admin.getAccount('nobody'), refusedAs('account_not_found'));
  await assert.rejects(admin.getAccount('a/../b?c#d %'), refusedAs('account_not_found'));
  await assert.rejects(admin.createAccount({ username: 'ann' }), refusedAs('username_taken'));
  await assert.rejects(admin.createAccount({ username: '?' }), refusedAs('username_invalid'));
  await assert.rejects(admin.listAccounts({ after: 'x', limit: 10 }), refusedAs('invalid_cursor'));

  const { entries } = await admin.listAudit({ account: 'ann', limit: 4 });
  assert.deepEqual(
    entries.map(({ action, actor, subject }) => [action, actor, subject]),
    [
      ['token.revoked', 'admin', 'a/b %'],
      ['token.created', 'admin', 'a/b %'],
      ['token.created', 'admin', 'backup'],
      ['session.ended', 'admin', null],
    ],
  );
}

test('the store itself administers', async () => {
  const { administration, ann } = await openServed();
  await assertAdministers(administration, ann.user_id);
});

test('the socket administers alike', async () => {
  const { open, socketFile, ann } = await openServed();
  await using _server = await open();
  await assertAdministers(adminClient(socketFile), ann.user_id);
});

test('pages of accounts hold each once, in order', async () => {
  const { open, socketFile, administration, world } = await openServed();
  await using _server = await open();
  for (const username of ['bob', 'cat', 'dan']) {
    // User ids are in order of the millisecond that made them.
    world.clock.advance(1);
    await administration.createAccount({ username });
  }
  const names: (string | null)[] = [];
  let position: string | undefined;
  do {
    const page = await adminClient(socketFile).listAccounts({ after: position, limit: 3 });
    names.push(...page.accounts.map((account) => account.username));
    position = page.next_after ?? undefined;
  } while (position !== undefined);
  assert.deepEqual(names, ['Ann', 'bob', 'cat', 'dan']);
});

test('an account is found by its wallet', async () => {
  const { open, socketFile, world } = await openServed();
  await using _server = await open();
  const wallet = walletOf('admin');
  await signIn(world, wallet);
  const found = await adminClient(socketFile).getAccount(wallet.address);
  assert.equal(found.wallet_public_key, wallet.address);
});

test('only the owner may open the socket, and it is gone when the server is', async () => {
  const { open, socketFile } = await openServed();
  const server = await open();
  assert.equal(statSync(socketFile).mode & 0o777, 0o600);
  await server[Symbol.asyncDispose]();
  assert.throws(() => statSync(socketFile), { code: 'ENOENT' });
});

test('a socket left by a dead process is replaced', async () => {
  const { open, socketFile } = await openServed();
  writeFileSync(socketFile, '');
  await using _server = await open();
  assert.equal((await adminClient(socketFile).getAccount('ann')).username, 'Ann');
});

test('a data directory deeper than socket addresses reach is served all the same', {
  skip: process.platform !== 'linux' && 'only Linux reaches sockets by an open directory',
}, async () => {
  const { open, socketFile } = await openServed({ folder: join('d'.repeat(100), 'e'.repeat(100)) });
  const server = await open();
  assert.equal(statSync(socketFile).mode & 0o777, 0o600);
  assert.equal((await adminClient(socketFile).getAccount('ann')).username, 'Ann');
  await server[Symbol.asyncDispose]();
  assert.throws(() => statSync(socketFile), { code: 'ENOENT' });
});

test('malformed calls are refused in the one error shape', async () => {
  const { open, socketFile } = await openServed();
  await using _server = await open();
  const calls: readonly [string, string, string | undefined, number, string][] = [
    ['GET', '/admin/v1/nothing', undefined, 404, 'no_such_call'],
    ['DELETE', '/admin/v1/accounts/ann', undefined, 404, 'no_such_call'],
    ['POST', '/admin/v1/accounts', '{"username":7}', 400, 'invalid_field'],
    ['POST', '/admin/v1/accounts', '{"username":', 400, 'invalid_field'],
    ['PATCH', '/admin/v1/accounts/ann/limits', '{"storage_bytes":-1}', 400, 'invalid_field'],
    ['PATCH', '/admin/v1/accounts/ann/limits', '{"storage_bytes":1e300}', 400, 'invalid_field'],
    ['GET', '/admin/v1/accounts?limit=0', undefined, 400, 'invalid_field'],
    ['POST', '/admin/v1/accounts', `{"username":"${'a'.repeat(70_000)}"}`, 413, 'invalid_field'],
  ];
  for (const [method, path, body, status, code] of calls) {
    const answer = await exchange(socketFile, { method, path, body });
    assert.equal(answer.status, status, `${method} ${path}`);
    const document = JSON.parse(answer.body);
    assert.equal(document.code, code);
    assert.equal(document.requestId, 'R1');
  }
});

test('a fault of ours is logged, and told by its request id alone', async () => {
  const { open, directory, administration, faults } = await openServed();
  const getAccount = () => Promise.reject(new TypeError('inner words'));
  await using _server = await open({ ...administration, getAccount });
  const { exitCode, result } = await runLine({
    directory,
    argv: ['admin', 'accounts', 'show', 'ann', '--json'],
  });
  assert.equal(exitCode, 5);
  assert.equal(JSON.parse(result).error.requestId, 'R1');
  assert.doesNotMatch(result, /inner words/);
  assert.equal(faults.length, 1);
});

test('the commands go over the socket while a server runs', async () => {
  const { open, directory } = await openServed();
  await using _server = await open();
  const run = (...argv: readonly string[]) => runLine({ directory, argv: ['admin', ...argv] });

  const list = await run('accounts', 'list');
  assert.equal(list.exitCode, 0);
  assert.match(list.result, /^USER ID +ACCOUNT +NAME[\s\S]*Ann/);
  const limits = await run(
    'accounts',
    'limits',
    'ann',
    '--storage',
    '2GiB',
    '--egress',
    'default',
    '--json',
  );
  assert.equal(JSON.parse(limits.result).limits.storage_bytes, 2 * 1024 ** 3);
  const operator = await run('operator', 'add', 'ann', '--json');
  assert.equal(JSON.parse(operator.result).role, 'operator');
  const token = await run(
    'tokens',
    'create',
    'ann',
    '--name',
    'ci',
    '--scope',
    'files:read',
    'files:write',
  );
  assert.equal(token.exitCode, 0);
  assert.match(token.result, /^pft_\S+\n$/);
  assert.match(token.notes, /files:read files:write/);
  const shown = await run('tokens', 'list', 'ann');
  assert.match(shown.result, /^NAME +TOKEN[\s\S]*ci +pft_\w+… +files:read files:write +anywhere/);
  assert.doesNotMatch(shown.result, new RegExp(token.result.trim()));
  assert.equal((await run('tokens', 'revoke', 'ann', '--name', 'ci')).exitCode, 0);
  assert.equal((await run('tokens', 'revoke', 'ann', '--name', 'ci')).exitCode, 3);
  const created = await run('accounts', 'create', 'bob');
  assert.match(created.result, /^pfk_\S+\n$/);
  const audit = await run('audit', 'bob', '--json');
  assert.equal(JSON.parse(audit.result).entries[0].action, 'account.created');

  const missing = await run('accounts', 'show', 'nobody', '--json');
  assert.equal(missing.exitCode, 3);
  const { error } = JSON.parse(missing.result);
  assert.equal(error.code, 'account_not_found');
  assert.equal(error.requestId, 'R1');
  assert.equal((await run('accounts', 'create', 'bob')).exitCode, 6);
});

test('the commands open the store themselves when no server runs', async () => {
  const { directory, administration } = await openServed();
  let isClosed = false;
  const composeAdministration = async () => ({
    ...administration,
    [Symbol.asyncDispose]: async () => {
      isClosed = true;
    },
  });
  const { exitCode, result } = await runLine({
    directory,
    argv: ['admin', 'accounts', 'show', 'ann', '--json'],
    composition: { composeAdministration },
  });
  assert.equal(exitCode, 0);
  assert.equal(JSON.parse(result).username, 'Ann');
  assert.equal(isClosed, true);
});

test('a server that hangs up in the middle is not mistaken for none', async () => {
  const { directory, socketFile } = await openServed();
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(socketFile, resolve));
  after(() => server.close());
  const { exitCode, notes } = await runLine({ directory, argv: ['admin', 'accounts', 'list'] });
  assert.equal(exitCode, 5, notes);
});

type Exchange = {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
};

async function exchange(socketPath: string, { method, path, body }: Exchange) {
  const headers: Record<string, string> =
    body === undefined ? {} : { 'content-type': 'application/json' };
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const sent = request({ socketPath, method, path, agent: false, headers }, (response) => {
    text(response).then(
      (received) => resolve({ status: response.statusCode ?? 0, body: received }),
      reject,
    );
  });
  sent.on('error', reject);
  sent.end(body);
  return await promise;
}
