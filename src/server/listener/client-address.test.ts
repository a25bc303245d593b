/** Proves whose word is taken for where a request comes from, and that one address is one text. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitKey } from '../../core/ids.ts';
import { type Arrival, ClientAddresses } from './client-address.ts';

const PROXIES = ['127.0.0.1', '10.0.0.0/8'];

function arrival(peer: string | undefined, forwarded?: string): Arrival {
  const socket = { remoteAddress: peer } as Arrival['socket'];
  return { socket, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } };
}

function addressesOf(trustedProxies: readonly string[]) {
  const warnings: unknown[] = [];
  const log = { warn: (facts: unknown) => void warnings.push(facts) };
  return { clients: new ClientAddresses({ trustedProxies, log }), warnings };
}

test('a client is the nearest hop that is not trusted', () => {
  const { clients } = addressesOf(PROXIES);
  const { clients: trusting } = addressesOf([]);
  for (const [peer, forwarded, address] of [
    ['203.0.113.7', undefined, '203.0.113.7'],
    ['203.0.113.7', '198.51.100.1', '203.0.113.7'],
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['127.0.0.1', '', '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '192.0.2.9, 198.51.100.1', '198.51.100.1'],
    ['127.0.0.1', '192.0.2.9,198.51.100.1 , 10.1.2.3', '198.51.100.1'],
    ['127.0.0.1', '10.9.9.9, 10.1.2.3', '10.9.9.9'],
    ['127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['127.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    [undefined, '198.51.100.1', ''],
  ] as const) {
    assert.equal(clients.of(arrival(peer, forwarded)), address, `${peer} ${forwarded}`);
    assert.equal(trusting.of(arrival(peer, forwarded)), peer ?? '');
  }
});

test('every spelling of an address is one, and what is none is its proxy', () => {
  const { clients } = addressesOf(PROXIES);
  for (const [peer, forwarded, address] of [
    ['::ffff:127.0.0.1', '2001:DB8:0:0::1', '2001:db8::1'],
    ['127.0.0.1', '::ffff:9.9.9.9', '9.9.9.9'],
    ['127.0.0.1', '::FFFF:909:909', '9.9.9.9'],
    ['127.0.0.1', 'fe80::1%eth0', 'fe80::1'],
    ['fe80::1%eth0', undefined, 'fe80::1'],
    ['::ffff:203.0.113.7', undefined, '203.0.113.7'],
    ['127.0.0.1', 'unknown', '127.0.0.1'],
    ['127.0.0.1', '_hidden', '127.0.0.1'],
    ['127.0.0.1', '0x7f.1', '127.0.0.1'],
    ['127.0.0.1', 'x'.repeat(10_000), '127.0.0.1'],
    ['127.0.0.1', '198.51.100.1, not-an-address', '127.0.0.1'],
  ] as const) {
    assert.equal(clients.of(arrival(peer, forwarded)), address, `${peer} ${forwarded}`);
  }
});

test('addresses are counted by whose they are', () => {
  const key = (address: string) => limitKey({ address });
  assert.equal(key('2001:DB8::1'), key('2001:db8:0:0:ffff::2'));
  assert.notEqual(key('2001:db8::1'), key('2001:db8:0:1::1'));
  assert.equal(key('::ffff:9.9.9.9'), key('9.9.9.9'));
  assert.notEqual(key('9.9.9.9'), key('9.9.9.8'));
  assert.equal(key('fe80::1%eth0'), key('fe80::2%eth1'));
  assert.equal(key('nonsense'), key(''));
  const named = limitKey({ name: 'account ann', address: '2001:DB8::1' });
  assert.equal(named, limitKey({ name: 'account ann', address: '2001:db8::2' }));
  assert.notEqual(named, limitKey({ name: 'account bob', address: '2001:db8::1' }));
});

test('a proxy that nobody declared is named once', () => {
  const { clients, warnings } = addressesOf(['10.0.0.0/8']);
  clients.of(arrival('127.0.0.1'));
  clients.of(arrival('10.0.0.1', '198.51.100.1'));
  assert.deepEqual(warnings, []);
  clients.of(arrival('127.0.0.1', '198.51.100.1'));
  clients.of(arrival('127.0.0.2', '198.51.100.1'));
  assert.deepEqual(warnings, [
    { peer: '127.0.0.1', field: 'x-forwarded-for', setting: 'PINFOLD_TRUSTED_PROXIES' },
  ]);
});
