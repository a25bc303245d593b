/**
 * Proves that each listener speaks TLS with the certificate of the files, that a changed one is met
 * by new connections while those that stand live on, and that what is no TLS harms nobody.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { makeCertificates } from '../clients/s3/certificates.ts';
import { runPinfold } from '../world/process-line.ts';
import { freshDirectory, startServer } from '../world/server.ts';
import { eventually } from './service.ts';

const [first, second] = [await makeIn(), await makeIn()];

async function makeIn() {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const certificates = await makeCertificates(directory);
  return { ...certificates, ca: await readFile(certificates.caFile, 'utf8') };
}

type Made = Pick<typeof first, 'certFile' | 'keyFile'>;

/** A server whose files hold `first`, all its listeners over TLS. */
async function startTls() {
  const directory = await freshDirectory();
  const at = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  const place = async ({ certFile, keyFile }: Made) => {
    await copyFile(certFile, at.certFile);
    await copyFile(keyFile, at.keyFile);
  };
  await place(first);
  const lines: string[] = [];
  const server = await startServer({
    settings: { TLS_CERT_FILE: at.certFile, TLS_KEY_FILE: at.keyFile, METRICS_TLS: 'yes' },
    logTo: { write: (line) => void lines.push(line) },
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  const listeners = [
    { url: `${server.url}/health`, status: 200 },
    { url: `${server.s3Url}/`, status: 403 },
    { url: server.metricsUrl, status: 200 },
  ];
  return { at, place, listeners, lines };
}

/** The status of a GET by an agent that trusts one authority. */
async function statusOf(url: string, agent: Agent): Promise<number> {
  const sent = request(url, { agent });
  sent.end();
  const [response] = await once(sent, 'response');
  await text(response);
  return response.statusCode ?? 0;
}

function agentOf(ca: string, options: ConnectionOptions = {}): Agent {
  return new Agent({ ca, keepAlive: false, ...options });
}

/** Whether a new connection to `url` meets a certificate of the authority. */
async function meets(url: string, ca: string): Promise<boolean> {
  try {
    await statusOf(url, agentOf(ca));
    return true;
  } catch (error) {
    assert.match(String(error), /certificate|signature/);
    return false;
  }
}

test('new connections meet a changed certificate, and those that stand live on', async () => {
  const { place, listeners } = await startTls();
  for (const { url, status } of listeners) {
    assert.match(url, /^https:/);
    assert.equal(await statusOf(url, agentOf(first.ca)), status);
    assert.equal(await meets(url, second.ca), false);
  }
  const standing = listeners.map(({ url }) => ({
    url,
    agent: new Agent({ ca: first.ca, keepAlive: true, maxSockets: 1 }),
    sockets: new Set<TLSSocket>(),
  }));
  const use = async ({ url, agent, sockets }: (typeof standing)[number]) => {
    const sent = request(url, { agent });
    sent.once('socket', (socket) => sockets.add(socket as TLSSocket));
    sent.end();
    const [response] = await once(sent, 'response');
    await text(response);
  };
  for (const one of standing) await use(one);
  await place(second);
  for (const { url } of listeners) {
    await eventually(() => meets(url, second.ca));
    assert.equal(await meets(url, first.ca), false);
  }
  for (const one of standing) {
    await use(one);
    assert.equal(one.sockets.size, 1, `${one.url} was reached on a new connection`);
    one.agent.destroy();
  }
});

test('a broken replacement is said in the log, and the old certificate is kept', async () => {
  const { at, place, listeners, lines } = await startTls();
  await copyFile(second.certFile, at.certFile);
  await eventually(() => lines.some((line) => line.includes('the old certificate is kept')));
  for (const { url } of listeners) assert.equal(await meets(url, first.ca), true);
  await place(second);
  for (const { url } of listeners) await eventually(() => meets(url, second.ca));
});

test('what is no TLS is ended, and the next one is served', async () => {
  const { listeners, lines } = await startTls();
  for (const { url, status } of listeners) {
    const { port, hostname } = new URL(url);
    const host = hostname;
    for (const bytes of [
      'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n',
      '\x16\x03\x01\xff\xff nonsense',
      Buffer.alloc(20_000, 0xff),
      '',
    ]) {
      const socket = connectPlain({ port: Number(port), host });
      socket.on('error', () => undefined);
      socket.end(bytes);
      socket.resume();
      await once(socket, 'close');
    }
    assert.equal(await statusOf(url, agentOf(first.ca)), status);
  }
  assert.deepEqual(
    lines.filter((line) => line.includes('"level":"error"')),
    [],
  );
});

test('TLS 1.2 is the oldest that is spoken', async () => {
  const { listeners } = await startTls();
  for (const { url, status } of listeners) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const agent = agentOf(first.ca, { minVersion: version, maxVersion: version });
      assert.equal(await statusOf(url, agent), status, version);
    }
    const { port, hostname: host } = new URL(url);
    const old = connect({
      port: Number(port),
      host,
      ca: first.ca,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    });
    const [error] = await once(old, 'error');
    assert.match(String(error.code), /ALERT_PROTOCOL_VERSION/);
  }
});

