/** Proves what every command promises: exit codes, one document by `--json`, no stacks. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runLine } from '../../tests/world/cli-line.ts';
import { ERROR_CODES, ServiceError } from '../core/errors.ts';
import { StoreFailure } from '../core/ports/store-failure.ts';
import { DataDirectoryError } from '../engines/data-directory/data-directory-error.ts';
import type { RunningServer } from './cli-world.ts';
import { EXIT_CODES_OF_ERRORS } from './exit-codes.ts';

const root = mkdtempSync(join(tmpdir(), 'pinfold-cli-'));
after(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
function freshDirectory(): string {
  made += 1;
  const directory = join(root, `case-${made}`);
  mkdirSync(directory);
  return directory;
}

function run(...argv: readonly string[]) {
  return runLine({ directory: freshDirectory(), argv });
}

/** A directory that looks as after a first start, without a server. */
function filledDirectory(): string {
  const directory = freshDirectory();
  mkdirSync(join(directory, 'data', 'run'), { recursive: true });
  writeFileSync(join(directory, 'data', 'FORMAT'), 'pinfold 1\n');
  return directory;
}

test('help and version are results and end well', async () => {
  for (const argv of [['--help'], ['admin', 'accounts', '--help'], ['help', 'serve']]) {
    const { exitCode, result, notes } = await run(...argv);
    assert.equal(exitCode, 0);
    assert.match(result, /Usage: pinfold/);
    assert.equal(notes, '');
  }
  const version = await run('--version');
  assert.equal(version.exitCode, 0);
  assert.match(version.result, /^\d+\.\d+\.\d+\n$/);
});

test('a wrong command line is a usage failure, said on the side of people', async () => {
  const lines = [
    ['srve'],
    ['serve', '--fast'],
    ['serve', 'extra'],
    ['admin', 'accounts', 'show'],
    ['admin', 'accounts', 'list', '--limit', '0'],
    ['admin', 'accounts', 'list', '--limit', 'many'],
    ['admin', 'accounts', 'limits', 'ann'],
    ['admin', 'accounts', 'limits', 'ann', '--storage', 'lots'],
    ['admin', 'accounts', 'limits', 'ann', '--storage', '10000TB'],
    ['admin', 'accounts', 'limits', 'ann', '--buckets', '-1'],
    ['keys', 'create'],
    ['keys', 'create', '--account', 'ann', '--format', 'xml'],
    ['keys', 'list'],
    ['keys', 'revoke'],
    ['admin', 'tokens', 'create', 'ann'],
    ['admin', 'tokens', 'list'],
    ['admin', 'tokens', 'revoke', 'ann'],
    ['admin', 'tokens', 'create', 'ann', '--name', 'n', '--scope', 'everything'],
    ['admin', 'tokens', 'create', 'ann', '--name', 'n', '--expires-in-days', '0'],
  ];
  for (const argv of lines) {
    const { exitCode, result, notes } = await run(...argv);
    assert.equal(exitCode, 2, argv.join(' '));
    assert.equal(result, '');
    assert.match(notes, /^pinfold: .+\n {2}.+\n$/, argv.join(' '));
    assert.doesNotMatch(notes, /\n\s+at /);
  }
});

test('a mistyped command is answered with the one that was meant', async () => {
  const { notes } = await run('srve');
  assert.match(notes, /Did you mean serve\?/);
});

test('no command shows the help and is a usage failure', async () => {
  for (const argv of [[], ['admin'], ['admin', 'tokens']]) {
    const { exitCode, result, notes } = await run(...argv);
    assert.equal(exitCode, 2);
    assert.equal(result, '');
    assert.match(notes, /Usage: pinfold/);
  }
});

test('with --json a failure is one document, wherever the word stands', async () => {
  const lines = [
    ['--json', 'srve'],
    ['admin', 'accounts', 'show', '--json'],
    ['config', '--json', '--nonsense'],
    ['admin', '--json'],
    ['admin', 'accounts', 'list', '--json'],
  ];
  for (const argv of lines) {
    const { exitCode, result } = await run(...argv);
    assert.ok(exitCode === 2 || exitCode === 3, argv.join(' '));
    const document = JSON.parse(result);
    assert.deepEqual(Object.keys(document), ['error']);
    assert.deepEqual(Object.keys(document.error), ['code', 'message', 'hint', 'requestId']);
  }
});

test('config prints every value with its origin and no password', async () => {
  const directory = freshDirectory();
  writeFileSync(join(directory, 'pinfold.toml'), 'region = "eu"\n');
  const variables = { PINFOLD_DATABASE_URL: 'postgres://me:hunter2@db/pinfold' };
  const { exitCode, result } = await runLine({ directory, argv: ['config'], variables });
  assert.equal(exitCode, 0);
  assert.match(result, /PINFOLD_REGION +eu +file \(region in .*pinfold\.toml\)\n/);
  assert.match(result, /PINFOLD_DATABASE_URL +postgres:\/\/me:\*\*\*@db\/pinfold +env\n/);
  assert.match(result, /PINFOLD_API_PORT +8080 +default\n/);
  assert.doesNotMatch(result, /hunter2/);
});

