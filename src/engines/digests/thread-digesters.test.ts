/** Digests are those of the whole body, whatever its size, its chunks and where it is digested. */
import { strict as assert } from 'node:assert';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { patternBytes } from '../../core/ports/blob-store-contract.ts';
import type { Digester } from '../../core/ports/digesters.ts';
import { formatChecksumValue } from '../../kit/checksums/checksum-value.ts';
import { checksumOf, prepareChecksums } from '../../kit/checksums/open-checksum.ts';
import type { Digests } from '../../kit/digests.ts';
import { ThreadDigesters } from './thread-digesters.ts';

const ALGORITHMS = ['CRC64NVME', 'XXHASH128'] as const;
await prepareChecksums(ALGORITHMS);

const expected = (bytes: Buffer): Digests => ({
  md5: createHash('md5').update(bytes).digest('hex'),
  blake3: blake3(bytes).toString('hex'),
  sha256: createHash('sha256').update(bytes).digest('hex'),
  checksums: Object.fromEntries(
    ALGORITHMS.map((algorithm) => [algorithm, formatChecksumValue(checksumOf(algorithm, bytes))]),
  ),
});

async function digest(
  digesters: ThreadDigesters,
  bytes: Buffer,
  options: { readonly chunkBytes: number; readonly isKnown: boolean },
) {
  const digester = digesters.open(options.isKnown ? bytes.length : undefined, {
    isSha256Wanted: true,
    checksums: ALGORITHMS,
  });
  for (let at = 0; at < bytes.length; at += options.chunkBytes) {
    await digester.update(bytes.subarray(at, at + options.chunkBytes));
  }
  const digests = await digester.finish();
  digester.release();
  return digests;
}

test('bodies of every size and chunking, known or not, many at once', async () => {
  await using digesters = new ThreadDigesters();
  const sizes = [0, 1, 4096, 524_288, 524_289, 1_048_576, 1_048_577, 5_000_011];
  await Promise.all(
    sizes.flatMap((size) =>
      [65_536, 1_000_003].flatMap((chunkBytes) =>
        [true, false].map(async (isKnown) => {
          const bytes = patternBytes(size, size % 7);
          assert.deepEqual(
            await digest(digesters, bytes, { chunkBytes, isKnown }),
            expected(bytes),
          );
        }),
      ),
    ),
  );
});

test('a body that is given up leaves the others alone', async () => {
  await using digesters = new ThreadDigesters();
  const bytes = patternBytes(3_000_000);
  const abandoned = digesters.open(undefined);
  await abandoned.update(bytes);
  const other = digest(digesters, bytes, { chunkBytes: 65_536, isKnown: true });
  abandoned.release();
  abandoned.release();
  assert.deepEqual(await other, expected(bytes));
});

test('what waits to be digested stays bounded', async () => {
  await using digesters = new ThreadDigesters();
  const digester = digesters.open(100_000_000);
  const chunk = patternBytes(1_048_576);
  let waits = 0;
  for (let index = 0; index < 40; index += 1) {
    const wait = digester.update(chunk);
    if (wait !== undefined) waits += 1;
    await wait;
  }
  assert.ok(waits > 0);
  await digester.finish();
});

test('a medium body goes to the thread beside others, in bounds, and is digested in place alone', async () => {
  await using digesters = new ThreadDigesters();
  const bytes = patternBytes(65_536);
  const isHandedOver = (digester: Digester) => {
    // One block's worth never has to wait.
    assert.equal(digester.update(bytes), undefined);
    return digester.finish() instanceof Promise;
  };
  const alone = digesters.open(bytes.length);
  assert.equal(isHandedOver(alone), false);
  const beside = digesters.open(bytes.length);
  assert.equal(isHandedOver(beside), true);
  assert.equal(isHandedOver(digesters.open(4096)), false);
  const waiting = Array.from({ length: 20 }, () => digesters.open(bytes.length));
  const handedOver = waiting.filter(isHandedOver);
  assert.ok(handedOver.length >= 7 && handedOver.length < 20, `${handedOver.length} of 20`);
  for (const digester of [alone, beside, ...waiting]) {
    digester.release();
    digester.release();
  }
  assert.equal(isHandedOver(digesters.open(bytes.length)), false);
});
