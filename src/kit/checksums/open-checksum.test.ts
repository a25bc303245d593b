/** Proves checksums against published check values and against other implementations. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUM_BYTES,
  type ChecksumAlgorithm,
} from './checksum-algorithms.ts';
import { formatChecksumValue } from './checksum-value.ts';
import { checksumOf, compositeChecksum, openChecksum, prepareChecksums } from './open-checksum.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** The bytes that the vectors below are of; the program that made them had the same formula. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 1) bytes[at] = (at * at * 31 + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

/** Check values of the catalogue of parametrised CRCs; what sha1sum, its kin and awscrt say. */
const CHECKS = {
  CRC32: 'cbf43926',
  CRC32C: 'e3069283',
  CRC64NVME: 'ae8b14860a799888',
  SHA1: 'f7c3bc1d808e04732adf679965ccc34ca7ae3441',
  SHA256: '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225',
  SHA512:
    'd9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a' +
    'd27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85',
  MD5: '25f9e794323b453885f5181f1b624d0b',
  XXHASH64: '8cb841db40e6ae83',
  XXHASH3: '72dcb18b67a17dff',
  XXHASH128: '33119477ede5dcd5e9716427681d5860',
} as const;

/**
 * Length, then the checksums of as many bytes of the pattern in the order of the algorithms, by
 * Python's zlib and hashlib and by awscrt's checksums (CRC32C by the package crc32c as well).
 */
const VECTORS = `
0 AAAAAA== AAAAAA== AAAAAAAAAAA= 2jmj7l5rSw0yVb/vlWAYkK/YBwk= 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=
1 0gLvjQ== Un1TUQ== 1dpQR+/shyg= W6k8nbDP+T9StSHXQg5D9u2ieE8= bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=
7 P4GSuQ== ERX6RA== FO/qD3oBEvk= qpf8jdAv58c8gIBeFDz5fCwiQe0= V2fOdCO056b4iippJA+ANwPk8QUlUrXc6QZYz6JFZa0=
8 W+5F/w== 9DBC1g== OWoVfuYsem0= 9uy9qvl7bqNGAcEbxuTWNHHfPqs= Dw3oY5Fl51FV6XjKow/gOnbVhG23ib76dUMZGdG4iWI=
31 NjWKOg== 6OoITQ== KACy904nLdE= DWAM+5Hpi2/d9K7Zgiy+AXvGQc8= fVY0OSXtTkfAHfRrGUbkHQlUtCN8eAvJcHNOZorfSrA=
32 PDq7Kw== Fvz5SA== sHf7aofa7NE= 1LUfpLST0WBP2C+bmzcysv3u5ZM= dOZImnTIqCErJP23N4cfgIbDlEGe9Agp6H8MNYoh0DM=
33 3ojODg== evlCwQ== IyXWOCycZD4= ubABaD4znXrIJf1g6Bqrz/CYi0o= oV1YNRkuhLTdXRg5maJXFeO/UJ1ell96+IO9WhsVkhg=
63 e1MUSA== Wn3MsQ== 4/8CjsdnzT4= PVvKfUauJFwObVRQD55IqCPfqYc= spzto/hnXHqWnjU6iGSVcuYjO3c1Y8kfucZJPrboqwg=
64 z86s/Q== yaVdSw== xB2PbPITtvU= 86e+aM8zK7l/lykF48GJFUXna/w= bX9f3xs2VYNQ8KR3nYCjUnHUFth7LlfRyLqCjS59E64=
65 iqVtMA== SctmTw== 6jNZP7KoG+s= rql6etQNRacfSWUpO5rfRr+XbTI= fkt+NCw35JF2KdBamd0cl17C/9wGu84wuN7JpUnfHaM=
1000 JXUOJg== 7CrSCQ== cTX3aeACuIk= XHirLMJpgH4JwB9DNQOkB0PtRm8= AsSo86BShuevt8JjBZCYddZecOVJFpqUfpqWMuhU1y0=
16383 vRuWCw== nq78fw== 3/bgsPVdOE0= NfdqxDhQgVRPfUPcyKH8bQlXArI= 81DkEYehHSTLegCkiNO+ShY0TqHL7D7YvL43ESdFsOI=
16384 sGLpxA== +IcrvA== 9SRUuN/YWRY= /0UItIP772GqMOlCzqB/TUe2QmE= wGubE4yn03o8NxqjAXdScUKt3uosSW1/9JTkV0C0VRI=
16385 OGfKXQ== 7Kh03w== TSpVdl3JueI= zGqMZeRhzBKpfcgNFJ8aeaXhy9U= 2QgDStNIDb3auKnjQtteV490x9FNXJPSM/IRGTEu/EY=
65537 sGcE+A== iKVS9A== eHILt17fj0I= XzKc102Fc3ag4A6RDTxihlRrNZU= x25B2IS/g6VP2gmBGMZzH00KJhiWNFZUY5ZLiQHiFxk=
1048581 /WYjgQ== 1yXxvA== tvvPxDoIhrI= HYznoOz7AMyLvy5ApHCKdlwenbg= tI69AmlmDpgnZ7pl/PDAaj782p1DTurHkVmCNJU68AY=
`;