test('config --json is one document', async () => {
  const { exitCode, result, notes } = await run('config', '--json');
  assert.equal(exitCode, 0);
  assert.equal(notes, '');
  const { settings } = JSON.parse(result);
  const port = settings.find((setting: { name: string }) => setting.name === 'API_PORT');
  assert.deepEqual(port, {
    name: 'API_PORT',
    variable: 'PINFOLD_API_PORT',
    value: '8080',
    origin: 'default',
    source: null,
  });
});

test('a refused configuration ends every command with the setting and the remedy', async () => {
  const variables = { PINFOLD_API_PRT: '1', PINFOLD_DATADIR: 'x' };
  for (const argv of [['config'], ['serve'], ['admin', 'accounts', 'list']]) {
    const directory = freshDirectory();
    const { exitCode, notes } = await runLine({ directory, argv, variables });
    assert.equal(exitCode, 2);
    assert.match(notes, /PINFOLD_API_PRT is not a setting\. Did you mean PINFOLD_API_PORT\?/);
    assert.match(notes, /PINFOLD_DATADIR is not a setting\. Did you mean PINFOLD_DATA_DIR\?/);
  }
});

test('admin without a data directory makes none', async () => {
  const { exitCode, notes } = await run('admin', 'accounts', 'list');
  assert.equal(exitCode, 3);
  assert.match(notes, /no data directory at .*data\.\n {2}Start the server once/);
});

test('admin while the store is held but no socket answers says so', async () => {
  const composeAdministration = () =>
    Promise.reject(
      new DataDirectoryError('locked', { message: 'It is in use.', remedy: 'Stop it.' }),
    );
  const { exitCode, notes } = await runLine({
    directory: filledDirectory(),
    argv: ['admin', 'accounts', 'list'],
    composition: { composeAdministration },
  });
  assert.equal(exitCode, 6);
  assert.equal(notes, 'pinfold: It is in use.\n  Stop it.\n');
});

test('every operating error has an exit code and no stack; a fault of ours keeps it', async () => {
  for (const code of ERROR_CODES) {
    const composeAdministration = () => Promise.reject(new ServiceError(code, 'It failed.'));
    const { exitCode, notes } = await runLine({
      directory: filledDirectory(),
      argv: ['admin', 'accounts', 'list'],
      composition: { composeAdministration },
    });
    assert.equal(exitCode, EXIT_CODES_OF_ERRORS[code]);
    assert.notEqual(exitCode, 0);
    assert.doesNotMatch(notes, /\n\s+at /);
  }
  const fault = await runLine({
    directory: filledDirectory(),
    argv: ['admin', 'accounts', 'list'],
    composition: { composeAdministration: () => Promise.reject(new TypeError('oh')) },
  });
  assert.equal(fault.exitCode, 1);
  assert.match(fault.notes, /fault of Pinfold[\s\S]*\n\s+at /);
});

/** A server that only notes what is done to it. */
function fakeServer(failed: Promise<StoreFailure> = new Promise(() => undefined)) {
  const closings: number[] = [];
  const server: RunningServer = {
    addresses: {
      api: 'http://127.0.0.1:8080',
      s3: 'http://localhost:9000',
      metrics: 'http://127.0.0.1:9100',
      adminSocket: '/s',
    },
    failed,
    close: async ({ graceMs }) => {
      closings.push(graceMs);
    },
  };
  return { server, closings };
}

test('serve says where to go, drains when it is told to stop, and ends well', async () => {
  const { server, closings } = fakeServer();
  const { exitCode, result, notes } = await runLine({
    directory: freshDirectory(),
    argv: ['serve'],
    variables: { PINFOLD_SHUTDOWN_GRACE_MS: '1234', PINFOLD_PUBLIC_URL: 'https://files.example' },
    composition: { composeServer: async () => server },
    untilStopped: () => Promise.resolve(),
  });
  assert.equal(exitCode, 0);
  assert.deepEqual(closings, [1234]);
  assert.equal(result, '');
  assert.match(notes, /https:\/\/files\.example\n[\s\S]*data\n[\s\S]*First steps/);
});

test('serve ends as a failure when the store fails, after closing', async () => {
  const { server, closings } = fakeServer(
    Promise.resolve(new StoreFailure('blobs_sync', new Error('EIO: i/o error, fdatasync'))),
  );
  const { exitCode, notes } = await runLine({
    directory: freshDirectory(),
    argv: ['serve'],
    composition: { composeServer: async () => server },
  });
  assert.equal(exitCode, 1);
  assert.deepEqual(closings, [10_000]);
  assert.match(notes, /had to stop: the disk failed to sync blobs \(EIO: i\/o error, fdatasync\)/);
});

test('serve that cannot listen names the setting', async () => {
  const busy = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: 8080 });
  const { exitCode, notes } = await runLine({
    directory: freshDirectory(),
    argv: ['serve'],
    composition: { composeServer: () => Promise.reject(busy) },
  });
  assert.equal(exitCode, 1);
  assert.match(notes, /port 8080 already\.\n.*PINFOLD_API_PORT/);
});
