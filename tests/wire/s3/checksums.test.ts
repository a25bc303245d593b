/**
 * Proves the contract's section "Checksums" for whole objects: which values are believed, kept and
 * given back, and which code each wrong one is refused with.
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { test } from 'node:test';
import { checksumOf, prepareChecksums } from '../../../src/kit/checksums/open-checksum.ts';
import { startS3 } from './start-s3.ts';
import { assertFacts, deliver, factOf, type Header, keysOf, signed } from './wire-request.ts';

await prepareChecksums(['XXHASH128']);
const s3 = await startS3();
const ann = await s3.openHolder('ann');
const { bucket, raw } = ann;

/** Of `hello world`, by other programs. */
const VALUES = {
  CRC32: 'DUoRhQ==',
  CRC32C: 'yZRlqg==',
  CRC64NVME: 'jSnVw/bqjr4=',
  SHA1: 'Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
  SHA256: 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=',
  SHA512:
    'MJ7MSJwS1utMxA9QyQLytNDtd+5RGnx6m808qG1M2G+Y' + 'ndNbxf9JlnDaNCVbRbDP2DDoH2Bdz33FVC6TrpzXbw==',
  MD5: 'XrY7u+Ae7tCTyyK7j1rNww==',
  XXHASH64: 'RatnNLIeaWg=',
  XXHASH3: '1Eex6kDmmIs=',
  XXHASH128: '340J6T+HSQCpm4d1zBW2xw==',
} as const;
/** Of nothing. */
const EMPTY_VALUES = {
  CRC32: 'AAAAAA==',
  CRC32C: 'AAAAAA==',
  CRC64NVME: 'AAAAAAAAAAA=',
  SHA1: '2jmj7l5rSw0yVb/vlWAYkK/YBwk=',
  SHA256: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
  SHA512:
    'z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H' + '0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==',
  MD5: '1B2M2Y8AsgTpgAmY7PhCfg==',
  XXHASH64: '70bbN1HY6Zk=',
  XXHASH3: 'LQaABTjTlMI=',
  XXHASH128: 'maoG0wFHmNhgAcMkRo1Jfw==',
} as const;
const NAMES = Object.keys(VALUES) as (keyof typeof VALUES)[];
const headerOf = (name: string) => `x-amz-checksum-${name.toLowerCase()}`;
const TEXT = 'hello world';
const md5 = (text: string) => hash('md5', text, 'base64');

const put = (key: string, headers: readonly Header[], body: string | Uint8Array = TEXT) =>
  deliver(s3.endpoint, signed(ann, { route: `PUT /${bucket}/${key}`, headers, body }));

async function refuse(
  headers: readonly Header[],
  code: string,
  words?: string | RegExp,
  body: string | Uint8Array = TEXT,
): Promise<void> {
  const answer = await put('refused', headers, body);
  assertFacts(answer, 400, code, words === undefined ? {} : { Message: words });
  assert(!(await keysOf(ann)).includes('refused'), 'it was stored');
}

function read(key: string, { method = 'GET', query = [], headers = {} }: Partial<Read> = {}) {
  const asked = { 'x-amz-checksum-mode': 'ENABLED', ...headers };
  return raw.expectDone({ method, bucket, key, query, headers: asked });
}

type Read = {
  readonly method: string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
};

/** Beside these CRC64NVME is kept: the default JavaScript client can check none of them. */
const SECONDED: ReadonlySet<string> = new Set(['SHA512', 'XXHASH64', 'XXHASH3', 'XXHASH128']);

const checksumsIn = (headers: Readonly<Record<string, unknown>>) =>
  Object.entries(headers).filter(([name]) => name.startsWith('x-amz-checksum'));

