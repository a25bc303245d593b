/**
 * Proves that servers get a changed certificate, that a pair which cannot be used is said once and
 * changes nothing, and that half of a replacement is waited out.
 */
import assert from 'node:assert/strict';
import { copyFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { makeCertificates } from '../../../tests/clients/s3/certificates.ts';
import { FakeClock } from '../../../tests/world/fake-clock.ts';
import { freshDirectory } from '../../../tests/world/server.ts';
import type { TimeMs } from '../../core/ids.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { TlsContext } from '../../kit/tls-pair.ts';
import { createLog } from '../../observe/log.ts';
import { createMetrics } from '../../observe/metrics.ts';
import { LOOK_EVERY_MS, TlsFiles } from './tls-files.ts';

const [first, second] = [await madeIn(), await madeIn()];

async function madeIn() {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  return { directory, ...(await makeCertificates(directory)) };
}

/** Knows when a look at the files has ended: the next one is asked for then. */
class LookClock implements Clock {
  readonly #clock = new FakeClock(Date.now());
  #onAsked: () => void = () => undefined;

  now(): TimeMs {
    return this.#clock.now();
  }

  after(delayMs: number, run: () => void): () => void {
    const cancel = this.#clock.after(delayMs, run);
    this.#onAsked();
    return cancel;
  }

  async look(): Promise<void> {
    const asked = Promise.withResolvers<void>();
    this.#onAsked = asked.resolve;
    this.#clock.advance(LOOK_EVERY_MS);
    await asked.promise;
  }
}

/** Files that hold the first pair, and a server that follows them. */
async function openWorld() {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const clock = new LookClock();
  const metrics = createMetrics();
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  const at = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  await copyFile(first.certFile, at.certFile);
  await copyFile(first.keyFile, at.keyFile);
  const files = await TlsFiles.open({ clock, log, metrics }, at);
  after(() => files[Symbol.dispose]());
  const given: TlsContext[] = [];
  files.follow({ setSecureContext: (options) => void given.push(options as TlsContext) });
  /** Lets the files be looked at `times` times. */
  const look = async (times: number) => {
    for (let time = 0; time < times; time += 1) await clock.look();
  };
  const errors = () => lines.filter((line) => line.includes('"level":"error"'));
  return { at, directory, files, given, look, lines, errors, metrics };
}

test('a changed pair goes to the servers once, and its fingerprint into the log', async () => {
  const { at, files, given, look, lines, errors, metrics } = await openWorld();
  const before = files.current.fingerprint;
  await look(3);
  assert.equal(given.length, 0);
  await copyFile(second.certFile, at.certFile);
  await copyFile(second.keyFile, at.keyFile);
  await look(3);
  assert.equal(given.length, 1);
  assert.equal(given[0]?.minVersion, 'TLSv1.2');
  assert.notEqual(files.current.fingerprint, before);
  assert.ok(lines.some((line) => line.includes(files.current.fingerprint)));
  assert.deepEqual(errors(), []);
  const seconds = files.current.endsAtMs / 1000;
  assert.ok((await metrics.render()).includes(`pinfold_tls_certificate_end_seconds ${seconds}\n`));
});

test('half of a replacement is waited out without a word', async () => {
  const { at, files, given, look, errors } = await openWorld();
  const before = files.current.fingerprint;
  await copyFile(second.certFile, at.certFile);
  await look(1);
  assert.deepEqual([given.length, files.current.fingerprint], [0, before]);
  await copyFile(second.keyFile, at.keyFile);
  await look(1);
  assert.equal(given.length, 1);
  assert.notEqual(files.current.fingerprint, before);
  assert.deepEqual(errors(), []);
});

test('files that stay unusable are said once each, and the old pair is kept', async () => {
  const { at, files, given, look, errors } = await openWorld();
  const before = files.current.fingerprint;
  await copyFile(second.certFile, at.certFile);
  await look(4);
  assert.equal(errors().length, 1);
  assert.match(errors()[0] ?? '', /The TLS key is not that of the first certificate\./);
  await writeFile(at.certFile, 'no certificate');
  await look(4);
  assert.equal(errors().length, 2);
  assert.match(errors()[1] ?? '', /The TLS certificate is no certificate in PEM\./);
  await rm(at.keyFile);
  await look(4);
  assert.equal(errors().length, 3);
  assert.match(errors()[2] ?? '', /There is no file .*key\.pem that can be read\./);
  assert.deepEqual([given.length, files.current.fingerprint], [0, before]);
  await copyFile(first.certFile, at.certFile);
  await copyFile(first.keyFile, at.keyFile);
  await look(2);
  assert.equal(given.length, 1);
  assert.equal(errors().length, 3);
});

test('a link that is switched to other files counts as a change', async () => {
  const { directory } = await openWorld();
  const live = join(directory, 'live');
  await symlink(first.directory, live);
  const clock = new LookClock();
  const metrics = createMetrics();
  const log = createLog('silent', { write: () => undefined });
  const at = { certFile: join(live, 'server.pem'), keyFile: join(live, 'server.key') };
  using files = await TlsFiles.open({ clock, log, metrics }, at);
  const before = files.current.fingerprint;
  await symlink(second.directory, join(directory, 'next'));
  await rename(join(directory, 'next'), live);
  await clock.look();
  assert.notEqual(files.current.fingerprint, before);
});

test('files that cannot be used at the start are refused in words', async () => {
  const { at, directory } = await openWorld();
  const log = createLog('silent', { write: () => undefined });
  const deps = { clock: new FakeClock(), log, metrics: createMetrics() };
  const encrypted = join(directory, 'encrypted.pem');
  await writeFile(
    encrypted,
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n',
  );
  for (const [files, words] of [
    [{ ...at, certFile: join(directory, 'absent') }, /no file .*absent that can be read/],
    [{ ...at, certFile: directory }, /no file .* that can be read/],
    [{ ...at, certFile: at.keyFile }, /no certificate in PEM/],
    [{ ...at, keyFile: at.certFile }, /no private key in PEM/],
    [{ ...at, keyFile: second.keyFile }, /not that of the first certificate/],
    [{ ...at, keyFile: encrypted }, /is encrypted/],
  ] as const) {
    await assert.rejects(TlsFiles.open(deps, files), { name: 'TlsPairError', message: words });
  }
});
