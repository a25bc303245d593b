/**
 * Proves that every listener takes the same for one request: what proxies and servers could differ
 * on is refused, and nothing that follows on its connection is answered.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { startServer } from '../world/server.ts';

const server = await startServer();
after(() => server[Symbol.asyncDispose]());

type Place = { readonly port: number; readonly host: string } | { readonly path: string };

function placeOf(url: string): Place {
  const { hostname, port } = new URL(url);
  return { host: hostname === 'localhost' ? '127.0.0.1' : hostname, port: Number(port) };
}

/** Each with a request that it answers when nothing is wrong. */
const LISTENERS: readonly (readonly [name: string, at: Place, path: string, status: number])[] = [
  ['API', placeOf(server.url), '/health', 200],
  ['S3', placeOf(server.s3Url), '/absent', 404],
  ['metrics', placeOf(server.metricsUrl), '/metrics', 200],
  ['admin socket', { path: server.adminSocket }, '/admin/v1/accounts', 200],
];

async function exchange(place: Place, text: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    let all = '';
    const socket = connect(place, () => socket.write(text));
    socket.setTimeout(20_000, () => socket.destroy(new Error(`it is not closed: ${text}\n${all}`)));
    socket.on('data', (chunk) => {
      all += chunk.toString('latin1');
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(all));
  });
}

/** Head lines after the request line, with what the answer's status is. */
const FAULTS: readonly (readonly [version: string, head: string, status: number])[] = [
  ['HTTP/1.1', '', 400],
  ['HTTP/1.1', 'Host: x\r\nHost: x\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nhOST: y\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nA: b\r\nhost:\r\n', 400],
  ['HTTP/1.0', 'Host: x\r\nHost: y\r\n', 400],
  ['HTTP/1.0', 'Transfer-Encoding: chunked\r\n', 400],
  ['HTTP/1.0', 'Host: x\r\nTransfer-Encoding: chunked\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nTransfer-Encoding: gzip, chunked\r\n', 501],
  ['HTTP/1.1', 'Host: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nContent-Length: 5, 5\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nContent-Length: +5\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nContent-Length : 5\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nTransfer-Encoding : chunked\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nA\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nA: b\0c\r\n', 400],
  ['HTTP/1.1', 'Host: x\r\nA: b\rc\r\n', 400],
  ['HTTP/9.9', 'Host: x\r\n', 400],
];

for (const [name, place, path, status] of LISTENERS) {
  test(`${name}: a head that can be read in two ways is refused, and its connection ends`, async () => {
    const next = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    for (const [version, head, refused] of FAULTS) {
      const told = `${version} ${JSON.stringify(head)}`;
      const text = await exchange(
        place,
        `GET ${path} ${version}\r\n${head}\r\n5\r\nhello\r\n0\r\n\r\n${next}`,
      );
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, digits]) =>
        Number(digits),
      );
      assert.deepEqual(statuses, [refused], `${told}\n${text}`);
      assert.match(text, /\r\nconnection: close\r\n/i, told);
    }
  });

  test(`${name}: what is clear is answered`, async () => {
    for (const [version, head] of [
      ['HTTP/1.1', 'Host: x\r\nConnection: close\r\n'],
      ['HTTP/1.1', 'hOsT: x\r\nConnection: close\r\n'],
      ['HTTP/1.1', 'Host:\r\nConnection: close\r\n'],
      ['HTTP/1.0', ''],
      ['HTTP/1.0', 'Host: x\r\n'],
    ] as const) {
      const text = await exchange(place, `GET ${path} ${version}\r\n${head}\r\n`);
      assert.match(text, new RegExp(`^HTTP/1.1 ${status} `), `${version} ${head}\n${text}`);
    }
  });
}
