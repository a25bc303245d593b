/**
 * Proves that boto3 with AWS's Common Runtime reads an empty object, and that it agrees with us on
 * every checksum that it knows, of one put, of parts and of a part.
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
import { findPython } from '../../world/python.ts';
import { runProgram } from './run-program.ts';
import { s3Forms, startS3World } from './s3-world.ts';

const PROGRAM = join(import.meta.dirname, 'programs', 'python', 'checksums.py');
const BODY = Buffer.from('hello world');

type Read = Readonly<Record<string, string>>;
type Said = {
  readonly put: Readonly<Record<string, Read>>;
  readonly parts: Readonly<Record<string, { readonly whole: Read; readonly part: Read }>>;
  readonly emptyBytes: number;
};

await prepareChecksums(CHECKSUM_ALGORITHMS);
const sumOf = (algorithm: ChecksumAlgorithm) => formatChecksumValue(checksumOf(algorithm, BODY));

for (const form of s3Forms().filter(({ tls }) => !tls)) {
  test('boto3 with the Common Runtime agrees on checksums and reads an empty object', async (t) => {
    const python = findPython();
    if (python === undefined) return t.skip('the Python environment could not be made');
    await using world = await startS3World(form);
    const { text } = await runProgram(world, { argv: [python, PROGRAM] });
    const { put, parts, emptyBytes } = JSON.parse(text) as Said;
    // Botocore has no code for MD5 as a checksum.
    for (const algorithm of CHECKSUM_ALGORITHMS.filter((one) => one !== 'MD5')) {
      const read = put[algorithm];
      assert.equal(read?.[`Checksum${algorithm}`], sumOf(algorithm), algorithm);
      assert.equal(read?.['ChecksumType'], 'FULL_OBJECT', algorithm);
      assert.ok(read?.['checkedBy'], `${algorithm}: what came was held against a checksum`);
    }
    for (const algorithm of ['SHA512', 'XXHASH128'] as const) {
      const { whole, part } = parts[algorithm] ?? {};
      assert.match(whole?.[`Checksum${algorithm}`] ?? '', /-2$/);
      assert.equal(whole?.['checkedBy'], 'crc64nvme', 'the whole is checked by the second one');
      assert.equal(part?.[`Checksum${algorithm}`], sumOf(algorithm));
      assert.equal(part?.['ChecksumCRC64NVME'], sumOf('CRC64NVME'));
      assert.ok(part?.['checkedBy']);
    }
    assert.equal(emptyBytes, 0);
  });
}
