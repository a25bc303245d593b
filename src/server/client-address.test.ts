/** Proves whose word is taken for where a request comes from. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientAddress } from './client-address.ts';

const PROXIES = ['127.0.0.1', '10.0.0.0/8'];

test('a client is the nearest hop that is not trusted', () => {
  for (const [peer, forwarded, address] of [
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['::ffff:127.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['127.0.0.1', '192.0.2.9, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '192.0.2.9,198.51.100.1 , 10.1.2.3', '198.51.100.1'],
    ['127.0.0.1', '10.9.9.9, 10.1.2.3', '10.9.9.9'],
    [undefined, '198.51.100.1', ''],
  ] as const) {
    const socket = { remoteAddress: peer } as Parameters<typeof clientAddress>[0]['socket'];
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
    assert.equal(clientAddress({ socket, headers }, PROXIES), address, `${peer} ${forwarded}`);
    assert.equal(clientAddress({ socket, headers }, []), peer ?? '');
  }
});