/** The same of XXHASH64, XXHASH3 and XXHASH128, by awscrt 0.38.0. */
const XXHASH_VECTORS = `
0 70bbN1HY6Zk= LQaABTjTlMI= maoG0wFHmNhgAcMkRo1Jfw==
1 6TSoStsFJ2g= xEvf9AdO7Ns= ps1ek5IAD2rES9/0B07s2w==
7 fIH2zT4qgCk= pXuvl3GAP/E= o/o9wGpo5LETi91xj2bWCQ==
8 pdywFF0GYy0= ibmxER7NWXY= QTL7B8BDIzDOD/VWPDOT/A==
31 1X1Ph1Eno+M= lKXaFZW4Pyo= QvkAWI7+et+XIXmTbKjt8A==
32 FcLZgCtzq+w= Tg+CegAwWIA= 1O/smuMbFdTWQM3N7lR41w==
33 wl0id1VTruw= zpXLiIR9YQI= RUdSGidvHmkvhiiskbrzxA==
63 bTtJvp53S3w= qm5RAJurj2w= gczkLiW30w9gfcomJqaDbQ==
64 rq5ztovyZvU= WSbCxii4vUA= YUj2ze/gan3vJUMSiRcN9w==
65 kW7skWlHslA= C8THUqfFBQU= Ogfosfmgcdk2RzZX9ismRQ==
1000 xz/2JLnl9eY= MDbOpYuR9R8= Xn20HRlEC3MwNs6li5H1Hw==
16383 G20spspaqeg= PQGcjuRl18c= FPHpewqJdNs9AZyO5GXXxw==
16384 1/6mJ46xK+0= q7eOPXsdAv8= gkZvpDqYoKirt449ex0C/w==
16385 ckrZ21RA/Nw= k1yLqNHTiVs= p5X9+tX/kB2TXIuo0dOJWw==
65537 9YFI0XRzO0I= sOdVYNGVpXs= +odRqB+i3l+w51Vg0ZWlew==
1048581 vEBOEFTvztU= BnbsY4G+SXQ= Hhc5rfTEm5kGduxjgb5JdA==
`;

/** By the same program: the checksum over the raw checksums of 7, 1000 and 16385 bytes. */
const COMPOSITES = {
  CRC32: 'rRucWw==',
  CRC32C: 'C7oJow==',
  CRC64NVME: 'CbzmL7J72cE=',
  SHA1: 'xxCx6yKiNbu28WvYvLzXpmBQVqA=',
  SHA256: 'dVT06+47sqzQ7BfMb9NQzimVawOhr0fKE92JJHIfrbk=',
  SHA512:
    '7x3e6ea+lGD8R7idHuhgSMD+BMOxoygHc7STqoAjZKSCa2drqg/Ht16BPCn8TVKQMv7EGcOklFPiHX23mICi8Q==',
  MD5: 'OJjEcQ2euXPCyAROTh7wkQ==',
  XXHASH64: 'U6RbQ/yjTYg=',
  XXHASH3: '75auEu8gjaY=',
  XXHASH128: '8o5q42QJOiR5EXiMgd4Weg==',
} as const;