test('each algorithm is checked, kept, echoed and given back to who asks', async () => {
  for (const name of NAMES) {
    for (const [body, value] of [
      [TEXT, VALUES[name]],
      ['', EMPTY_VALUES[name]],
    ] as const) {
      const answer = await put(name, [[headerOf(name), value]], body);
      assert.equal(answer.status, 200, answer.text);
      const crc = Buffer.from(checksumOf('CRC64NVME', Buffer.from(body))).toString('base64');
      const expected = [
        [headerOf(name), value],
        ...(SECONDED.has(name) ? [['x-amz-checksum-crc64nvme', crc]] : []),
        ['x-amz-checksum-type', 'FULL_OBJECT'],
      ];
      assert.deepEqual(checksumsIn(answer.headers), expected);
      for (const method of ['GET', 'HEAD']) {
        assert.deepEqual(checksumsIn((await read(name, { method })).headers), expected, method);
      }
    }
  }
});

test('large bodies are checked too', async () => {
  const body = Buffer.alloc(3_000_000, TEXT);
  const crc = hash('sha256', body, 'base64');
  const answer = await put('large', [['x-amz-checksum-sha256', crc]], body);
  assert.equal(answer.headers['x-amz-checksum-sha256'], crc, answer.text);
  await refuse([['x-amz-checksum-sha256', VALUES.SHA256]], 'BadDigest', /SHA256/, body);
  await refuse([['x-amz-checksum-crc64nvme', VALUES.CRC64NVME]], 'BadDigest', undefined, body);
});

test('a checksum is told of the whole object, and only to who asks', async () => {
  await put('told', [['x-amz-checksum-crc32', VALUES.CRC32]]);
  const silent = [
    await raw.expectDone({ method: 'GET', bucket, key: 'told' }),
    await raw.expectDone({ method: 'HEAD', bucket, key: 'told' }),
    await read('told', { headers: { range: 'bytes=0-3' } }),
  ];
  for (const { headers } of silent) assert.deepEqual(checksumsIn(headers), []);
  const lower = { 'x-amz-checksum-mode': 'enabled' };
  assert.equal(checksumsIn((await read('told', { headers: lower })).headers).length, 2);
  // All bytes are all bytes, however they are asked for.
  for (const asked of [
    { query: [['partNumber', '1']] as const },
    { headers: { range: `bytes=0-${TEXT.length - 1}` } },
    { headers: { range: 'bytes=0-' } },
  ]) {
    const answer = await read('told', asked);
    assert.equal(answer.status, 206);
    assert.equal(answer.headers['x-amz-checksum-crc32'], VALUES.CRC32);
    assert.equal(answer.headers['x-amz-checksum-type'], 'FULL_OBJECT');
  }
});

test('who names no checksum has the CRC64NVME, as on AWS', async () => {
  const made = (body: string | Buffer) => [
    [
      'x-amz-checksum-crc64nvme',
      Buffer.from(checksumOf('CRC64NVME', Buffer.from(body))).toString('base64'),
    ],
    ['x-amz-checksum-type', 'FULL_OBJECT'],
  ];
  for (const body of [TEXT, '', Buffer.alloc(3_000_000, 'x')]) {
    const answer = await put('none', [], body);
    assert.deepEqual(checksumsIn(answer.headers), made(body));
    assert.deepEqual(checksumsIn((await read('none')).headers), made(body));
  }
});

test('large bodies have two checksums too', async () => {
  const body = Buffer.alloc(3_000_000, TEXT);
  for (const name of ['XXHASH128', 'SHA512'] as const) {
    const value = Buffer.from(checksumOf(name, body)).toString('base64');
    const answer = await put('large', [[headerOf(name), value]], body);
    assert.equal(answer.headers[headerOf(name)], value, answer.text);
    const crc = Buffer.from(checksumOf('CRC64NVME', body)).toString('base64');
    assert.equal((await read('large')).headers['x-amz-checksum-crc64nvme'], crc);
    await refuse([[headerOf(name), VALUES[name]]], 'BadDigest', new RegExp(name), body);
  }
});

test('a wrong value is BadDigest', async () => {
  for (const name of NAMES) {
    await refuse([[headerOf(name), EMPTY_VALUES[name]]], 'BadDigest', new RegExp(name));
    await refuse([[headerOf(name), VALUES[name]]], 'BadDigest', undefined, 'hello world!');
  }
});

