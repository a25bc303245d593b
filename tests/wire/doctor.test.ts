/**
 * Proves that `pinfold doctor` finds nothing wrong where nothing is, names what keeps clients from
 * this server, and takes back whatever it makes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { composeServer } from '../../src/compose/compose-server.ts';
import { adminClient } from '../../src/dialects/admin/admin-client.ts';
import { systemClock } from '../../src/engines/clock/system-clock.ts';
import { systemRandom } from '../../src/engines/random/system-random.ts';
import { parseTlsPair } from '../../src/kit/tls-pair.ts';
import { makeCertificates } from '../clients/s3/certificates.ts';
import { runLine } from '../world/cli-line.ts';
import { freePort } from '../world/proxies.ts';
import {
  freshDirectory,
  startServer,
  type TestServer,
  type TestSettings,
  testConfig,
} from '../world/server.ts';

const run = promisify(execFile);

async function start(settings: TestSettings = {}): Promise<TestServer> {
  const server = await startServer({ settings });
  after(() => server[Symbol.asyncDispose]());
  const admin = adminClient(server.adminSocket);
  await admin.createAccount({ username: 'ann' });
  await admin.addOperator('ann');
  return server;
}

const server = await start();

type Line = Partial<Parameters<typeof runLine>[0]> & { readonly on?: TestServer };

async function doctor({ on = server, argv = [], ...rest }: Line = {}) {
  const outcome = await runLine({
    directory: on.directory,
    argv: ['doctor', '--json', ...argv],
    ...rest,
  });
  const { checks } = JSON.parse(outcome.result);
  const of = (target: string, name: string): string => {
    const found = checks.find(
      (one: { target: string; check: string }) => one.target === target && one.check === name,
    );
    assert.ok(found, `There is no check ${target} ${name}: ${outcome.result}`);
    return `${found.state} ${found.says}`;
  };
  const states = checks.map(({ state }: { state: string }) => state);
  return { ...outcome, checks, of, states: new Set<string>(states) };
}

async function listenOn(listener: Server): Promise<string> {
  listener.listen(0, '127.0.0.1');
  await new Promise((resolve) => listener.once('listening', resolve));
  after(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return `127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

test('a server without a proxy has nothing wrong, and keeps nothing of the checks', async () => {
  const outcome = await runLine({ directory: server.directory, argv: ['doctor'] });
  assert.equal(outcome.exitCode, 0, outcome.result);
  assert.match(outcome.result, /^ok +S3 +reach +http:\/\/localhost:\d+ leads to this server\n/);
  assert.match(outcome.result, /\n\n4\d ok, 0 warn, 0 fail, 0 skipped\.\n$/);
  assert.equal(outcome.notes, '');
  const admin = adminClient(server.adminSocket);
  assert.equal((await admin.getAccount('ann')).stored_bytes, 0);
  const { keys } = await admin.listS3Keys('ann');
  assert.equal(keys.length, 1);
  assert.match(keys[0]?.prefix ?? '', /^pinfold-doctor-[0-9a-f]{16}\/$/);
  assert.notEqual(keys[0]?.revoked_at, null);
  const { entries } = await admin.listAudit({ account: 'ann', limit: 4 });
  assert.deepEqual(entries.map(({ action }) => action).toSorted(), [
    's3_key.created',
    's3_key.revoked',
    'token.created',
    'token.revoked',
  ]);
});

test('with --json the report is one document', async () => {
  const { exitCode, result } = await doctor({ argv: ['--account', 'ann'] });
  assert.equal(exitCode, 0);
  const document = JSON.parse(result);
  const names = ['account', 's3_url', 'api_url', 'checks', 'ok', 'warns', 'fails', 'skipped'];
  assert.deepEqual(Object.keys(document), names);
  assert.equal(document.s3_url, server.s3Url);
  assert.equal(document.ok, document.checks.length);
  const parts = ['target', 'check', 'state', 'says', 'remedy'];
  assert.deepEqual(Object.keys(document.checks[0]), parts);
});

test('an address that leads nowhere, or elsewhere, is the one failure', async () => {
  const other = await start();
  const website = await listenOn(createServer((_, response) => response.end('hello')));
  const redirect = await listenOn(
    createServer((_, response) => response.writeHead(301, { location: 'https://x/' }).end()),
  );
  for (const [url, words] of [
    [`http://127.0.0.1:${await freePort()}`, /is not reached: nothing listens there/],
    [`http://${website}`, /something answers 200 in place of the gateway/],
    [`http://${redirect}`, /redirects to https:\/\/x\/, which signed requests do not follow/],
    [server.url, /answers \d+ in place of the gateway/],
    [other.s3Url, /leads to another Pinfold/],
  ] as const) {
    const { exitCode, of, checks } = await doctor({ argv: ['--s3-url', url, '--api-url', url] });
    assert.equal(exitCode, 1, url);
    assert.match(of('s3', 'reach'), /^fails/);
    assert.match(of('s3', 'reach'), words);
    assert.match(of('s3', 'upload'), /^skipped the gateway is not reached/);
    const failed = checks.filter((one: { state: string }) => one.state === 'fails');
    assert.ok(failed.length <= 2, JSON.stringify(failed));
  }
});

test('clocks that differ are named, and what is behind them is looked at all the same', async () => {
  const at = (offsetMs: number) => ({
    machine: {
      clock: { ...systemClock, now: () => (systemClock.now() + offsetMs) as never },
      random: systemRandom,
    },
  });
  const far = await doctor({ composition: at(-20 * 60_000) });
  assert.match(far.of('s3', 'clock'), /^fails the clock of the server is off by \+1\d{3} s/);
  assert.match(far.of('s3', 'signature'), /^ok/);
  assert.equal(far.exitCode, 1);
  const near = await doctor({ composition: at(5 * 60_000) });
  assert.match(near.of('s3', 'clock'), /^warns the clock on the other side is off by -\d+ s/);
  assert.equal(near.exitCode, 0);
});

test('a certificate that clients do not trust is named, and no token is sent to its host', async () => {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const { certFile, keyFile, caFile } = await makeCertificates(directory, { days: 30 });
  const tls = await start({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
  const good = await doctor({ on: tls, argv: ['--ca-file', caFile] });
  assert.deepEqual([...good.states], ['ok'], good.result);
  assert.match(good.of('s3', 'certificate'), /^ok trusted, and good for (?:29|30) days/);
  const strange = await doctor({ on: tls });
  assert.equal(strange.exitCode, 1);
  assert.match(strange.of('s3', 'certificate'), /^fails the chain up to an authority/);
  assert.match(strange.of('s3', 'upload'), /^ok/);
  assert.match(strange.of('api', 'reach'), /^ok/);
  assert.match(strange.of('api', 'upload'), /^skipped no token is sent/);
  const { port } = new URL(tls.s3Url);
  const named = await doctor({
    on: tls,
    argv: ['--ca-file', caFile, '--s3-url', `https://[::ffff:127.0.0.1]:${port}`],
  });
  assert.match(named.of('s3', 'certificate'), /^fails it is for other host names/);
});

test('an expired certificate, and one that soon ends, are named', async () => {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const { certFile, keyFile, caFile } = await makeCertificates(directory);
  const soon = await start({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile });
  const ending = await doctor({ on: soon, argv: ['--ca-file', caFile] });
  assert.match(ending.of('s3', 'certificate'), /^warns it ends in 1 days/);
  assert.equal(ending.exitCode, 0);
  const { context } = await expiredPair(directory);
  const host = await listenOn(createTlsServer(context, (_, response) => response.end()));
  const expired = await doctor({
    argv: ['--ca-file', caFile, '--s3-url', `https://${host}`],
  });
  assert.match(expired.of('s3', 'certificate'), /^fails it has expired/);
});

/** A certificate of the same authority that ended long ago; `openssl ca` alone sets such dates. */
async function expiredPair(directory: string) {
  const openssl = (line: string) => run('openssl', line.split(' '), { cwd: directory });
  await run('sh', ['-c', 'touch index.txt && echo 01 > serial'], { cwd: directory });
  await run(
    'sh',
    ['-c', 'printf "[own]\ndatabase=index.txt\nserial=serial\npolicy=any\n[any]\n" > ca.cnf'],
    { cwd: directory },
  );
  await openssl(
    'ca -batch -config ca.cnf -name own -md sha256 -notext -outdir . -cert ca.pem -keyfile ca.key ' +
      '-extfile openssl.cnf -extensions server -startdate 20200101000000Z ' +
      '-enddate 20200201000000Z -in server.csr -out past.pem',
  );
  const [cert, key] = await Promise.all([
    run('cat', ['past.pem'], { cwd: directory }),
    run('cat', ['server.key'], { cwd: directory }),
  ]);
  return parseTlsPair({ cert: cert.stdout, key: key.stdout });
}