const vectors = [
  ...vectorsOf(VECTORS, ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']),
  ...vectorsOf(XXHASH_VECTORS, ['XXHASH64', 'XXHASH3', 'XXHASH128']),
];

function vectorsOf(text: string, algorithms: readonly ChecksumAlgorithm[]) {
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const [length = '', ...values] = line.split(' ');
      return { bytes: pattern(Number(length)), values, algorithms };
    });
}

await prepareChecksums(CHECKSUM_ALGORITHMS);

test('the digits 1 to 9 have the published check values', () => {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const checksum = checksumOf(algorithm, Buffer.from('123456789'));
    assert.equal(hex(checksum), CHECKS[algorithm], algorithm);
    assert.equal(checksum.length, CHECKSUM_BYTES[algorithm], algorithm);
  }
});

test('bytes of every length have the checksums that other implementations give them', () => {
  assert.equal(vectors.length, 32);
  for (const { bytes, values, algorithms } of vectors) {
    for (const [index, algorithm] of algorithms.entries()) {
      const whole = formatChecksumValue(checksumOf(algorithm, bytes));
      assert.equal(whole, values[index], `${algorithm} of ${bytes.length}`);
      const open = openChecksum(algorithm);
      for (let at = 0; at < bytes.length; at += 10_007)
        open.update(bytes.subarray(at, at + 10_007));
      assert.equal(formatChecksumValue(open.digest()), values[index], `${algorithm} in pieces`);
    }
  }
});

test('the checksum of parts is over the bytes of their checksums', () => {
  const parts = [7, 1000, 16_385].map(pattern);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const composite = compositeChecksum(
      algorithm,
      parts.map((part) => checksumOf(algorithm, part)),
    );
    assert.equal(formatChecksumValue(composite), COMPOSITES[algorithm], algorithm);
  }
});

test('many open checksums do not disturb each other, and nothing disturbs the chunks', () => {
  const bytes = pattern(70_001);
  const opened = CHECKSUM_ALGORITHMS.flatMap((algorithm) => [
    { algorithm, open: openChecksum(algorithm), step: 1000 },
    { algorithm, open: openChecksum(algorithm), step: 20_000 },
  ]);
  for (let turn = 0; turn * 1000 < bytes.length; turn += 1) {
    for (const { open, step } of opened) {
      open.update(bytes.subarray(turn * step, (turn + 1) * step));
    }
  }
  assert.deepEqual(bytes, pattern(70_001));
  for (const { algorithm, open } of opened) {
    assert.equal(hex(open.digest()), hex(checksumOf(algorithm, bytes)), algorithm);
  }
});

test('bytes of any array have the same checksum: plain, a view within another, shared', () => {
  const expected = pattern(40_000);
  const within = new Uint8Array(50_000);
  within.set(expected, 3);
  const shared = new Uint8Array(new SharedArrayBuffer(expected.length));
  shared.set(expected);
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    for (const bytes of [new Uint8Array(expected), within.subarray(3, 40_003), shared]) {
      const open = openChecksum(algorithm);
      open.update(bytes);
      assert.equal(hex(open.digest()), hex(checksumOf(algorithm, expected)), algorithm);
      assert.equal(hex(checksumOf(algorithm, bytes)), hex(checksumOf(algorithm, expected)));
    }
  }
});

test('a thread of its own makes the same checksums', async () => {
  const program = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData).then(({ checksumOf }) => {
      const bytes = Buffer.from('123456789');
      parentPort.postMessage(checksumOf('CRC64NVME', bytes));
    });`;
  const url = new URL('./open-checksum.ts', import.meta.url).href;
  const thread = new Worker(program, { eval: true, workerData: url });
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  thread.once('message', resolve).once('error', reject);
  assert.equal(hex(await promise), CHECKS.CRC64NVME);
  await thread.terminate();
});