test('a pair that cannot be used stops the start in words', async () => {
  const directory = await freshDirectory();
  after(() => rm(directory, { recursive: true, force: true }));
  const absent = join(directory, 'absent.pem');
  for (const [certFile, keyFile, words] of [
    [absent, first.keyFile, /^pinfold: There is no file .*absent\.pem that can be read\.\n/],
    [first.keyFile, first.keyFile, /^pinfold: The TLS certificate is no certificate in PEM\.\n/],
    [first.certFile, first.certFile, /^pinfold: The TLS key is no private key in PEM\.\n/],
    [first.certFile, second.keyFile, /^pinfold: The TLS key is not that of the first cert/],
  ] as const) {
    const { exitCode, notes } = await runPinfold({
      directory,
      argv: ['serve'],
      variables: {
        PINFOLD_API_PORT: '0',
        PINFOLD_S3_PORT: '0',
        PINFOLD_METRICS_PORT: '0',
        PINFOLD_MIN_FREE_BYTES: '0',
        PINFOLD_TLS_CERT_FILE: certFile,
        PINFOLD_TLS_KEY_FILE: keyFile,
      },
    });
    assert.equal(exitCode, 1, notes);
    assert.match(notes, words);
    assert.match(notes, /\n {2}PINFOLD_TLS_CERT_FILE and PINFOLD_TLS_KEY_FILE name PEM files/);
    assert.doesNotMatch(notes, /\n\s+at /);
  }
});

test('a connection that has proved a credential within TLS is not cut for newcomers', async () => {
  const directory = await freshDirectory();
  const { certFile, keyFile, ca } = first;
  const server = await startServer({
    settings: { TLS_CERT_FILE: certFile, TLS_KEY_FILE: keyFile, MAX_CONNECTIONS: '6' },
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const ask = async (method: string, path: string, options: object = {}, body = '') => {
    const sent = request(`${server.url}${path}`, { method, agent, ...options });
    sent.end(body);
    const [response] = await once(sent, 'response');
    const { localPort } = response.socket as TLSSocket;
    return { localPort, status: response.statusCode, body: await text(response) };
  };
  const made = await ask('POST', '/users', {}, '{"username":"ann"}');
  const { user_app_key: appKey } = JSON.parse(made.body) as { user_app_key: string };
  const headers = { authorization: `ApiKey ${appKey}` };
  const proved = await ask('GET', '/user/me', { headers });
  assert.equal(proved.status, 200);
  const { port } = new URL(server.url);
  const idle = Array.from({ length: 20 }, () => connectPlain(Number(port), '127.0.0.1'));
  for (const socket of idle) socket.on('error', () => undefined).resume();
  await eventually(() => idle.filter(({ closed }) => closed).length >= 15);
  const again = await ask('GET', '/user/me', { headers });
  assert.deepEqual([again.status, again.localPort], [200, proved.localPort]);
  for (const socket of idle) socket.destroy();
});
