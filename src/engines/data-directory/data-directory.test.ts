/** Proves that a data directory is made whole and private, and never opened twice or half. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { parseMasterKeys } from '../../kit/keyring.ts';
import { systemRandom } from '../random/system-random.ts';
import { openDataDirectory } from './data-directory.ts';
import { DataDirectoryError, type DataDirectoryFault } from './data-directory-error.ts';

const root = mkdtempSync(join(tmpdir(), 'pinfold-data-'));
after(() => rmSync(root, { recursive: true, force: true }));

let made = 0;
function freshSettings() {
  made += 1;
  const dataDirectory = join(root, `case-${made}`, 'data');
  return { dataDirectory, masterKeyFile: join(dataDirectory, 'keys', 'master.key') };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

type Settings = ReturnType<typeof freshSettings>;

async function initialize(settings: Settings): Promise<void> {
  await (await openDataDirectory(systemRandom, settings))[Symbol.asyncDispose]();
}

async function assertRefused(
  settings: Settings,
  fault: DataDirectoryFault,
  names: readonly string[],
): Promise<void> {
  await assert.rejects(openDataDirectory(systemRandom, settings), (error) => {
    assert.ok(error instanceof DataDirectoryError, String(error));
    assert.equal(error.fault, fault);
    for (const name of names) assert.ok(error.message.includes(name), error.message);
    assert.match(error.remedy, /^[A-Z].*\.$/);
    return true;
  });
}

test('the first start makes the directory, the key and FORMAT for their owner only', async () => {
  const settings = freshSettings();
  await using opened = await openDataDirectory(systemRandom, settings);
  assert.equal(opened.isNew, true);
  assert.equal(modeOf(settings.dataDirectory), 0o700);
  assert.equal(modeOf(join(settings.dataDirectory, 'keys')), 0o700);
  assert.equal(modeOf(opened.paths.runDirectory), 0o700);
  assert.equal(modeOf(settings.masterKeyFile), 0o600);
  assert.equal(modeOf(opened.paths.lockFile), 0o600);
  assert.equal(readFileSync(opened.paths.formatFile, 'utf8'), 'pinfold 1\n');
  assert.equal(parseMasterKeys(opened.masterKeyText).length, 1);
  assert.equal(existsSync(`${settings.masterKeyFile}.new`), false);
});

test('a later start reads the same key', async () => {
  const settings = freshSettings();
  await initialize(settings);
  const text = readFileSync(settings.masterKeyFile, 'utf8');
  await using opened = await openDataDirectory(systemRandom, settings);
  assert.equal(opened.isNew, false);
  assert.equal(opened.masterKeyText, text);
});

test('two first starts make different keys', async () => {
  const [one, other] = [freshSettings(), freshSettings()];
  await initialize(one);
  await initialize(other);
  assert.notEqual(
    readFileSync(one.masterKeyFile, 'utf8'),
    readFileSync(other.masterKeyFile, 'utf8'),
  );
});

test('a first start that died before FORMAT is completed with the key it had made', async () => {
  const settings = freshSettings();
  await initialize(settings);
  const text = readFileSync(settings.masterKeyFile, 'utf8');
  rmSync(join(settings.dataDirectory, 'FORMAT'));
  await using opened = await openDataDirectory(systemRandom, settings);
  assert.equal(opened.masterKeyText, text);
  assert.equal(opened.isNew, true);
});

test('a missing key is refused, never replaced, once there are data', async () => {
  const settings = freshSettings();
  await initialize(settings);
  rmSync(settings.masterKeyFile);
  await assertRefused(settings, 'key_missing', [settings.masterKeyFile]);
  assert.equal(existsSync(settings.masterKeyFile), false);
});

test('a key that others can read is refused, and the directory is free again', async () => {
  const settings = freshSettings();
  await initialize(settings);
  for (const mode of [0o644, 0o640, 0o604]) {
    chmodSync(settings.masterKeyFile, mode);
    await assertRefused(settings, 'key_exposed', [settings.masterKeyFile]);
  }
  chmodSync(settings.masterKeyFile, 0o400);
  await initialize(settings);
});

test('a damaged key file is refused without quoting it', async () => {
  const settings = freshSettings();
  await initialize(settings);
  writeFileSync(settings.masterKeyFile, 'not-a-key-but-secret\n');
  await assert.rejects(openDataDirectory(systemRandom, settings), (error) => {
    assert.ok(error instanceof DataDirectoryError);
    assert.equal(error.fault, 'key_malformed');
    assert.doesNotMatch(error.message + error.remedy, /secret/);
    return true;
  });
});

test('a newer or unreadable FORMAT is refused', async () => {
  const settings = freshSettings();
  await initialize(settings);
  const file = join(settings.dataDirectory, 'FORMAT');
  writeFileSync(file, 'pinfold 2\n');
  await assertRefused(settings, 'newer_format', [file, 'format 2', 'up to 1']);
  for (const text of ['', 'pinfold\n', 'pinfold 0\n', 'garage 1\n', 'pinfold 1\npinfold 1\n']) {
    writeFileSync(file, text);
    await assertRefused(settings, 'format_unreadable', [file]);
  }
});

test('a directory with somebody else’s files is refused and left alone', async () => {
  const settings = freshSettings();
  mkdirSync(settings.dataDirectory, { recursive: true });
  writeFileSync(join(settings.dataDirectory, 'thesis.odt'), '');
  await assertRefused(settings, 'not_pinfold', [settings.dataDirectory, 'thesis.odt']);
  assert.equal(existsSync(join(settings.dataDirectory, 'lock.db')), false);
});

test('a path that is no directory is refused in words', async () => {
  const settings = freshSettings();
  mkdirSync(join(settings.dataDirectory, '..'), { recursive: true });
  writeFileSync(settings.dataDirectory, '');
  await assertRefused(settings, 'inaccessible', [settings.dataDirectory]);
});

test('a place where the system makes no directories is refused in words', {
  skip: process.platform !== 'linux' && 'only Linux has /proc',
}, async () => {
  const dataDirectory = '/proc/none/data';
  const settings = { dataDirectory, masterKeyFile: join(dataDirectory, 'keys', 'master.key') };
  await assertRefused(settings, 'inaccessible', [dataDirectory, 'ENOENT']);
});

test('a second opening is refused, in this process and in another', async () => {
  const settings = freshSettings();
  await using first = await openDataDirectory(systemRandom, settings);
  await assertRefused(settings, 'locked', [settings.dataDirectory]);
  const child = holdInChild(settings);
  const [line] = await once(child.stdout, 'data');
  assert.match(String(line), /^locked/);
  await once(child, 'exit');
  await first[Symbol.asyncDispose]();
  await initialize(settings);
});

test('kill -9 frees the directory', async () => {
  const settings = freshSettings();
  const child = holdInChild(settings);
  const [line] = await once(child.stdout, 'data');
  assert.match(String(line), /^held/);
  await assertRefused(settings, 'locked', [settings.dataDirectory]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await initialize(settings);
});

/** A process that opens the directory, says `held` or its fault, and then waits. */
function holdInChild(settings: Settings) {
  const moduleUrl = new URL('./data-directory.ts', import.meta.url).href;
  const randomUrl = new URL('../random/system-random.ts', import.meta.url).href;
  const script = `
    const { openDataDirectory } = await import(${JSON.stringify(moduleUrl)});
    const { systemRandom } = await import(${JSON.stringify(randomUrl)});
    try {
      globalThis.held = await openDataDirectory(systemRandom, ${JSON.stringify(settings)});
      process.stdout.write('held\\n');
      setInterval(() => globalThis.held.paths, 1000);
    } catch (error) {
      process.stdout.write(error.fault + '\\n');
    }
  `;
  return spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
