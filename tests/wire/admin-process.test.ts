/** Proves how the process itself behaves: first start, signals, exit codes, a killed server. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runPinfold, startPinfold } from '../world/process-line.ts';

const root = mkdtempSync(join(tmpdir(), 'pinfold-process-'));
after(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
function freshDirectory(): string {
  made += 1;
  return mkdtempSync(join(root, `case-${made}-`));
}

function admin(directory: string, ...argv: readonly string[]) {
  return runPinfold({ directory, argv: ['admin', ...argv] });
}

test('a first start makes everything private, and the first steps it prints work', async () => {
  const directory = freshDirectory();
  const { child, url, exited } = await startPinfold(directory);
  for (const file of ['FORMAT', 'lock.db', 'metadata.db', 'keys/master.key', 'run/admin.sock']) {
    assert.equal(statSync(join(directory, 'data', file)).mode & 0o077, 0, file);
  }
  const signedUp = await fetch(`${url}/users`, { method: 'POST', body: '{"username":"ann"}' });
  const { user_app_key: key } = (await signedUp.json()) as { user_app_key: string };
  const headers = { authorization: `ApiKey ${key}` };
  const body = 'a photo';
  await fetch(`${url}/upload?file_name=photo.jpg`, { method: 'POST', headers, body });
  const linked = await fetch(`${url}/createPublicLink`, {
    method: 'POST',
    headers,
    body: '{"file_name":"photo.jpg"}',
  });
  const { link_hash: hash } = (await linked.json()) as { link_hash: string };
  const read = await fetch(`${url}/publicDownload?hash=${hash}`);
  assert.equal(await read.text(), body);

  const shown = await admin(directory, 'accounts', 'show', 'ann', '--json');
  assert.equal(JSON.parse(shown.result).stored_bytes, body.length);
  await admin(directory, 'accounts', 'disable', 'ann');
  assert.equal((await fetch(`${url}/publicDownload?hash=${hash}`)).status, 403);
  await admin(directory, 'accounts', 'enable', 'ann');
  assert.equal((await fetch(`${url}/publicDownload?hash=${hash}`)).status, 200);

  child.kill('SIGTERM');
  assert.equal(await exited, 0);
  assert.throws(() => statSync(join(directory, 'data', 'run', 'admin.sock')), { code: 'ENOENT' });
});

test('admin commands work with a server, without one, and after kill -9', async () => {
  const directory = freshDirectory();
  const server = await startPinfold(directory);
  const created = await admin(directory, 'accounts', 'create', 'ann');
  assert.equal(created.exitCode, 0);
  assert.match(created.result, /^pfk_\S+\n$/);
  server.child.kill('SIGKILL');
  assert.equal(await server.exited, 'SIGKILL');

  const promoted = await admin(directory, 'operator', 'add', 'ann', '--json');
  assert.equal(promoted.exitCode, 0, promoted.notes);
  assert.equal(JSON.parse(promoted.result).role, 'operator');

  const again = await startPinfold(directory);
  const shown = await admin(directory, 'accounts', 'show', 'ann', '--json');
  assert.equal(JSON.parse(shown.result).role, 'operator');
  again.child.kill('SIGINT');
  assert.equal(await again.exited, 0);
});

test('a second server is refused with the code of conflicts, and the first one stays', async () => {
  const directory = freshDirectory();
  const server = await startPinfold(directory);
  const second = await runPinfold({
    directory,
    argv: ['serve'],
    variables: { PINFOLD_API_PORT: '0', PINFOLD_S3_PORT: '0', PINFOLD_METRICS_PORT: '0' },
  });
  assert.equal(second.exitCode, 6);
  assert.match(
    second.notes,
    /^pinfold: Another Pinfold process uses the data directory .*\n {2}.*\n$/,
  );
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 0);
});

test('a stop waits for requests under way, and a second signal does not', async () => {
  const directory = freshDirectory();
  const server = await startPinfold(directory, { PINFOLD_SHUTDOWN_GRACE_MS: '60000' });
  const signedUp = await fetch(`${server.url}/users`, {
    method: 'POST',
    body: '{"username":"ann"}',
  });
  const { user_app_key: key } = (await signedUp.json()) as { user_app_key: string };
  const slow = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('the first bytes')),
  });
  const upload = fetch(`${server.url}/upload?file_name=slow`, {
    method: 'POST',
    headers: { authorization: `ApiKey ${key}` },
    body: slow,
    duplex: 'half',
  });
  upload.catch(() => undefined);
  await until(async () => {
    const status = await fetch(`${server.url}/checkUploadStatus?file_name=slow`, {
      headers: { authorization: `ApiKey ${key}` },
    });
    return status.status === 200;
  });
  server.child.kill('SIGTERM');
  await until(async () => server.notes().includes('Stopping'));
  server.child.kill('SIGTERM');
  assert.equal(await server.exited, 130);
});

test('a start that cannot go on says why and what to do, without a stack', async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  after(() => taken.close());
  const address = taken.address();
  const port = typeof address === 'object' && address !== null ? String(address.port) : '';

  const newer = await initialized();
  writeFileSync(join(newer, 'data', 'FORMAT'), 'pinfold 999\n');
  const keyless = await initialized();
  rmSync(join(keyless, 'data', 'keys', 'master.key'));
  const exposed = await initialized();
  chmodSync(join(exposed, 'data', 'keys', 'master.key'), 0o644);

  const free = { PINFOLD_API_PORT: '0', PINFOLD_S3_PORT: '0', PINFOLD_METRICS_PORT: '0' };
  const cases: readonly [string, Readonly<Record<string, string>>, number, RegExp][] = [
    [freshDirectory(), { ...free, PINFOLD_API_PORT: port }, 1, /port .*PINFOLD_API_PORT/s],
    [freshDirectory(), { ...free, PINFOLD_METRICS_PORT: port }, 1, /port .*PINFOLD_METRICS_PORT/s],
    [freshDirectory(), { ...free, PINFOLD_HOST: '192.0.2.1' }, 1, /no such address.*PINFOLD_HOST/s],
    [freshDirectory(), { PINFOLD_API_PORT: 'x' }, 2, /PINFOLD_API_PORT is not/],
    [freshDirectory(), { PINFOLD_DATA_DIR: '/proc/none' }, 1, /PINFOLD_DATA_DIR/],
    [
      freshDirectory(),
      { ...free, PINFOLD_TLS_CERT_FILE: 'c', PINFOLD_TLS_KEY_FILE: 'k' },
      1,
      /no file/,
    ],
    [newer, free, 1, /format 999/],
    [keyless, free, 1, /master\.key is missing/],
    [exposed, free, 1, /chmod 600/],
  ];
  for (const [directory, variables, exitCode, words] of cases) {
    const outcome = await runPinfold({ directory, argv: ['serve'], variables });
    assert.equal(outcome.exitCode, exitCode, outcome.notes);
    assert.match(outcome.notes, words);
    assert.match(outcome.notes, /^pinfold: .+\n {2}.+\n$/);
  }
});

/** A directory with a data directory that a server has made and left. */
async function initialized(): Promise<string> {
  const directory = freshDirectory();
  const server = await startPinfold(directory);
  server.child.kill('SIGTERM');
  await server.exited;
  return directory;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await holds())) {
    assert.ok(Date.now() < deadlineMs, 'it did not come to hold in ten seconds');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