test('a value that is no base64, or of another length, is an invalid request', async () => {
  for (const name of NAMES) {
    const good = VALUES[name];
    const bad = [
      ...['', 'x', '!', ` ${good.slice(4)}`, good.slice(0, -4), `AAAA${good}`],
      ...[good.replace(/=+$/, ''), `${good}=`, good.replace(/^./, '*'), good.replace(/^./, '-')],
    ];
    for (const value of bad) {
      const words = `Value for ${headerOf(name)} header is invalid.`;
      await refuse([[headerOf(name), value]], 'InvalidRequest', words);
    }
  }
});

test('an algorithm that there is not is refused, and the valid ones are named', async () => {
  const words =
    /\[CRC32, CRC32C, CRC64NVME, SHA1, SHA256, SHA512, MD5, XXHASH64, XXHASH3, XXHASH128\]/;
  for (const name of ['md4', 'sha384', 'crc16', 'xxhash32', 'x']) {
    await refuse([[headerOf(name), 'AAAA']], 'InvalidRequest', words);
    await refuse([['x-amz-sdk-checksum-algorithm', name]], 'InvalidRequest', words);
  }
});

test('more than one value is one too many', async () => {
  const words = /^Expecting a single x-amz-checksum- header/;
  const crc32: Header = ['x-amz-checksum-crc32', VALUES.CRC32];
  await refuse([crc32, ['x-amz-checksum-sha1', VALUES.SHA1]], 'InvalidRequest', words);
  await refuse([crc32, ['x-amz-trailer', 'x-amz-checksum-sha1']], 'InvalidRequest', words);
  await refuse([crc32, crc32], 'InvalidRequest');
});

test('the algorithm that an SDK names is that of the value', async () => {
  const named = (name: string): Header => ['x-amz-sdk-checksum-algorithm', name];
  for (const name of NAMES) {
    const answer = await put('named', [named(name), [headerOf(name), VALUES[name]]]);
    assert.equal(answer.status, 200, answer.text);
  }
  const lower = await put('named', [named('crc32'), ['x-amz-checksum-crc32', VALUES.CRC32]]);
  assert.equal(lower.status, 200, lower.text);
  await refuse(
    [named('CRC32')],
    'InvalidRequest',
    /no corresponding x-amz-checksum-\* or x-amz-trailer headers were found/,
  );
  for (const other of NAMES.filter((name) => name !== 'CRC32')) {
    await refuse([named('CRC32'), [headerOf(other), VALUES[other]]], 'InvalidRequest');
  }
});

test('Content-MD5 is sixteen bytes in base64, and those of the body', async () => {
  assert.equal((await put('md5', [['content-md5', md5(TEXT)]])).status, 200);
  for (const value of ['', 'x', 'AAAA', md5(TEXT).slice(0, -2), `${md5(TEXT)}=`, '*'.repeat(24)]) {
    await refuse([['content-md5', value]], 'InvalidDigest');
  }
  await refuse([['content-md5', hash('md5', TEXT, 'hex')]], 'InvalidDigest');
  await refuse([['content-md5', md5('other')]], 'BadDigest');
  const large = Buffer.alloc(1_000_000, 'x');
  await refuse([['content-md5', md5('other')]], 'BadDigest', undefined, large);
  const twice: readonly Header[] = [
    ['content-md5', md5(TEXT)],
    ['content-md5', md5(TEXT)],
  ];
  await refuse(twice, 'InvalidDigest');
});

test('Content-MD5 is the checksum MD5 where the SDK names that, as JavaScript sends it', async () => {
  const named: Header = ['x-amz-sdk-checksum-algorithm', 'MD5'];
  const answer = await put('named-md5', [named, ['content-md5', md5(TEXT)]]);
  assert.equal(answer.headers['x-amz-checksum-md5'], md5(TEXT), answer.text);
  await refuse([named, ['content-md5', md5('other')]], 'BadDigest');
  await refuse([named, ['content-md5', 'x']], 'InvalidDigest');
  await refuse([named], 'InvalidRequest');
});

