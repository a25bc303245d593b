/**
 * Proves that the AWS SDK for JavaScript agrees with us on every checksum, and that its default
 * client reads what was stored with those of 2026, most of which it cannot compute.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CHECKSUM_ALGORITHMS,
  type ChecksumAlgorithm,
} from '../../../src/kit/checksums/checksum-algorithms.ts';
import { formatChecksumValue } from '../../../src/kit/checksums/checksum-value.ts';
import { checksumOf, prepareChecksums } from '../../../src/kit/checksums/open-checksum.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'javascript', 'checksums.mjs');
const BODY = Buffer.from('hello world');

type Read = Readonly<Record<string, string>>;
type Said = {
  readonly put: Readonly<Record<string, Read>>;
  readonly parts: Readonly<Record<string, { readonly whole: Read; readonly part: Read }>>;
};

await prepareChecksums(CHECKSUM_ALGORITHMS);
const sumOf = (algorithm: ChecksumAlgorithm) => formatChecksumValue(checksumOf(algorithm, BODY));

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('the AWS SDK for JavaScript agrees on checksums, and its default client reads', async () => {
    await using world = await startS3World(form);
    const { text } = await runProgram(world, { argv: [process.execPath, PROGRAM] });
    const { put, parts } = JSON.parse(text) as Said;
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      assert.equal(put[algorithm]?.[`Checksum${algorithm}`], sumOf(algorithm), algorithm);
      assert.equal(put[algorithm]?.['text'], 'hello world');
    }
    for (const algorithm of ['SHA512', 'XXHASH128', 'MD5'] as const) {
      const { whole, part } = parts[algorithm] ?? {};
      assert.match(whole?.[`Checksum${algorithm}`] ?? '', /-2$/, algorithm);
      assert.equal(part?.[`Checksum${algorithm}`], sumOf(algorithm));
      assert.deepEqual([whole?.['text'], part?.['text']], ['hello world', 'hello world']);
    }
  });
}
