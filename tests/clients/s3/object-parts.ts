/** The parts of a round trip that are about single objects. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { ChecksumAlgorithm } from '../../../src/kit/checksums/checksum-algorithms.ts';
import { seededRandom } from '../../world/seeded-random.ts';
import { atOnce } from './at-once.ts';
import { ODD_KEYS, type OddKey } from './odd-keys.ts';
import type { Trip, TripPart } from './round-trip.ts';

const LARGE_BYTES = 20 * 1024 * 1024 + 7;
/** No multiple of any part or block, so that no two parts are alike. */
const PATTERN_BYTES = 1_000_003;
const LARGE = 'trip/large.bin';
const MIB = 1024 * 1024;
/** Those of 2026 only some clients make: boto3-crt and checksums-javascript try them. */
const EVERY_TOOLS_CHECKSUMS: readonly ChecksumAlgorithm[] = [
  'CRC32',
  'CRC32C',
  'CRC64NVME',
  'SHA1',
  'SHA256',
];

export const OBJECT_PARTS: Readonly<Record<string, TripPart>> = {
  'stores and reads small, empty and large files': async (trip) => {
    for (const [key, bytes] of Object.entries(contents())) {
      await storeAndRead(trip, { key, bytes, steps: trip.steps });
    }
    const { bucket } = trip.world;
    const { headers } = await trip.world.raw.expectDone({ method: 'HEAD', bucket, key: LARGE });
    assert.match(headers.etag ?? '', /^"[\da-f]{32}-\d+"$/, 'it was sent in parts');
  },

  'reads ranges of a large object': async ({ world, steps, raw, fileAt }) => {
    const bytes = contents()[LARGE] ?? Buffer.alloc(0);
    const object = { bucket: world.bucket, key: LARGE };
    await writeFile(fileAt('ranged'), bytes);
    await raw.put({ ...object, file: fileAt('ranged') });
    const ranges: readonly (readonly [number, number])[] = [
      [0, 9],
      [5 * MIB - 3, 8 * MIB + 3],
      [LARGE_BYTES - 1, LARGE_BYTES - 1],
      [LARGE_BYTES - 10, LARGE_BYTES + 100],
    ];
    for (const [first, last] of ranges) {
      const file = fileAt('range');
      await steps.getRange({ ...object, first, last, file });
      const expected = bytes.subarray(first, last + 1);
      assert.ok((await readFile(file)).equals(expected), `bytes ${first} to ${last}`);
    }
  },

  'is told that an object does not exist': async ({ world, steps, fileAt }) => {
    const missing = { bucket: world.bucket, key: 'trip/missing', file: fileAt('missing') };
    await assert.rejects(steps.get(missing), /NoSuchKey|NotFound|Not Found|404|does not exist/i);
  },

  'stores, lists, reads and deletes oddly named objects': async (trip) => {
    const { world, tool, gaps, steps, raw } = trip;
    const { bucket } = world;
    const tried = oddKeysFor(trip);
    await atOnce(tried, tool.stepsAtOnce, async ({ name, key }) => {
      const bytes = Buffer.from(`content of ${name}`);
      await storeAndRead(trip, { key, bytes, steps: name in gaps.keys ? raw : steps });
    });
    const isOdd = (key: string) => !key.startsWith('trip/');
    const there = (await raw.list({ bucket, prefix: '' })).keys;
    assert.deepEqual(there.filter(isOdd).sort(), tried.map(({ key }) => key).sort());
    const [ours = [], its = []] = [true, false].map((isGap) =>
      tried.filter(({ name }) => name in gaps.keys === isGap).map(({ key }) => key),
    );
    // One name that a tool cannot read can keep it from listing any.
    for (const key of ours) await world.raw.expectDone({ method: 'DELETE', bucket, key });
    const { keys } = await steps.list({ bucket, prefix: '' });
    assert.deepEqual(keys.filter(isOdd).sort(), its.toSorted());
    const alone = tried.flatMap(({ name, key }) => (name in (gaps.bulkDeletes ?? {}) ? [key] : []));
    for (const key of alone) await world.raw.expectDone({ method: 'DELETE', bucket, key });
    await steps.deleteKeys({ bucket, keys: its.filter((key) => !alone.includes(key)) });
    const left = (await raw.list({ bucket, prefix: '' })).keys;
    assert.deepEqual(left.filter(isOdd), []);
  },

  'copies a small, a large and an oddly named object': async (trip) => {
    const { world, gaps, steps, raw, fileAt } = trip;
    const { bucket } = world;
    const slashes = 'double slash' in gaps.keys ? '/' : '//';
    const odd = `trip/100% + é${slashes}😀.txt`;
    const sources = { ...contents(), [odd]: Buffer.from('oddly named') };
    for (const [from, bytes] of Object.entries(sources)) {
      const file = fileAt('copied');
      await writeFile(file, bytes);
      await raw.put({ bucket, key: from, file });
      await steps.copy({ bucket, from, to: `${from} (copy)` });
      await raw.get({ bucket, key: `${from} (copy)`, file });
      assert.ok((await readFile(file)).equals(bytes), from);
    }
  },

  'sends and checks each checksum': async ({ world, gaps, steps, raw, fileAt }) => {
    const bytes = Buffer.from(seededRandom('checked').bytes(100_001));
    for (const algorithm of EVERY_TOOLS_CHECKSUMS) {
      const object = { bucket: world.bucket, key: `trip/checked ${algorithm}` };
      const file = fileAt('checked');
      await writeFile(file, bytes);
      const { putChecked } = algorithm in (gaps.checksums ?? {}) ? raw : steps;
      await putChecked({ ...object, file, algorithm });
      assert.ok((await readFile(file)).equals(bytes), 'it read what it wrote');
      const headers = { 'x-amz-checksum-mode': 'ENABLED' };
      const kept = await world.raw.expectDone({ method: 'HEAD', ...object, headers });
      assert.ok(kept.headers[`x-amz-checksum-${algorithm.toLowerCase()}`], `${algorithm} is kept`);
    }
  },

  'makes URLs that anybody can fetch': async ({ world, steps, raw, fileAt }) => {
    const { bucket } = world;
    for (const key of ['trip/plain.txt', 'trip/100% + é/😀?a=b.txt']) {
      const bytes = Buffer.from(`behind a URL: ${key}`);
      await writeFile(fileAt('shared'), bytes);
      await raw.put({ bucket, key, file: fileAt('shared') });
      const url = await steps.presign({ bucket, key });
      const answer = await world.raw.fetch(url);
      assert.equal(answer.status, 200, answer.text);
      assert.ok(answer.bytes.equals(bytes), url);
      const unsigned = await world.raw.fetch(url.replace(/\?.*/, ''));
      assert.equal(unsigned.status, 403, 'it is the signature that opens it');
    }
  },
};