test('MD5, payload hash and checksum may all be sent, and each is held', async () => {
  const all: readonly Header[] = [
    ['content-md5', md5(TEXT)],
    ['x-amz-checksum-sha256', VALUES.SHA256],
  ];
  assert.equal((await put('all', all)).status, 200);
  await refuse(
    [
      ['content-md5', md5(TEXT)],
      ['x-amz-checksum-sha256', EMPTY_VALUES.SHA256],
    ],
    'BadDigest',
  );
});

test('a refused overwrite leaves what was there', async () => {
  await put('kept', [['x-amz-checksum-crc32', VALUES.CRC32]]);
  const answer = await put('kept', [['x-amz-checksum-crc32', VALUES.CRC32]], 'other');
  assertFacts(answer, 400, 'BadDigest');
  const { text, headers } = await read('kept');
  assert.deepEqual([text, headers['x-amz-checksum-crc32']], [TEXT, VALUES.CRC32]);
});

test('documents are held to their checksums as bodies are', async () => {
  const body = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';
  const tag = (headers: readonly Header[]) =>
    deliver(s3.endpoint, signed(ann, { route: `PUT /${bucket}?tagging`, headers, body }));
  assertFacts(await tag([['content-md5', md5('other')]]), 400, 'BadDigest');
  assertFacts(await tag([['content-md5', 'x']]), 400, 'InvalidDigest');
  assertFacts(await tag([['x-amz-checksum-crc32', VALUES.CRC32]]), 400, 'BadDigest');
  assertFacts(await tag([['x-amz-checksum-crc32', 'x']]), 400, 'InvalidRequest');
  const sha256: Header = ['x-amz-checksum-sha256', hash('sha256', body, 'base64')];
  const named = (name: string): Header => ['x-amz-sdk-checksum-algorithm', name];
  for (const headers of [
    ...[[named('SHA256')], [named('SHA256'), ['content-md5', md5(body)] as const]],
    ...[[named('CRC32'), sha256], [named('MD5'), sha256], [named('MD4')]],
  ]) {
    assertFacts(await tag(headers), 400, 'InvalidRequest');
  }
  const query = [['tagging', '']] as const;
  const none = await raw.send({ method: 'GET', bucket, query });
  assertFacts({ ...none, json: {} }, 404, 'NoSuchTagSet');
  assert((await tag([['content-md5', md5(body)]])).status < 300);
  assert((await tag([sha256])).status < 300);
  assert((await tag([named('SHA256'), sha256])).status < 300);
});

test('a copy keeps the checksum of its source, or has the one that is asked for', async () => {
  await put('source', [['x-amz-checksum-crc32', VALUES.CRC32]]);
  await put('plain', []);
  const copy = (source: string, more: Readonly<Record<string, string>> = {}) =>
    raw.expectDone({
      method: 'PUT',
      bucket,
      key: 'copy',
      headers: { 'x-amz-copy-source': `${bucket}/${source}`, ...more },
    });
  const kept = await copy('source');
  assert.equal(factOf(kept, 'ChecksumCRC32'), VALUES.CRC32);
  assert.equal((await read('copy')).headers['x-amz-checksum-crc32'], VALUES.CRC32);
  await copy('plain');
  assert.equal((await read('copy')).headers['x-amz-checksum-crc64nvme'], VALUES.CRC64NVME);
  for (const name of NAMES) {
    const made = await copy('plain', { 'x-amz-checksum-algorithm': name });
    assert.equal(factOf(made, `Checksum${name}`), VALUES[name]);
    const { headers } = await read('copy');
    assert.equal(headers[headerOf(name)], VALUES[name]);
    const isSeconded = SECONDED.has(name) || name === 'CRC64NVME';
    const crc = isSeconded ? VALUES.CRC64NVME : undefined;
    assert.equal(headers['x-amz-checksum-crc64nvme'], crc, name);
  }
  const unknown = await raw.send({
    method: 'PUT',
    bucket,
    key: 'refused',
    headers: { 'x-amz-copy-source': `${bucket}/plain`, 'x-amz-checksum-algorithm': 'MD4' },
  });
  assertFacts({ ...unknown, json: {} }, 400, 'InvalidRequest');
});