test('a region in which boto3 signs links by version 2 is named, with what to set', async () => {
  assert.match((await doctor()).of('s3', 'links of boto3'), /^ok .*in the region auto$/);
  const old = await doctor({ on: await start({ REGION: 'us-east-1' }) });
  assert.match(old.of('s3', 'links of boto3'), /^warns in the region us-east-1 boto3, AWS CLI v1/);
  assert.equal(old.exitCode, 0);
});

test('what the account itself may not do is not laid to a proxy', async () => {
  const small = await start({ FREE_STORAGE_BYTES: '1 MB' });
  const { exitCode, checks } = await doctor({ on: small });
  assert.equal(exitCode, 1);
  const failed = checks.filter(({ state }: { state: string }) => state === 'fails');
  assert.deepEqual(
    failed.map((one: { target: string; check: string }) => `${one.target} ${one.check}`),
    ['s3 large upload', 'api large upload'],
  );
  for (const { says, remedy } of failed) {
    assert.match(says, /^9 MiB are not stored: the (?:gateway|API) answers (?:403 Quota|402)/);
    assert.match(remedy, /this is no proxy\.$/);
  }
});

test('an interrupted run takes back what it made', async () => {
  const interrupted = await doctor({ untilStopped: () => Promise.resolve() });
  assert.equal(interrupted.exitCode, 130);
  assert.match(interrupted.of('s3', 'upload'), /^skipped it was interrupted/);
  const admin = adminClient(server.adminSocket);
  const { keys } = await admin.listS3Keys('ann');
  assert.ok(keys.every((key) => key.revoked_at !== null));
});