/** Over TLS a tool that is started for each step tries some: what differs there is not the key. */
function oddKeysFor({ world, tool }: Trip): readonly OddKey[] {
  const isShort = tool.stepsAtOnce > 1 && world.caFile !== undefined;
  return ODD_KEYS.filter(({ isSample = false }) => !isShort || isSample);
}

/** Stored by these steps it is there, whoever asks; and these steps read it. */
async function storeAndRead(
  { world, raw, fileAt }: Trip,
  { key, bytes, steps }: { key: string; bytes: Buffer; steps: Pick<Trip['raw'], 'put' | 'get'> },
): Promise<void> {
  const { bucket } = world;
  const name = Buffer.from(key).toString('hex').slice(0, 100);
  const [up, down, there] = ['up', 'down', 'there'].map((way) => fileAt(`${way}/${name}`)) as [
    string,
    string,
    string,
  ];
  await mkdir(dirname(up), { recursive: true });
  await mkdir(dirname(down), { recursive: true });
  await writeFile(up, bytes);
  await steps.put({ bucket, key, file: up });
  await raw.get({ bucket, key, file: there });
  assert.ok((await readFile(there)).equals(bytes), `stored: ${JSON.stringify(key)}`);
  await steps.get({ bucket, key, file: down });
  assert.ok((await readFile(down)).equals(bytes), `read: ${JSON.stringify(key)}`);
}

function contents(): Readonly<Record<string, Buffer>> {
  const pattern = Buffer.from(seededRandom('large').bytes(PATTERN_BYTES));
  return {
    'trip/small.txt': Buffer.from('hello, world\n'),
    'trip/empty': Buffer.alloc(0),
    [LARGE]: Buffer.alloc(LARGE_BYTES, pattern),
  };
}
