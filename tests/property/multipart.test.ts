/**
 * Multipart equals a single put: whatever parts an object comes in, in whatever order and however
 * often, its bytes, ranges, checksum, hash and stored size are those of one PUT of the whole.
 */

import { strict as assert } from 'node:assert';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Account } from '../../src/core/identity/account/account.ts';
import type { ListedPart, MultipartUpload } from '../../src/core/objects/multipart/upload.ts';
import { parseUploadChecksum } from '../../src/core/objects/multipart/upload-checksum.ts';
import { openObject } from '../../src/core/objects/read/read-object.ts';
import { computed, withKeptChecksums } from '../../src/core/objects/write/kept-checksums.ts';
import { NO_FAULTS } from '../../src/core/ports/fault-points.ts';
import { insertAccount, sampleAccount } from '../../src/core/ports/metadata/contract/samples.ts';
import { ThreadDigesters } from '../../src/engines/digests/thread-digesters.ts';
import { ObjectHasher } from '../../src/jobs/hash-objects.ts';
import { runsOf } from '../world/effort.ts';
import { FakeClock } from '../world/fake-clock.ts';
import { md5Of, multipartCalls } from '../world/multipart-world.ts';
import { seededRandom } from '../world/seeded-random.ts';
import { openSmallStore, type SmallStore, UNWATCHED } from '../world/small-store.ts';
import { openUnderWay } from '../world/under-way.ts';

const RUNS = runsOf({ short: 12, long: 200 });
const MIB = 1024 ** 2;
const HOUR_MS = 3_600_000;

/** Parts but the last have at least 5 MiB, so the letters of few bytes must do for many. */
const body = (min: number, max: number) =>
  fc.record({ seed: fc.integer({ min: 1, max: 2 ** 30 }), length: fc.integer({ min, max }) });

const sample = fc.record({
  large: fc.array(body(5 * MIB, 5 * MIB + 70_000), { maxLength: 2 }),
  last: fc.oneof(body(0, 0), body(1, 3000), body(200_000, 300_000)),
  gaps: fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 3, maxLength: 3 }),
  order: fc.constantFrom('forward', 'backward', 'at once'),
  isUploadedTwice: fc.boolean(),
  hasUnlisted: fc.boolean(),
  algorithm: fc.constantFrom('CRC32', 'CRC32C', 'CRC64NVME', undefined),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 2, maxLength: 2 }),
});

type Sample = typeof sample extends fc.Arbitrary<infer T> ? T : never;
type NumberedPart = { readonly number: number; readonly bytes: Buffer };

function bytesOf({ seed, length }: { readonly seed: number; readonly length: number }): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

let folder: string;
let store: SmallStore;
const digesters = new ThreadDigesters();

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pinfold-multipart-'));
  store = await openSmallStore(folder);
});

after(async () => {
  await store.close();
  await rm(folder, { recursive: true });
  await digesters[Symbol.asyncDispose]();
});

/** The store has the first account. */
let runNumber = 1;

async function openRun() {
  runNumber += 1;
  const { metadata, blobs } = store;
  // The run's number in letters.
  const digits = runNumber.toString(26).padStart(12, '0');
  const slug = digits.replace(/./g, (digit) =>
    String.fromCharCode(97 + Number.parseInt(digit, 26)),
  ) as Account['slug'];
  const account = await insertAccount(metadata, sampleAccount(runNumber, { slug }));
  const deps = {
    metadata,
    blobs,
    clock: new FakeClock(),
    digesters,
    faults: NO_FAULTS,
    random: seededRandom(`multipart ${runNumber}`),
    quota: { freeStorageBytes: 10n ** 12n, freeEgressBytes: 0n },
    capacity: { storedBytes: () => 0n, capacityBytes: undefined },
    underWay: openUnderWay(),
  };
  const owner = { accountId: account.accountId, bucketId: account.defaultBucketId };
  return { deps, account, calls: multipartCalls(deps, owner) };
}

type Run = Awaited<ReturnType<typeof openRun>>;

/** Sends what the sample says, and lists the parts of the object. */
async function send(
  { calls }: Run,
  upload: MultipartUpload,
  {
    parts,
    order,
    isUploadedTwice,
    hasUnlisted,
  }: Sample & { readonly parts: readonly NumberedPart[] },
): Promise<readonly ListedPart[]> {
  const save = async ({ number, bytes }: NumberedPart) => {
    const { part, checksum } = await calls.upload(upload, number, bytes);
    assert.equal(part.etag, md5Of(bytes));
    return { partNumber: part.partNumber, etag: part.etag, checksum };
  };
  if (isUploadedTwice) {
    for (const { number } of parts) await save({ number, bytes: Buffer.from('something else') });
  }
  if (hasUnlisted) await save({ number: 10_000, bytes: Buffer.from('dropped') });
  if (order === 'at once') return await Promise.all(parts.map(save));
  const listed: ListedPart[] = [];
  for (const part of order === 'forward' ? parts : parts.toReversed())
    listed.push(await save(part));
  return listed.toSorted((a, b) => a.partNumber - b.partNumber);
}

async function readRange({ deps, calls }: Run, key: string, range: string | undefined) {
  const opened = await openObject(deps, () => calls.find(key), { conditions: {}, range });
  assert(opened.kind === 'content');
  const chunks: Buffer[] = [];
  await opened.send((chunk) => void chunks.push(Buffer.from(chunk)));
  await opened.close();
  return Buffer.concat(chunks);
}

async function check(run: Run, given: Sample): Promise<void> {
  const { deps, calls, account } = run;
  let number = 0;
  const parts = [...given.large, given.last].map((each, index): NumberedPart => {
    number += given.gaps[index] ?? 1;
    return { number, bytes: bytesOf(each) };
  });
  const whole = Buffer.concat(parts.map(({ bytes }) => bytes));
  const { algorithm } = given;
  const checksum = algorithm && parseUploadChecksum(algorithm, 'FULL_OBJECT');
  const demands = withKeptChecksums(algorithm ? { checksum: computed(algorithm) } : {});
  const single = await calls.put('single', whole, { demands });
  const upload = await calls.begin('parts', { checksum });
  const listed = await send(run, upload, { ...given, parts });
  await calls.complete(upload, listed, { stated: { sizeBytes: whole.length } });
  assert((await calls.read('parts')).equals(whole), 'the bytes are those of the whole');
  const [from = 0, to = 0] = given.cuts
    .map((cut) => Math.floor(cut * whole.length))
    .toSorted((a, b) => a - b);
  if (whole.length > to) {
    const found = await readRange(run, 'parts', `bytes=${from}-${to}`);
    assert(
      found.equals(whole.subarray(from, to + 1)),
      `bytes ${from} to ${to} are those of a slice`,
    );
  }
  await new ObjectHasher(deps).run({ signal: UNWATCHED.signal });
  const found = await calls.find('parts');
  assert(found);
  assert.deepEqual(found.checksum, single.checksum);
  assert.equal(found.contentHash, single.contentHash);
  assert.equal(found.sizeBytes, single.sizeBytes);
  const stored = await deps.metadata.findAccount(account.accountId);
  assert.equal(stored?.storedBytes, 2n * BigInt(whole.length));
}

test('an object of parts is the object of one put', async () => {
  await fc.assert(
    fc.asyncProperty(sample, async (given) => check(await openRun(), given)),
    { numRuns: RUNS },
  );
  await store.tidyUp();
  const { findings } = await store.verify(HOUR_MS);
  assert.deepEqual(findings, []);
});