test('without an operator, a server or an address it is refused in words', async () => {
  const lone = await startServer();
  after(() => lone[Symbol.asyncDispose]());
  const [absent, stopped] = [await freshDirectory(), await freshDirectory()];
  for (const directory of [absent, stopped]) {
    after(() => rm(directory, { recursive: true, force: true }));
  }
  const ended = await composeServer({ config: testConfig(stopped, { LOG_LEVEL: 'silent' }) });
  await ended.close({ graceMs: 0 });
  for (const [line, exitCode, code] of [
    [{ directory: lone.directory, argv: [] }, 3, 'no_operator'],
    [{ directory: lone.directory, argv: ['--account', 'nobody'] }, 3, 'account_not_found'],
    [{ directory: absent, argv: [] }, 3, 'no_data_directory'],
    [{ directory: stopped, argv: [] }, 5, 'not_running'],
    [{ directory: server.directory, argv: ['--s3-url', 's3.example.org'] }, 2, 'usage'],
    [{ directory: server.directory, argv: ['--api-url', 'https://x.org/api'] }, 2, 'usage'],
    [{ directory: server.directory, argv: ['--ca-file', '/nowhere.pem'] }, 3, 'file_not_found'],
    [{ directory: server.directory, argv: ['--ca-file', import.meta.filename] }, 2, 'usage'],
  ] as const) {
    const argv = ['doctor', '--json', ...line.argv];
    const outcome = await runLine({ directory: line.directory, argv });
    assert.equal(outcome.exitCode, exitCode, outcome.result);
    assert.equal(JSON.parse(outcome.result).error.code, code);
  }
});
