/**
 * Proves what clients are told of where the server is: what was asked, on its own machine; what the
 * operator said, wherever that was.
 */
import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { after, test } from 'node:test';
import { publicOrigin } from '../../src/server/listener/public-origin.ts';
import { rawS3 } from '../clients/s3/raw-s3.ts';
import { objectCalls } from './s3/object-calls.ts';
import { REGION, startS3 } from './s3/start-s3.ts';
import { openAccount, startServer } from './service.ts';

test('links and keys of a server on its own machine name the host that was asked', async () => {
  const server = await startServer();
  const ann = await openAccount(server, 'ann');
  const { port } = new URL(server.url);
  await ann.upload('file', 'bytes');
  const urlOf = async (host: string) => {
    const { json } = await ann.call('GET /checkUploadStatus?file_name=file', undefined, { host });
    return new URL(String(json['deterministic_url'])).origin;
  };
  assert.equal(await urlOf(`127.0.0.1:${port}`), `http://127.0.0.1:${port}`);
  assert.equal(await urlOf('Files.Example.org'), 'http://files.example.org');
  for (const host of ['a/b', 'a@b', 'a b', '"><x', 'x?y', '']) {
    assert.equal(await urlOf(host), `http://localhost:${port}`, host);
  }
  const endpointOf = async (host: string) => {
    const { json } = await ann.call('POST /api/s3/keys', {}, { host });
    return new URL(String(json['endpoint']));
  };
  assert.equal((await endpointOf(`127.0.0.1:${port}`)).hostname, '127.0.0.1');
  assert.notEqual((await endpointOf(`127.0.0.1:${port}`)).port, port);
  // Through something in between nobody knows where the other listener is.
  assert.equal((await endpointOf('files.example.org')).hostname, 'localhost');
  const said = server.lines.find((line) => line.includes('clients are told these addresses'));
  assert.equal((JSON.parse(said ?? '{}') as { api?: string }).api, `http://localhost:${port}`);
});

test('the Location of S3 names the host that was asked', async () => {
  const s3 = await startS3();
  const holder = await s3.openHolder('ann');
  const { port } = new URL(s3.endpoint);
  for (const name of ['127.0.0.1', 'localhost']) {
    const raw = rawS3({
      endpoint: `http://${name}:${port}`,
      accessKeyId: holder.accessKeyId,
      secretAccessKey: holder.secret,
      region: REGION,
      ca: undefined,
    });
    after(() => raw[Symbol.dispose]());
    const calls = objectCalls({ ...holder, raw });
    const uploadId = await calls.begin('whole');
    const part = await calls.send('whole', uploadId, { number: 1, body: Buffer.from('x') });
    const { text } = await calls.complete('whole', uploadId, [part]);
    const location = /<Location>([^<]*)/.exec(text)?.[1];
    assert.equal(location, `http://${name}:${port}/${holder.bucket}/whole`);
  }
});

test('what the operator says is told to everybody', () => {
  const said = 'https://files.example.org';
  const clients = { isTrusted: () => false };
  const asked = { headers: { host: '127.0.0.1:8080' }, socket: new Socket() };
  const options = { origin: () => said, isFixed: true, isTls: false, clients };
  assert.equal(publicOrigin(options)(asked), said);
  assert.equal(publicOrigin({ ...options, isFixed: false })(asked), 'http://127.0.0.1:8080');
  const proxied = { ...asked, headers: { ...asked.headers, 'x-forwarded-proto': 'https' } };
  const trusting = { ...options, isFixed: false, clients: { isTrusted: () => true } };
  assert.equal(publicOrigin(trusting)(proxied), 'https://127.0.0.1:8080');
  assert.equal(publicOrigin({ ...options, isFixed: false })(proxied), 'http://127.0.0.1:8080');
});

test('a server that others reach too goes by its settings, and says when they are missing', async () => {
  const server = await startServer({ HOST: '0.0.0.0' });
  const ann = await openAccount(server, 'ann');
  await ann.upload('file', 'bytes');
  const route = 'GET /checkUploadStatus?file_name=file';
  const { json } = await ann.call(route, undefined, { host: 'evil.example' });
  assert.equal(new URL(String(json['deterministic_url'])).hostname, 'localhost');
  const warned = server.lines.filter((line) => line.includes('PINFOLD_S3_PUBLIC_URL'));
  assert.equal(warned.length, 1);
});
